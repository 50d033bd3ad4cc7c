//! What was last answered to those who wanted to publish or play, for operators who ask why.
//!
//! Bounded: the last few of each address, and only the addresses asked for last. Without the query:
//! it may hold keys.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use heliu_model::{Address, Attempt, Direction, Grant, Namespace, Refusal, Timestamp};

/// Kept of one address.
const PER_ADDRESS_MAX: usize = 8;
/// Addresses something is kept of; the one asked for longest ago gives way.
const ADDRESSES_MAX: usize = 1_024;
/// Of a refusal's reason, in characters.
const REASON_LEN_MAX: usize = 256;

/// One question and its answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Admission {
    pub(crate) at: Timestamp,
    pub(crate) protocol: &'static str,
    pub(crate) direction: Direction,
    pub(crate) peer: String,
    /// Who answered; `None`: the host, because nobody owns the app.
    pub(crate) plugin: Option<Namespace>,
    pub(crate) answer: Result<Grant, Refusal>,
}

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct Admissions(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    addresses: BTreeMap<Address, Entry>,
    /// Oldest first.
    order: BTreeMap<u64, Address>,
    count: u64,
}

#[derive(Debug, Default)]
struct Entry {
    number: u64,
    admissions: VecDeque<Admission>,
}

impl Admissions {
    pub(crate) fn note(
        &self,
        attempt: &Attempt,
        plugin: Option<Namespace>,
        answer: &Result<Grant, Refusal>,
        at: Timestamp,
    ) {
        let answer = answer.clone().map_err(|Refusal { status, reason }| {
            let reason = reason.chars().take(REASON_LEN_MAX).collect();
            Refusal { status, reason }
        });
        let Attempt { protocol, direction, peer, .. } = attempt.clone();
        let admission = Admission { at, protocol, direction, peer, plugin, answer };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(&attempt.address, admission);
    }

    /// The newest last; empty if nobody has asked lately.
    pub(crate) fn of(&self, address: &Address) -> Vec<Admission> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.addresses.get(address).map(|entry| entry.admissions.iter().cloned().collect()).unwrap_or_default()
    }
}

impl Memory {
    fn add(&mut self, address: &Address, admission: Admission) {
        self.count += 1;
        let entry = self.addresses.entry(address.clone()).or_default();
        self.order.remove(&entry.number);
        self.order.insert(self.count, address.clone());
        entry.number = self.count;
        if entry.admissions.len() == PER_ADDRESS_MAX {
            entry.admissions.pop_front();
        }
        entry.admissions.push_back(admission);
        if self.addresses.len() > ADDRESSES_MAX
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.addresses.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answers_of_the_last_addresses_are_kept() {
        let admissions = Admissions::default();
        for number in 0..ADDRESSES_MAX as u64 {
            note(&admissions, &format!("live/{number}"), number);
        }
        for at in 0..20 {
            note(&admissions, "live/0", 10_000 + at);
        }
        note(&admissions, "live/new", 20_000);

        let kept: Vec<u64> = admissions.of(&address("live/0")).iter().map(|admission| admission.at.0).collect();
        assert_eq!(kept, (10_012..10_020).collect::<Vec<_>>());
        for (text, want) in [("live/1", 0), ("live/2", 1), ("live/new", 1), ("live/never", 0)] {
            assert_eq!(admissions.of(&address(text)).len(), want, "{text}");
        }
    }

    #[test]
    fn a_long_reason_is_cut() {
        let admissions = Admissions::default();
        let refusal = Refusal { status: 403, reason: "x".repeat(10_000) };
        admissions.note(&attempt("live/a"), None, &Err(refusal), Timestamp(1));
        let Err(refusal) = &admissions.of(&address("live/a"))[0].answer else { panic!("it was refused") };
        assert_eq!(refusal.reason.len(), REASON_LEN_MAX);
    }

    fn note(admissions: &Admissions, address: &str, at: u64) {
        let refusal = Refusal { status: 403, reason: "no".into() };
        admissions.note(&attempt(address), None, &Err(refusal), Timestamp(at));
    }

    fn attempt(text: &str) -> Attempt {
        Attempt {
            id: "c1".into(),
            protocol: "rtmp",
            direction: Direction::Publish,
            authority: None,
            address: address(text),
            query: Some("key=secret".into()),
            headers: vec![],
            peer: "10.0.0.1".into(),
        }
    }

    fn address(text: &str) -> Address {
        Address::parse(text).expect("a good one")
    }
}
