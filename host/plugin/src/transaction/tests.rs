//! What a call sees of its own writes and others', what it commits, and what it may not.

use heliu_store::{CommitError, Store};

use super::*;

#[tokio::test]
async fn a_call_sees_its_own_writes_over_its_snapshot() {
    let store = store_with(&[("a/1", "old"), ("a/2", "old"), ("b", "old")]).await;
    let mut call = begin(&store);
    call.put(Collection::Data, "a/2", b"new".to_vec(), None).unwrap();
    call.put(Collection::Data, "a/3", b"new".to_vec(), None).unwrap();
    call.put(Collection::Data, "a/4", b"gone".to_vec(), Some(0)).unwrap();
    call.delete(Collection::Data, "a/1").unwrap();

    for (name, want) in [("a/1", None), ("a/2", Some("new")), ("a/3", Some("new")), ("a/4", None), ("b", Some("old"))] {
        assert_eq!(text(call.get(Collection::Data, name).unwrap()).as_deref(), want, "{name}");
    }
    assert_eq!(call.count("a/").unwrap(), 2);
    assert_eq!(names(&mut call, &range("")), ["a/2", "a/3", "b"]);
    call.rollback();
    assert_eq!(names(&mut call, &range("")), ["a/1", "a/2", "b"]);
    assert!(!call.has_writes());
}

#[tokio::test]
async fn scans_page_in_both_directions_through_kept_and_own() {
    let store = store_with(&[("k/1", ""), ("k/3", ""), ("k/5", ""), ("k/7", ""), ("l", "")]).await;
    let mut plain = begin(&store);
    let mut mixed = begin(&store);
    for name in ["k/2", "k/4", "k/9"] {
        mixed.put(Collection::Data, name, vec![], None).unwrap();
    }
    mixed.delete(Collection::Data, "k/5").unwrap();

    for (what, range, kept, merged) in [
        ("all", range("k/"), vec!["k/1", "k/3", "k/5", "k/7"], vec!["k/1", "k/2", "k/3", "k/4", "k/7", "k/9"]),
        ("skip and limit", ScanRange { skip: 1, limit: 2, ..range("k/") }, vec!["k/3", "k/5"], vec!["k/2", "k/3"]),
        ("behind", ScanRange { after: some("k/3"), ..range("k/") }, vec!["k/5", "k/7"], vec!["k/4", "k/7", "k/9"]),
        (
            "backwards",
            ScanRange { reverse: true, limit: 3, ..range("k/") },
            vec!["k/7", "k/5", "k/3"],
            vec!["k/9", "k/7", "k/4"],
        ),
        (
            "backwards before",
            ScanRange { reverse: true, after: some("k/4"), ..range("k/") },
            vec!["k/3", "k/1"],
            vec!["k/3", "k/2", "k/1"],
        ),
        ("nothing", ScanRange { limit: 0, ..range("k/") }, vec![], vec![]),
    ] {
        assert_eq!(names(&mut plain, &range), kept, "{what}, kept only");
        assert_eq!(names(&mut mixed, &range), merged, "{what}, merged");
    }
}

#[tokio::test]
async fn a_scan_is_bounded_by_entries_and_bytes_but_never_empty() {
    let store = Store::in_memory();
    let mut call = begin(&store);
    for at in 0..1_100 {
        call.put(Collection::Data, &format!("n/{at:04}"), vec![], None).unwrap();
    }
    for at in 0..3 {
        call.put(Collection::Data, &format!("big/{at}"), vec![0; 700_000], None).unwrap();
    }
    for what in ["own", "kept"] {
        assert_eq!(call.scan(&range("n/")).unwrap().len(), 1_000, "{what}");
        assert_eq!(call.scan(&range("big/")).unwrap().len(), 1, "{what}");
        store.commit(call.to_commit()).await.unwrap();
        call = begin(&store);
    }
}

