//! Seeded lives of a store on a disk that fails, loses what was not synced and tears what it was
//! writing, beside a model of what was acknowledged.
//!
//! `HELIU_STORE_RUNS` says how many seeds; a failure names its own.

use std::collections::BTreeMap;

use super::medium::{Chance, Medium};
use super::{key, of};
use crate::key::COLLECTIONS;
use crate::{Collection, CommitError, Key, OpenError, ReadError, Store, Transaction, Value};

/// What fits beside the other tests.
const RUNS: u64 = 64;
/// Crashes of one run.
const LIVES: u32 = 3;
const STEPS: u32 = 20;

#[tokio::test]
async fn after_any_crash_exactly_the_acknowledged_is_there() {
    for seed in 0..runs() {
        let mut run = Run::new(seed);
        for _ in 0..LIVES {
            run.live().await;
            run.crash();
        }
    }
}

#[tokio::test]
async fn a_turned_bit_is_refused_or_harmless_and_never_another_value() {
    let mut refused = 0;
    for seed in 0..runs() {
        let mut run = Run::new(seed);
        run.live().await;
        run.crash();
        refused += u32::from(run.rot());
    }
    assert!(refused > 0, "some bit mattered");
}

#[tokio::test]
async fn a_record_torn_in_a_closed_file_stops_the_start_with_its_name() {
    for (what, old, new, want) in [
        ("its value", &b"the right value"[..], &b"the wrong value"[..], "the record Data mix/task/7 is damaged"),
        ("its key", b"mix\0task/7", b"mix\0task/9", "the record Data mix/task/9 is damaged"),
        ("its namespace", b"mix\0task/7", b"MIX\0task/7", "the store holds a record whose key cannot be read"),
    ] {
        let medium = Medium::default();
        let store = medium.open().unwrap();
        super::put(&store, &key("task/7"), "the right value").await.unwrap();
        super::put(&store, &key("task/8"), "another").await.unwrap();
        drop(store);
        medium.overwrite(old, new);
        let error = medium.open().unwrap_err();
        assert!(matches!(error, OpenError::DamagedRecord { .. }), "{what}: {error:?}");
        let sentence = format!("medium cannot be used: {want}; restore it from a backup or move it away");
        assert_eq!(error.to_string(), sentence, "{what}");
    }
}

type Content = BTreeMap<Key, Vec<u8>>;

/// One disk, the store on it, and what it must hold.
struct Run {
    seed: u64,
    chance: Chance,
    medium: Medium,
    store: Store,
    acknowledged: Content,
    /// What also may be: a commit whose sync failed.
    in_doubt: Option<Content>,
    number: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let medium = Medium::default();
        let store = medium.open().unwrap();
        let chance = Chance::seeded(seed);
        Self { seed, chance, medium, store, acknowledged: Content::new(), in_doubt: None, number: 0 }
    }

    /// Commits until the disk fails; sometimes it recovers and the same store goes on.
    async fn live(&mut self) {
        self.medium.fail_after(Some(self.chance.below(150)));
        for _ in 0..STEPS {
            if self.step().await {
                continue;
            }
            if self.chance.below(2) == 0 {
                return;
            }
            self.medium.fail_after(None);
            self.settle("the disk came back");
            self.medium.fail_after(Some(self.chance.below(150)));
        }
    }

    /// False: the disk has failed.
    async fn step(&mut self) -> bool {
        if self.chance.below(8) == 0 {
            return self.count().await;
        }
        let mut after = self.acknowledged.clone();
        let transaction = self.transaction(&mut after);
        match self.store.commit(transaction).await {
            Ok(_) => self.acknowledged = after,
            Err(CommitError::Disk(_)) => {
                self.in_doubt = Some(after);
                return false;
            }
            Err(error) => panic!("seed {}: {error}", self.seed),
        }
        assert_eq!(content(&self.store), self.acknowledged, "seed {}: seen at once", self.seed);
        true
    }

    async fn count(&mut self) -> bool {
        match self.store.next(&of("mix", Collection::Sequence, "id")).await {
            Ok(number) => {
                assert!(number > self.number, "seed {}: {number} again", self.seed);
                self.number = number;
                true
            }
            Err(error) => {
                assert!(matches!(error, CommitError::Disk(_)), "seed {}: {error}", self.seed);
                false
            }
        }
    }

    fn transaction(&mut self, after: &mut Content) -> Transaction {
        let mut transaction = Transaction::default();
        for _ in 0..=self.chance.below(4) {
            let namespace = ["mix", "other"][self.chance.below(2) as usize];
            let collection = [Collection::Data, Collection::Mixer, Collection::Alarm][self.chance.below(3) as usize];
            let key = of(namespace, collection, &self.chance.below(6).to_string());
            let value = self.value();
            match &value {
                Some(value) => drop(after.insert(key.clone(), value.clone())),
                None => drop(after.remove(&key)),
            }
            transaction.writes.insert(key, value.map(Value::new));
        }
        transaction
    }

    /// `None` deletes; long ones make the file's tree split and merge.
    fn value(&mut self) -> Option<Vec<u8>> {
        let fill = self.chance.below(256) as u8;
        match self.chance.below(8) {
            0 | 1 => None,
            2 => Some(vec![fill; self.chance.below(20_000) as usize]),
            _ => Some(vec![fill; self.chance.below(40) as usize]),
        }
    }

    fn crash(&mut self) {
        self.medium = self.medium.crashed(&mut self.chance);
        self.store = self.medium.open().unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
        self.settle("a crash");
    }

    /// The doubt ends: one of both is true, and stays so.
    fn settle(&mut self, what: &str) {
        let found = wait_until_open(&self.store);
        let is_there = found == self.acknowledged || self.in_doubt.as_ref() == Some(&found);
        assert!(is_there, "seed {}: after {what}: {found:?}", self.seed);
        self.acknowledged = found;
        self.in_doubt = None;
    }

    /// Turns a bit of the closed file. True: that was noticed.
    fn rot(mut self) -> bool {
        drop(self.store);
        self.medium.turn_a_bit(&mut self.chance);
        let store = match self.medium.open() {
            Ok(store) => store,
            Err(error) => {
                assert!(error.to_string().starts_with("medium "), "seed {}: {error}", self.seed);
                return true;
            }
        };
        assert_eq!(content(&store), self.acknowledged, "seed {}: what opens is as it was", self.seed);
        false
    }
}

fn runs() -> u64 {
    std::env::var("HELIU_STORE_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS)
}

/// All that plugins put.
fn content(store: &Store) -> Content {
    try_content(store).unwrap()
}

fn try_content(store: &Store) -> Result<Content, ReadError> {
    let snapshot = store.snapshot()?;
    let mut content = Content::new();
    for collection in COLLECTIONS.into_iter().filter(|collection| *collection != Collection::Sequence) {
        for entry in snapshot.everywhere(collection)? {
            let (key, record) = entry?;
            content.insert(key, record.bytes.to_vec());
        }
    }
    Ok(content)
}

/// A reader who finds no store asks for it; it comes back behind his back.
fn wait_until_open(store: &Store) -> Content {
    for _ in 0..60_000 {
        match try_content(store) {
            Ok(content) => return content,
            Err(ReadError::Disk(_)) => std::thread::sleep(std::time::Duration::from_millis(1)),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the store did not open again")
}
