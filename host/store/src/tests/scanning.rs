//! Order, pages, expiry.

use heliu_model::{Namespace, Timestamp};

use super::{begin, get, key, of, put};
use crate::tests::medium::Medium;
use crate::{Collection, Scan, Store, Transaction, Value};

#[tokio::test]
async fn a_scan_pages_in_both_directions_over_disk_and_memory() {
    let store = filled(&["a/1", "a/2", "a/3", "b", "~m/1", "~m/2", "é"]).await;
    for (what, prefix, after, skip, limit, reverse, want) in [
        ("all", "", None, 0, 99, false, &["a/1", "a/2", "a/3", "b", "~m/1", "~m/2", "é"][..]),
        ("all, backwards", "", None, 0, 99, true, &["é", "~m/2", "~m/1", "b", "a/3", "a/2", "a/1"]),
        ("a prefix", "a/", None, 0, 99, false, &["a/1", "a/2", "a/3"]),
        ("behind a name", "a/", Some("a/1"), 0, 99, false, &["a/2", "a/3"]),
        ("behind a name that is not there", "a/", Some("a/11"), 0, 99, false, &["a/2", "a/3"]),
        ("before a name", "a/", Some("a/3"), 0, 99, true, &["a/2", "a/1"]),
        ("behind the last", "a/", Some("a/3"), 0, 99, false, &[]),
        ("behind the whole prefix", "a/", Some("z"), 0, 99, false, &[]),
        ("before the whole prefix", "b", Some("a"), 0, 99, true, &[]),
        ("the second page", "a/", None, 2, 2, false, &["a/3"]),
        ("nothing wanted", "a/", None, 0, 0, false, &[]),
        ("memory only", "~m/", None, 0, 1, true, &["~m/2"]),
    ] {
        let namespace = key("").namespace;
        let scan = Scan { namespace: &namespace, collection: Collection::Data, prefix, after, skip, limit, reverse };
        assert_eq!(names(&store, &scan), want, "{what}");
    }
    let count = |prefix| store.snapshot().unwrap().count(&key("").namespace, Collection::Data, prefix).unwrap();
    assert_eq!((count(""), count("a/"), count("~"), count("x")), (7, 3, 2, 0));
}

#[tokio::test]
async fn a_scan_stops_at_a_mebibyte_but_gives_at_least_one() {
    let store = Store::in_memory();
    for name in ["a", "b", "c"] {
        put(&store, &key(name), &"x".repeat(600_000)).await.unwrap();
    }
    let namespace = key("").namespace;
    assert_eq!(names(&store, &Scan::prefix(&namespace, Collection::Data, "")), ["a"]);
    put(&store, &key("a"), &"x".repeat(1 << 20)).await.unwrap();
    assert_eq!(names(&store, &Scan::prefix(&namespace, Collection::Data, "")), ["a"]);
}

#[tokio::test]
async fn a_collection_of_all_namespaces_is_read_at_once() {
    let store = Store::in_memory();
    for namespace in ["other", "mix"] {
        put(&store, &of(namespace, Collection::Mixer, "m"), namespace).await.unwrap();
        put(&store, &of(namespace, Collection::Egress, "e"), namespace).await.unwrap();
    }
    let snapshot = store.snapshot().unwrap();
    let found: Vec<Namespace> =
        snapshot.everywhere(Collection::Mixer).unwrap().map(|entry| entry.unwrap().0.namespace).collect();
    assert_eq!(found, ["mix".parse().unwrap(), "other".parse().unwrap()]);
}

#[tokio::test]
async fn an_expired_record_is_gone_from_every_read() {
    let store = Store::in_memory();
    for name in ["a", "~a"] {
        put_until(&store, name, Timestamp(u64::MAX - 10)).await;
        for (what, now, want) in
            [("before", u64::MAX - 11, true), ("at its time", u64::MAX - 10, false), ("after", u64::MAX - 9, false)]
        {
            let snapshot = store.snapshot_at(Timestamp(now)).unwrap();
            let namespace = key(name).namespace;
            let scanned = snapshot.scan(&Scan::prefix(&namespace, Collection::Data, name)).unwrap();
            let count = snapshot.count(&namespace, Collection::Data, name).unwrap();
            assert_eq!(snapshot.get(&key(name)).unwrap().is_some(), want, "{name} {what}");
            assert_eq!((scanned.len(), count), (usize::from(want), u32::from(want)), "{name} {what}");
        }
    }
}

#[tokio::test]
async fn expired_records_are_swept_and_renewed_ones_are_not() {
    let medium = Medium::default();
    let store = medium.open().unwrap();
    for name in ["a", "~a", "b", "~b"] {
        put_until(&store, name, Timestamp(1)).await;
    }
    for name in ["b", "~b"] {
        put(&store, &key(name), "stays").await.unwrap();
    }
    put(&store, &key("c"), "sweeps").await.unwrap();
    let long_ago = store.snapshot_at(Timestamp(0)).unwrap();
    for (name, want) in [("a", false), ("~a", false), ("b", true), ("~b", true)] {
        assert_eq!(long_ago.get(&key(name)).unwrap().is_some(), want, "{name}");
    }
    assert_eq!(get(&store, &key("b")).as_deref(), Some("stays"));
}

async fn filled(names: &[&str]) -> Store {
    let store = Store::in_memory();
    let transaction =
        names.iter().fold(begin(&store.snapshot().unwrap()), |transaction, name| transaction.put(&key(name), name));
    store.commit(transaction).await.unwrap();
    store
}

fn names(store: &Store, scan: &Scan<'_>) -> Vec<String> {
    store.snapshot().unwrap().scan(scan).unwrap().into_iter().map(|(name, _)| name).collect()
}

async fn put_until(store: &Store, name: &str, expires: Timestamp) {
    let mut transaction = Transaction::default();
    transaction.writes.insert(key(name), Some(Value { bytes: b"x".to_vec(), expires: Some(expires) }));
    store.commit(transaction).await.unwrap();
}