#[tokio::test]
async fn what_was_read_must_still_hold_at_commit() {
    type Read = fn(&mut OpenTransaction);
    for (what, read, other, want) in [
        ("a key that changed", (|call| drop(call.get(Collection::Data, "a"))) as Read, "a", true),
        ("a key that appeared", |call| drop(call.get(Collection::Data, "new")), "new", true),
        ("another key", |call| drop(call.get(Collection::Data, "a")), "new", false),
        ("a range", |call| drop(call.scan(&range("n"))), "new", true),
        ("another range", |call| drop(call.count("m")), "new", false),
        ("a count", |call| drop(call.count("")), "new", true),
        ("a clear", |call| drop(call.clear("n")), "new", true),
        ("a total", |call| drop(call.total("new")), "new", false),
        ("a bounded count", |call| drop(call.count_unnoted(Collection::Data, "")), "new", false),
    ] {
        let store = store_with(&[("a", "1")]).await;
        let mut call = begin(&store);
        read(&mut call);
        call.put(Collection::Data, "out", vec![], None).unwrap();
        let mut second = begin(&store);
        second.put(Collection::Data, other, b"2".to_vec(), None).unwrap();
        store.commit(second.to_commit()).await.unwrap();

        let met = matches!(store.commit(call.to_commit()).await, Err(CommitError::Conflict));
        assert_eq!(met, want, "{what}");
    }
}

#[tokio::test]
async fn clear_takes_records_and_totals_of_a_prefix() {
    let store = store_with(&[("a/1", ""), ("a/2", ""), ("b", "")]).await;
    let mut first = begin(&store);
    first.add("a/sum", 5).unwrap();
    first.add("b/sum", 7).unwrap();
    store.commit(first.to_commit()).await.unwrap();

    let mut call = begin(&store);
    call.put(Collection::Data, "a/3", vec![], None).unwrap();
    call.add("a/sum", 1).unwrap();
    assert_eq!(call.total("a/sum").unwrap(), 6);
    call.clear("a/").unwrap();
    call.add("a/sum", 2).unwrap();
    assert_eq!((call.total("a/sum").unwrap(), call.total("b/sum").unwrap()), (2, 7));
    assert_eq!(names(&mut call, &range("")), ["b"]);
    store.commit(call.to_commit()).await.unwrap();

    let mut after = begin(&store);
    assert_eq!((after.total("a/sum").unwrap(), after.total("b/sum").unwrap()), (2, 7));
    assert_eq!(names(&mut after, &range("")), ["b"]);
}

#[tokio::test]
async fn additions_side_by_side_all_count() {
    let store = Store::in_memory();
    let mut calls: Vec<OpenTransaction> = (0..3).map(|_| begin(&store)).collect();
    for call in &mut calls {
        call.add("likes", 1).unwrap();
    }
    for call in &calls {
        store.commit(call.to_commit()).await.unwrap();
    }
    assert_eq!(begin(&store).total("likes").unwrap(), 3);
}

#[test]
fn keys_values_and_transactions_are_bounded() {
    let store = Store::in_memory();
    let mut call = OpenTransaction::new(namespace(), store.snapshot().unwrap(), 3 << 20);
    for (what, name, len, want) in [
        ("no key", "", 0, Some(Error::Invalid("key".into()))),
        ("a long key", &*"k".repeat(513), 0, Some(Error::Invalid("key".into()))),
        ("the longest key", &*"k".repeat(512), 0, None),
        ("a large value", "a", (1 << 20) + 1, Some(Error::Invalid("value".into()))),
        ("the largest value", "a", 1 << 20, None),
        ("another", "b", 1 << 20, None),
        ("one too many", "c", 1 << 20, Some(Error::Exhausted("transaction".into()))),
    ] {
        assert_eq!(call.put(Collection::Data, name, vec![0; len], None).err(), want, "{what}");
    }
    let long = ScanRange { prefix: "k".repeat(513), limit: 1, ..ScanRange::default() };
    assert_eq!(call.scan(&long).err(), Some(Error::Invalid("prefix".into())));
}

async fn store_with(records: &[(&str, &str)]) -> Store {
    let store = Store::in_memory();
    let mut call = begin(&store);
    for (name, value) in records {
        call.put(Collection::Data, name, value.as_bytes().to_vec(), None).unwrap();
    }
    store.commit(call.to_commit()).await.unwrap();
    store
}

fn begin(store: &Store) -> OpenTransaction {
    OpenTransaction::new(namespace(), store.snapshot().unwrap(), 16 << 20)
}

fn namespace() -> Namespace {
    "p".parse().unwrap()
}

fn range(prefix: &str) -> ScanRange {
    ScanRange { prefix: prefix.to_owned(), limit: 1_000, ..ScanRange::default() }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn names(call: &mut OpenTransaction, range: &ScanRange) -> Vec<String> {
    call.scan(range).unwrap().into_iter().map(|(name, _)| name).collect()
}

fn text(bytes: Option<Vec<u8>>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8(bytes).unwrap())
}
