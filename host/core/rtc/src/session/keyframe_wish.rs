//! Wishes for keyframes: many may ask at once, the publisher is asked now and then.

use std::time::{Duration, Instant};

/// A keyframe takes a few pictures' time to come; who asks more often gets no more of them.
const INTERVAL: Duration = Duration::from_millis(300);

/// Whether a keyframe is wanted, and when one was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyframeWish {
    is_wanted: bool,
    asked_at: Option<Instant>,
}

impl KeyframeWish {
    /// Somebody wants one.
    pub fn note(&mut self) {
        self.is_wanted = true;
    }

    /// One came.
    pub fn fulfil(&mut self) {
        self.is_wanted = false;
    }

    /// Is it time to ask? Then it has been asked.
    pub fn poll(&mut self, now: Instant) -> bool {
        let is_due = self.is_wanted && self.asked_at.is_none_or(|at| at + INTERVAL <= now);
        if is_due {
            *self = Self { is_wanted: false, asked_at: Some(now) };
        }
        is_due
    }

    /// When it is time to ask again.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.asked_at.filter(|_| self.is_wanted).map(|at| at + INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_wishes_are_asked_once_an_interval() {
        let (mut wish, start) = (KeyframeWish::default(), Instant::now());
        let mut asked = Vec::new();
        for millis in 0..1_000 {
            let now = start + Duration::from_millis(millis);
            wish.note();
            if wish.poll(now) {
                asked.push(millis);
            }
        }
        assert_eq!(asked, [0, 300, 600, 900]);
        assert_eq!(wish.poll_timeout(), Some(start + Duration::from_millis(1_200)));
        wish.fulfil();
        assert_eq!((wish.poll_timeout(), wish.poll(start + Duration::from_secs(9))), (None, false));
    }
}
