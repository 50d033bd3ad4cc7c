//! Which publication of this host is made from which: what a push into ourselves is checked against.
//!
//! A relay copies a publication into another room; a mixer makes one of every participant of its room.
//! A relay that would feed what it is fed from, over any number of rooms, is refused. Of several that
//! close a circle together the one that came last ends: the others look at older ones only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use heliu_model::{MixerId, PublicationId, RoomId};

/// A publication and its room.
pub type Place = (RoomId, PublicationId);

/// All relays and mixers of this host.
#[derive(Debug, Default)]
pub struct Flows(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    mixes: BTreeMap<MixerId, Place>,
    relays: BTreeMap<u64, Relay>,
    last: u64,
}

#[derive(Debug)]
struct Relay {
    from: Vec<Place>,
    to: Place,
}

/// A relay's entry; it leaves when dropped.
#[derive(Debug)]
pub struct Flow<'a> {
    flows: &'a Flows,
    number: u64,
}

impl Flows {
    /// A mixer makes this publication.
    pub fn put_mixer(&self, id: MixerId, makes: Place) {
        self.lock().mixes.insert(id, makes);
    }

    /// A mixer is gone.
    pub fn remove_mixer(&self, id: &MixerId) {
        self.lock().mixes.remove(id);
    }

    /// A relay begins. It may be a loop: ask it.
    pub fn put_relay(&self, from: Vec<Place>, to: Place) -> Flow<'_> {
        let mut known = self.lock();
        known.last += 1;
        let number = known.last;
        known.relays.insert(number, Relay { from, to });
        Flow { flows: self, number }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flow<'_> {
    /// Its sources have changed.
    pub fn take_from(&self, from: Vec<Place>) {
        if let Some(relay) = self.flows.lock().relays.get_mut(&self.number) {
            relay.from = from;
        }
    }

    /// Would what it delivers come back to where it is taken from?
    pub fn is_loop(&self) -> bool {
        self.flows.lock().is_loop(self.number)
    }
}

impl Drop for Flow<'_> {
    fn drop(&mut self) {
        self.flows.lock().relays.remove(&self.number);
    }
}

impl Known {
    /// Walks from the sources of a relay against the stream.
    fn is_loop(&self, number: u64) -> bool {
        let Some(Relay { from, to }) = self.relays.get(&number) else { return false };
        let mut next: Vec<&Place> = from.iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(place) = next.pop() {
            if !seen.insert(place) {
                continue;
            }
            let is_mix = self.mixes.values().any(|mix| mix == place);
            if place == to || (is_mix && place.0 == to.0) {
                return true;
            }
            let older = self.relays.range(..number).map(|(_, relay)| relay);
            let feeds = |relay: &&Relay| relay.to == *place || (is_mix && relay.to.0 == place.0);
            next.extend(older.filter(feeds).flat_map(|relay| &relay.from));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_that_feeds_its_own_source_is_a_loop() {
        let mixes = ["a/mix", "b/mix", "c/mix"];
        for (what, older, relay, want) in [
            ("a mix beside its room", &[][..], ("a/mix", "x/out"), false),
            ("a mix into its own room", &[], ("a/mix", "a/1"), true),
            ("a camera under a second name", &[], ("a/1", "a/2"), false),
            ("onto itself", &[], ("a/1", "a/1"), true),
            ("one mix into the other", &[], ("a/mix", "b/1"), false),
            ("each mix into the other", &[("a/mix", "b/1")], ("b/mix", "a/1"), true),
            ("each camera into the other room", &[("a/1", "b/9")], ("b/1", "a/9"), false),
            ("a camera that is mixed where it came from", &[("a/1", "b/9")], ("b/mix", "a/9"), false),
            ("around three rooms", &[("a/mix", "b/1"), ("b/mix", "c/1")], ("c/mix", "a/1"), true),
            ("through a room without a mixer", &[("a/mix", "x/1")], ("x/1", "a/1"), true),
            ("beside another circle of copies", &[("x/1", "y/1"), ("y/1", "z/1")], ("z/1", "a/1"), false),
        ] {
            let flows = Flows::default();
            for (number, mix) in mixes.iter().enumerate() {
                flows.put_mixer(format!("n/{number}").parse().unwrap(), place(mix));
            }
            let _older: Vec<Flow<'_>> =
                older.iter().map(|(from, to)| flows.put_relay(vec![place(from)], place(to))).collect();
            let flow = flows.put_relay(vec![place(relay.0)], place(relay.1));
            assert_eq!(flow.is_loop(), want, "{what}");
        }
    }

    #[test]
    fn a_mixer_that_comes_later_ends_the_younger_relay_only() {
        let flows = Flows::default();
        let first = flows.put_relay(vec![place("a/mix")], place("b/1"));
        let second = flows.put_relay(vec![place("b/mix")], place("a/1"));
        assert!(!first.is_loop() && !second.is_loop());
        for room in ["a", "b"] {
            flows.put_mixer(format!("n/{room}").parse().unwrap(), place(&format!("{room}/mix")));
        }
        assert!(!first.is_loop() && second.is_loop());
        drop(first);
        assert!(!second.is_loop());
        flows.remove_mixer(&"n/a".parse().unwrap());
    }

    #[test]
    fn other_sources_may_make_or_break_a_loop() {
        let flows = Flows::default();
        flows.put_mixer("n/a".parse().unwrap(), place("a/mix"));
        let flow = flows.put_relay(vec![place("a/1")], place("a/2"));
        assert!(!flow.is_loop());
        flow.take_from(vec![place("a/mix")]);
        assert!(flow.is_loop());
        flow.take_from(vec![place("a/1")]);
        assert!(!flow.is_loop());
    }

    fn place(text: &str) -> Place {
        let (room, publication) = text.split_once('/').unwrap();
        (format!("n/{room}").parse().unwrap(), publication.parse().unwrap())
    }
}
