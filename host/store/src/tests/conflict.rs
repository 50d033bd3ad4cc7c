//! Who may commit and who runs again.

use std::sync::Arc;

use super::{begin, get, key, of, put};
use crate::{Collection, CommitError, Key, Range, Store, Transaction};

#[tokio::test]
async fn what_was_read_and_has_changed_conflicts() {
    let task = key("task/1");
    let prefix = |prefix: &str| Range::Prefix {
        collection: Collection::Data,
        namespace: task.namespace.clone(),
        prefix: prefix.into(),
    };
    let mixer = |namespace| of(namespace, Collection::Mixer, "m");
    for (what, read, changed, want) in [
        ("the key itself", Read::Key(task.clone()), task.clone(), true),
        ("a neighbour of the key", Read::Key(task.clone()), key("task/10"), false),
        ("the same name elsewhere", Read::Key(task.clone()), of("zoo", Collection::Data, "task/1"), false),
        ("the same name in another collection", Read::Key(task.clone()), of("mix", Collection::Total, "task/1"), false),
        ("a key put into a scanned range", Read::Range(prefix("task/")), key("task/2"), true),
        ("a key beside a scanned range", Read::Range(prefix("task/")), key("tasks"), false),
        ("anything, when all was scanned", Read::Range(prefix("")), key("x"), true),
        ("a volatile key", Read::Key(key("~pub/1")), key("~pub/1"), true),
        ("a volatile key in a scanned range", Read::Range(prefix("~pub/")), key("~pub/2"), true),
        ("a volatile key, when all was scanned", Read::Range(prefix("")), key("~pub/2"), true),
        ("a mixer of another plugin", Read::Range(Range::Everywhere(Collection::Mixer)), mixer("zoo"), true),
        ("an own mixer", Read::Range(Range::Everywhere(Collection::Mixer)), mixer("mix"), true),
        ("no mixer at all", Read::Range(Range::Everywhere(Collection::Mixer)), key("m"), false),
    ] {
        let store = Store::in_memory();
        let transaction = read.into_transaction(&store).put(&key("answer"), "x");
        put(&store, &changed, "changed").await.unwrap();
        let result = store.commit(transaction).await;
        assert_eq!(matches!(result, Err(CommitError::Conflict)), want, "{what}: {result:?}");
        assert_eq!(get(&store, &key("answer")).is_some(), !want, "{what}");
    }
}

#[tokio::test]
async fn deleting_changes_and_writing_alone_does_not_read() {
    let store = Store::in_memory();
    put(&store, &key("x"), "1").await.unwrap();
    let snapshot = store.snapshot().unwrap();
    let mut deletion = begin(&snapshot);
    deletion.writes.insert(key("x"), None);
    store.commit(deletion).await.unwrap();

    let reader = begin(&snapshot).read(&key("x")).put(&key("y"), "1");
    assert!(matches!(store.commit(reader).await, Err(CommitError::Conflict)));
    store.commit(begin(&snapshot).put(&key("x"), "2")).await.unwrap();
    assert_eq!(get(&store, &key("x")).as_deref(), Some("2"));
}

#[tokio::test]
async fn reads_without_writes_are_checked_and_change_nothing() {
    let store = Store::in_memory();
    let asks = begin(&store.snapshot().unwrap()).read(&key("x"));
    let before = store.commit(asks.clone()).await.unwrap();
    assert_eq!(store.snapshot().unwrap().revision(), before);
    put(&store, &key("x"), "1").await.unwrap();
    assert!(matches!(store.commit(asks).await, Err(CommitError::Conflict)));
}

#[tokio::test]
async fn a_snapshot_stays_as_it_was() {
    let store = Store::in_memory();
    for name in ["x", "~x"] {
        put(&store, &key(name), "1").await.unwrap();
    }
    let snapshot = store.snapshot().unwrap();
    for name in ["x", "~x"] {
        put(&store, &key(name), "2").await.unwrap();
        assert_eq!(snapshot.get(&key(name)).unwrap().as_deref(), Some(&b"1"[..]), "{name}");
        assert_eq!(get(&store, &key(name)).as_deref(), Some("2"), "{name}");
    }
}

