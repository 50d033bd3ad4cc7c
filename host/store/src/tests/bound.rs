//! Sizes and shares.

use super::medium::Medium;
use super::{get, key, of, put};
use crate::usage::Ceiling;
use crate::{Collection, CommitError, Transaction};

#[tokio::test]
async fn names_and_values_have_a_largest_size() {
    let store = Medium::default().open().unwrap();
    for (name, value, want) in [
        ("n".repeat(512), 1 << 20, None),
        ("n".repeat(513), 1, Some("a name is longer than 512 bytes")),
        ("n".into(), (1 << 20) + 1, Some("a value is larger than 1048576 bytes")),
    ] {
        let result = put(&store, &key(&name), &"x".repeat(value)).await;
        assert_eq!(result.err().map(|error| error.to_string()).as_deref(), want);
    }
}

#[tokio::test]
async fn a_full_share_refuses_what_grows_and_takes_what_shrinks() {
    let medium = Medium::default();
    let ceiling = Ceiling { disk_bytes_max: 1_000, memory_bytes_max: 1_000 };
    let store = medium.open_below(ceiling).unwrap();
    for (name, is_full) in [("a", is_store_full as fn(&_) -> bool), ("~a", is_memory_full)] {
        put(&store, &key(name), &"x".repeat(600)).await.unwrap();
        let other = key(&format!("{name}/b"));
        assert!(is_full(&put(&store, &other, &"x".repeat(600)).await), "{name}");
        assert_eq!(get(&store, &other), None, "{name}");
        put(&store, &of("zoo", Collection::Data, name), &"x".repeat(600)).await.unwrap();
        put(&store, &key(name), &"x".repeat(100)).await.unwrap();
        put(&store, &other, &"x".repeat(600)).await.unwrap();
    }
    drop(store);

    let store = medium.open_below(Ceiling { disk_bytes_max: 10, ..ceiling }).unwrap();
    assert!(is_store_full(&put(&store, &key("c"), "x").await), "the disk is counted again at open");
    let mut deletion = Transaction::default();
    deletion.writes.insert(key("a"), None);
    store.commit(deletion).await.unwrap();
}

fn is_store_full(result: &Result<(), CommitError>) -> bool {
    matches!(result, Err(CommitError::StoreFull))
}

fn is_memory_full(result: &Result<(), CommitError>) -> bool {
    matches!(result, Err(CommitError::MemoryFull))
}
