//! How many clients may publish and view at one time: the operator's ceilings over all protocols.
//!
//! A place is taken before anybody is asked, so that a crowd costs no plugin anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use heliu_model::{Direction, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for clients.
#[derive(Debug)]
pub struct Crowd {
    publications: Ceiling,
    viewers: Ceiling,
}

#[derive(Debug)]
struct Ceiling {
    name: &'static str,
    places: Arc<Semaphore>,
    refused: AtomicU64,
}

impl Crowd {
    /// So many of each.
    pub fn new(publications_max: u32, viewers_max: u32) -> Self {
        Self {
            publications: Ceiling::new("publications", publications_max),
            viewers: Ceiling::new("viewers", viewers_max),
        }
    }

    /// A place, for as long as the client is there.
    ///
    /// # Errors
    /// 503: all are taken, which is counted.
    pub fn enter(&self, direction: Direction) -> Result<OwnedSemaphorePermit, Refusal> {
        match direction {
            Direction::Publish => self.publications.enter(),
            Direction::Play => self.viewers.enter(),
        }
    }

    /// Who was refused for want of a place, by what there is too much of.
    pub fn refused(&self) -> [(&'static str, u64); 2] {
        [&self.publications, &self.viewers].map(|ceiling| (ceiling.name, ceiling.refused.load(Ordering::Relaxed)))
    }
}

impl Ceiling {
    fn new(name: &'static str, places_max: u32) -> Self {
        let places = usize::try_from(places_max).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { name, places: Arc::new(Semaphore::new(places)), refused: AtomicU64::new(0) }
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        self.places.clone().try_acquire_owned().map_err(|_| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            Refusal { status: 503, reason: format!("exhausted({})", self.name) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_no_place_is_told_what_there_is_too_much_of() {
        let crowd = Crowd::new(1, 2);
        let publisher = crowd.enter(Direction::Publish).unwrap();
        let viewers = [(); 2].map(|()| crowd.enter(Direction::Play).unwrap());
        for (direction, reason) in
            [(Direction::Publish, "exhausted(publications)"), (Direction::Play, "exhausted(viewers)")]
        {
            let refusal = crowd.enter(direction).unwrap_err();
            assert_eq!((refusal.status, refusal.reason.as_str()), (503, reason));
        }
        assert_eq!(crowd.refused(), [("publications", 1), ("viewers", 1)]);
        drop(publisher);
        assert!(crowd.enter(Direction::Publish).is_ok() && crowd.enter(Direction::Play).is_err());
        drop(viewers);
        assert!(crowd.enter(Direction::Play).is_ok());
    }
}
