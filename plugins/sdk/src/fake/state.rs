//! What the fake host remembers, and the thread's host while a call runs.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::bindings::heliu::personality::types::Noun;
use crate::bindings::heliu::personality::{addresses, egresses, mixers, status};

thread_local! {
    static CURRENT: RefCell<Option<State>> = const { RefCell::new(None) };
}

/// Runs `code` with this state as the thread's host.
pub(super) fn within<T>(state: State, code: impl FnOnce() -> T) -> (T, State) {
    let former = CURRENT.replace(Some(state));
    let value = code();
    let state = CURRENT.replace(former).expect("it was put there above");
    (value, state)
}

/// The thread's host.
///
/// # Panics
/// No call runs: the SDK works inside `FakeHost::within` and its sisters only.
pub(super) fn current<T>(look: impl FnOnce(&mut State) -> T) -> T {
    CURRENT.with_borrow_mut(|state| look(state.as_mut().expect("the SDK is used within a call of a FakeHost")))
}

/// What a transaction can change.
#[derive(Debug, Clone, Default)]
pub(super) struct Data {
    pub(super) records: BTreeMap<String, Record>,
    pub(super) mixers: BTreeMap<String, mixers::Mixer>,
    pub(super) egresses: BTreeMap<String, egresses::Egress>,
    pub(super) addresses: BTreeMap<String, addresses::Address>,
    pub(super) alarms: BTreeMap<String, AlarmRecord>,
}

#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) value: Vec<u8>,
    pub(super) expires: Option<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct AlarmRecord {
    pub(super) due: u64,
    pub(super) key: Option<String>,
    pub(super) payload: String,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) committed: Data,
    pub(super) open: Data,
    pub(super) now_ms: u64,
    pub(super) random: u64,
    pub(super) config: String,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) own_authorities: Vec<String>,
    pub(super) denied_urls: Vec<String>,
    pub(super) mixers_max: Option<usize>,
    pub(super) publications: BTreeMap<String, Vec<status::Publication>>,
    pub(super) log: Vec<String>,
    jobs: BTreeMap<String, status::Job>,
}

impl State {
    pub(super) fn commit(&mut self) {
        self.committed = self.open.clone();
    }

    pub(super) fn roll_back(&mut self) {
        self.open = self.committed.clone();
    }

    pub(super) fn forget_volatile(&mut self) {
        self.open.records.retain(|key, _| !key.starts_with('~'));
        self.publications.clear();
        self.commit();
    }

    /// Records whose key begins so, without those that have expired.
    pub(super) fn records(&self, prefix: &str) -> impl DoubleEndedIterator<Item = (&String, &Record)> {
        let is_there = |record: &Record| record.expires.is_none_or(|expires| expires > self.now_ms);
        self.open.records.iter().filter(move |(key, record)| key.starts_with(prefix) && is_there(record))
    }

    pub(super) fn take_due(&mut self, until: u64) -> Option<(String, AlarmRecord)> {
        let due = self.open.alarms.iter().filter(|(_, alarm)| alarm.due <= until);
        let name = due.min_by_key(|(_, alarm)| alarm.due).map(|(name, _)| name.clone())?;
        let alarm = self.open.alarms.remove(&name)?;
        self.commit();
        Some((name, alarm))
    }

    pub(super) fn set_job(&mut self, noun: Noun, id: &str, state: status::State, retries: u32, detail: &str) {
        let (id, detail) = (id.to_owned(), detail.to_owned());
        let job = status::Job { id, state, since: self.now_ms, retries, detail };
        self.jobs.insert(job_key(noun, &job.id), job);
    }

    /// What is wished runs, if the test has not said otherwise.
    pub(super) fn job(&self, noun: Noun, id: &str) -> Option<status::Job> {
        let is_wished = match noun {
            Noun::Mixer => self.committed.mixers.contains_key(id),
            Noun::Egress => self.committed.egresses.contains_key(id),
            Noun::Publication | Noun::Subscription | Noun::Session | Noun::Ingest | Noun::Recording => false,
        };
        let running = || status::Job {
            id: id.to_owned(),
            state: status::State::Running,
            since: self.now_ms,
            retries: 0,
            detail: String::new(),
        };
        is_wished.then(|| self.jobs.get(&job_key(noun, id)).cloned().unwrap_or_else(running))
    }
}

/// Does an event's kind fit `publication.*`, `publication.started` or `*`?
pub(super) fn fits(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(begin) => kind.starts_with(begin),
        None => pattern == kind,
    }
}

fn job_key(noun: Noun, id: &str) -> String {
    format!("{noun:?}/{id}")
}
