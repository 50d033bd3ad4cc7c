//! How many clients may be inside, and how many of them undecided: bounds of all RTMP listeners
//! together.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connections::{Connections, Counts, Dismissal};
use crate::peers::{Peers, Visit};

/// Connections in all, decided or not, over every RTMP listener.
pub const CONNECTIONS_MAX: usize = 8_192;
const UNDECIDED_MAX: usize = 1_024;
/// Of one client: no stranger alone closes the door.
const UNDECIDED_PER_PEER_MAX: usize = 64;

/// The bounds. Clones share them.
#[derive(Debug, Clone)]
pub struct Doors {
    places: Arc<Semaphore>,
    undecided: Arc<Semaphore>,
    peers: Peers,
    counts: Arc<Counts>,
}

/// A client that was let in.
#[derive(Debug)]
pub struct Entry {
    /// Its place among all, as long as it is connected.
    pub place: OwnedSemaphorePermit,
    /// Its place among the undecided, until it is decided.
    pub undecided: Undecided,
}

/// A place among the undecided; leaves when dropped.
#[derive(Debug)]
pub struct Undecided {
    _permit: OwnedSemaphorePermit,
    _visit: Visit,
}

impl Default for Doors {
    fn default() -> Self {
        let bound = |count| Arc::new(Semaphore::new(count));
        Self {
            places: bound(CONNECTIONS_MAX),
            undecided: bound(UNDECIDED_MAX),
            peers: Peers::new(UNDECIDED_PER_PEER_MAX),
            counts: Arc::default(),
        }
    }
}

impl Doors {
    /// Lets a client in, if there is room.
    pub fn enter(&self, ip: IpAddr) -> Option<Entry> {
        self.counts.note_came();
        let entry = self.find_room(ip);
        if entry.is_none() {
            self.note(Dismissal::Full);
        }
        entry
    }

    /// A client that was let in came to nothing.
    pub fn note(&self, dismissal: Dismissal) {
        self.counts.note(dismissal);
    }

    /// Who is inside, and what became of the others.
    pub fn read(&self) -> Connections {
        self.counts.read(CONNECTIONS_MAX.saturating_sub(self.places.available_permits()))
    }

    fn find_room(&self, ip: IpAddr) -> Option<Entry> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        let permit = self.undecided.clone().try_acquire_owned().ok()?;
        let undecided = Undecided { _permit: permit, _visit: self.peers.enter(ip)? };
        Some(Entry { place, undecided })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_fills_its_own_share_only_whatever_addresses_it_takes() {
        let doors = Doors::default();
        let greedy_at = |at: usize| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::try_from(at).unwrap()]);
        let (greedy, other) = (greedy_at(9_999), IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, 1]));
        let mut inside: Vec<Entry> =
            (0..UNDECIDED_PER_PEER_MAX).map(|at| doors.enter(greedy_at(at)).unwrap()).collect();
        assert!(doors.enter(greedy).is_none());
        assert!(doors.enter(other).is_some(), "others come in");
        let Entry { place, undecided } = inside.pop().unwrap();
        drop(undecided);
        assert!(doors.enter(greedy).is_some(), "a decided one makes room");
        drop((place, inside));
        assert!(doors.peers.is_empty(), "nothing is kept of who left");
    }

    #[test]
    fn who_came_is_counted_with_what_became_of_him() {
        let doors = Doors::default();
        let address = IpAddr::from([10, 0, 0, 1]);
        let mut inside: Vec<Entry> = (0..UNDECIDED_PER_PEER_MAX).map(|_| doors.enter(address).unwrap()).collect();
        assert!(doors.enter(address).is_none());
        drop(inside.pop());
        doors.note(Dismissal::Late);
        let Connections { open, came, dismissed } = doors.read();
        assert_eq!((open, came), (UNDECIDED_PER_PEER_MAX as u64 - 1, UNDECIDED_PER_PEER_MAX as u64 + 1));
        let causes: Vec<_> = dismissed.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(causes, [("full", 1), ("late", 1)]);
    }

    #[test]
    fn all_together_have_bounds() {
        let doors = Doors::default();
        let address = |n: usize| IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
        let undecided: Vec<Entry> = (0..UNDECIDED_MAX).map(|n| doors.enter(address(n)).unwrap()).collect();
        assert!(doors.enter(address(UNDECIDED_MAX)).is_none(), "too many undecided");
        let mut places: Vec<_> = undecided.into_iter().map(|entry| entry.place).collect();
        places.extend((0..CONNECTIONS_MAX - UNDECIDED_MAX).map(|n| doors.enter(address(n)).unwrap().place));
        assert!(doors.enter(address(0)).is_none(), "too many in all");
        places.pop();
        assert!(doors.enter(address(0)).is_some());
    }
}