#[tokio::test]
async fn exactly_one_of_many_wins_a_key() {
    for name in ["output/1", "~output/1"] {
        let store = Store::in_memory();
        let wins = race(&store, &key(name), 50).await;
        assert_eq!(wins.len(), 1, "{name}");
        assert_eq!(get(&store, &key(name)), Some(wins[0].to_string()), "{name}");
    }
}

#[tokio::test]
async fn numbers_without_gaps_come_from_a_key() {
    let store = Store::in_memory();
    let tasks: Vec<_> = (0..20).map(|_| tokio::spawn(increment(store.clone(), key("number")))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(get(&store, &key("number")).as_deref(), Some("20"));
}

#[tokio::test]
async fn who_commits_alone_cannot_lose() {
    let store = Arc::new(Store::in_memory());
    let flood: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for value in 0..50 {
                    put(&store, &key("hot"), &value.to_string()).await.unwrap();
                }
            })
        })
        .collect();
    for _ in 0..10 {
        let alone = store.exclusive().await;
        let snapshot = alone.snapshot().unwrap();
        snapshot.get(&key("hot")).unwrap();
        tokio::task::yield_now().await;
        alone.commit(begin(&snapshot).read(&key("hot")).put(&key("hot"), "alone")).await.unwrap();
    }
    for task in flood {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn totals_never_conflict() {
    let store = Store::in_memory();
    let likes = of("mix", Collection::Total, "likes");
    let snapshot = store.snapshot().unwrap();
    for delta in [5, -2, 4] {
        let mut transaction = begin(&snapshot).read(&likes);
        transaction.totals.insert(likes.clone(), delta);
        store.commit(transaction).await.unwrap();
    }
    assert_eq!((snapshot.total(&likes).unwrap(), store.snapshot().unwrap().total(&likes).unwrap()), (0, 7));

    let mut cleared = Transaction::default();
    cleared.writes.insert(likes.clone(), None);
    cleared.totals.insert(likes.clone(), 1);
    store.commit(cleared).await.unwrap();
    assert_eq!(store.snapshot().unwrap().total(&likes).unwrap(), 1, "cleared, then added to");
}

#[tokio::test]
async fn only_intents_and_alarms_wake_the_watchers() {
    let store = Store::in_memory();
    let mut revisions = store.revisions();
    for (collection, want) in [
        (Collection::Data, false),
        (Collection::Total, false),
        (Collection::Mixer, true),
        (Collection::Egress, true),
        (Collection::Address, true),
        (Collection::Alarm, true),
    ] {
        revisions.mark_unchanged();
        put(&store, &of("mix", collection, "x"), "{}").await.unwrap();
        assert_eq!(revisions.has_changed().unwrap(), want, "{collection:?}");
    }
}

enum Read {
    Key(Key),
    Range(Range),
}

impl Read {
    fn into_transaction(self, store: &Store) -> Transaction {
        let mut transaction = begin(&store.snapshot().unwrap());
        match self {
            Self::Key(key) => transaction.reads.keys.insert(key),
            Self::Range(range) => transaction.reads.ranges.insert(range),
        };
        transaction
    }
}

/// Everybody sees the key free and takes it.
async fn race(store: &Store, key: &Key, count: u32) -> Vec<u32> {
    let snapshot = store.snapshot().unwrap();
    let tasks: Vec<_> = (0..count)
        .map(|who| {
            let (store, transaction) = (store.clone(), begin(&snapshot).read(key).put(key, &who.to_string()));
            tokio::spawn(async move { store.commit(transaction).await })
        })
        .collect();
    let mut wins = Vec::new();
    for (who, task) in (0..).zip(tasks) {
        match task.await.unwrap() {
            Ok(_) => wins.push(who),
            Err(error) => assert!(matches!(error, CommitError::Conflict)),
        }
    }
    wins
}

async fn increment(store: Store, key: Key) {
    loop {
        let snapshot = store.snapshot().unwrap();
        let old = snapshot.get(&key).unwrap().map_or(0, |bytes| String::from_utf8(bytes).unwrap().parse().unwrap());
        let next: u32 = old + 1;
        match store.commit(begin(&snapshot).read(&key).put(&key, &next.to_string())).await {
            Ok(_) => return,
            Err(error) => assert!(matches!(error, CommitError::Conflict)),
        }
    }
}
