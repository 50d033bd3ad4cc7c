//! What outlives the process, and what a failing disk does.

use redb::{Database, TableDefinition};

use super::medium::Medium;
use super::{get, key, of, put};
use crate::{Collection, CommitError, OpenError, Store};

#[tokio::test]
async fn a_file_keeps_records_and_sequences_but_not_the_volatile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let ids = of("mix", Collection::Sequence, "id");
    let mut given = Vec::new();
    let mut revision = heliu_model::Revision(0);
    for round in 0..3 {
        let store = Store::open(&path).unwrap();
        assert!(store.snapshot().unwrap().revision() >= revision, "revisions go on");
        assert_eq!(get(&store, &key("x")), (round > 0).then(|| (round - 1).to_string()));
        assert_eq!(get(&store, &key("~x")), None);
        for name in ["x", "~x"] {
            put(&store, &key(name), &round.to_string()).await.unwrap();
            assert!(get(&store, &key(name)).is_some());
        }
        put(&store, &of("mix", Collection::Mixer, "m"), "{}").await.unwrap();
        revision = *store.revisions().borrow();
        for _ in 0..70 {
            given.push(store.next(&ids).await.unwrap());
        }
        assert!(matches!(Store::open(&path), Err(OpenError::InUse { .. })), "one process at a time");
    }
    assert_eq!(given[0], 1);
    assert!(given.is_sorted_by(|a, b| a < b), "never twice: {given:?}");
}

#[tokio::test]
async fn volatile_commits_do_not_touch_the_disk() {
    let medium = Medium::default();
    let store = medium.open().unwrap();
    medium.fail_after(Some(0));
    let before = medium.syncs();
    for beat in 0..100 {
        put(&store, &key("~beat"), &beat.to_string()).await.unwrap();
    }
    assert_eq!((medium.syncs(), get(&store, &key("~beat")).as_deref()), (before, Some("99")));
    medium.fail_after(None);
}

#[tokio::test]
async fn commits_that_wait_share_one_sync() {
    let medium = Medium::default();
    let store = medium.open().unwrap();
    let before = medium.syncs();
    put(&store, &key("one"), "x").await.unwrap();
    let of_one = medium.syncs() - before;

    medium.hold();
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { put(&store, &key(&n.to_string()), "x").await })
        })
        .collect();
    // One thread: when this goes on, every task has put its commit into the queue.
    tokio::task::yield_now().await;
    let before = medium.syncs();
    medium.release();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(medium.syncs() - before <= 2 * of_one, "the first commit, and all others together");
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_heals() {
    let medium = Medium::default();
    let store = medium.open().unwrap();
    put(&store, &key("before"), "x").await.unwrap();
    put(&store, &key("~memory"), "x").await.unwrap();

    medium.fail_after(Some(0));
    for _ in 0..3 {
        assert!(matches!(put(&store, &key("lost"), "x").await, Err(CommitError::Disk(_))));
    }
    medium.fail_after(None);

    put(&store, &key("after"), "x").await.unwrap();
    for (name, want) in [("before", true), ("~memory", true), ("lost", false), ("after", true)] {
        assert_eq!(get(&store, &key(name)).is_some(), want, "{name}");
    }
}

#[test]
fn what_is_no_store_of_ours_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("text"), "hello, this is no database, however long one looks at it").unwrap();
    let other = TableDefinition::<u64, u64>::new("theirs");
    with_table(&path("theirs"), |writing| drop(writing.open_table(other).unwrap()));
    let meta = TableDefinition::<&str, u64>::new("meta");
    with_table(&path("newer"), |writing| drop(writing.open_table(meta).unwrap().insert("schema", 2).unwrap()));

    for (name, want) in [
        ("text", "is not a heliu store; move it away or choose another data_dir"),
        ("theirs", "is not a heliu store; move it away or choose another data_dir"),
        ("newer", "has schema 2, this heliu reads schema 1; use the release that wrote it"),
        ("no/such/folder", "does not open: No such file or directory (os error 2)"),
    ] {
        let path = path(name);
        let error = Store::open(&path).unwrap_err().to_string();
        assert_eq!(error, format!("{} {want}", path.display()));
    }
}

fn with_table(path: &std::path::Path, write: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::create(path).unwrap();
    let writing = database.begin_write().unwrap();
    write(&writing);
    writing.commit().unwrap();
}
