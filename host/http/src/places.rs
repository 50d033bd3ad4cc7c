//! Who is connected: bounds of all listeners together and of each client, and what is refused there.
//!
//! A viewer of media gives its place back when its stream begins: how many of them there are is the media
//! plane's bound, and a crowd of them keeps nobody out of the REST APIs.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use heliu_media::{Peers, Visit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Config, Stats};

/// Shared by all listeners.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    peers: Peers,
    stats: Stats,
}

/// One connection's place. Clones share it; it is free when the last one is dropped, or when one of them
/// gives it back.
#[derive(Debug, Clone)]
pub(crate) struct Place(Arc<Mutex<Option<(OwnedSemaphorePermit, Visit)>>>);

/// Why a connection is closed as soon as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowded {
    /// All places are taken.
    Full,
    /// This client has its share of them.
    Peer,
}

impl Places {
    /// As the configuration says; who is refused is counted.
    pub(crate) fn new(config: &Config, stats: Stats) -> Self {
        let all = Arc::new(Semaphore::new(config.connections_max));
        Self { all, peers: Peers::new(config.connections_per_peer_max), stats }
    }

    /// Lets a client in, if there is room.
    pub(crate) fn enter(&self, ip: IpAddr) -> Result<Place, Crowded> {
        let entered = self.find(ip);
        if let Err(crowded) = entered {
            self.stats.note_crowded(crowded);
        }
        entered
    }

    fn find(&self, ip: IpAddr) -> Result<Place, Crowded> {
        let visit = self.peers.enter(ip).ok_or(Crowded::Peer)?;
        let permit = self.all.clone().try_acquire_owned().map_err(|_| Crowded::Full)?;
        Ok(Place(Arc::new(Mutex::new(Some((permit, visit))))))
    }
}

impl Place {
    /// Somebody else may have it.
    pub(crate) fn give_back(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_more_than_his_share_and_who_is_refused_is_counted() {
        let stats = Stats::default();
        let config = Config { connections_max: 3, connections_per_peer_max: 2, ..Config::default() };
        let places = Places::new(&config, stats.clone());
        let [greedy, other] = [1, 2].map(|last| IpAddr::from([10, 0, 0, last]));
        let inside = [places.enter(greedy).unwrap(), places.enter(greedy).unwrap()];
        assert_eq!(places.enter(greedy).unwrap_err(), Crowded::Peer);
        let viewer = places.enter(other).unwrap();
        assert_eq!(places.enter(other).unwrap_err(), Crowded::Full);
        viewer.give_back();
        let next = places.enter(other).unwrap();
        assert!(places.enter(other).is_err(), "the viewer's place is taken");
        drop((inside, next));
        assert!(places.enter(greedy).is_ok() && places.peers.is_empty(), "nothing is kept of who left");
        assert_eq!(stats.crowded(), [("full", 2), ("peer", 1)]);
    }
}
