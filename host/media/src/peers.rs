//! How much each client holds of something that strangers share, so that none of them takes all.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use heliu_model::Network;

/// Who is inside, by [`Network`]. Clones share it.
#[derive(Debug, Clone)]
pub struct Peers {
    inside: Arc<Mutex<BTreeMap<Network, usize>>>,
    each_max: usize,
}

/// One of them; leaves when dropped.
#[derive(Debug)]
pub struct Visit(Peers, Network);

impl Peers {
    /// So many of each.
    #[must_use]
    pub fn new(each_max: usize) -> Self {
        Self { inside: Arc::default(), each_max }
    }

    /// Lets one more in; `None`: that client has its share.
    #[must_use]
    pub fn enter(&self, ip: IpAddr) -> Option<Visit> {
        let network = ip.into();
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let count = inside.entry(network).or_default();
        if *count >= self.each_max {
            return None;
        }
        *count += 1;
        Some(Visit(self.clone(), network))
    }

    /// Is nobody inside?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let Self(peers, network) = self;
        let mut inside = peers.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                inside.remove(network);
            }
        }
    }
}
