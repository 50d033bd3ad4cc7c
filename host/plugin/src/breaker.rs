//! Stops calling a plugin that fails again and again, and tries again after a while.
//!
//! Eight faults in a row, or half of the last 64 calls, open it. Then nobody is let through for a
//! second; after that one call is tried. If it fails as well the wait doubles, up to a minute; if it
//! succeeds all are let through again and the past is forgotten.
//!
//! Not here: which faults are the plugin's own ([`Fault::is_the_plugins`](crate::Fault)).

use std::time::{Duration, Instant};

const FAULTS_IN_A_ROW_MAX: u32 = 8;
/// One bit each, the newest last.
const REMEMBERED: u32 = u64::BITS;
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(60);

/// The breaker of one plugin.
#[derive(Debug)]
pub(crate) struct Breaker {
    state: State,
}

#[derive(Debug)]
enum State {
    Closed(Past),
    Open {
        until: Instant,
        wait: Duration,
    },
    /// One call is under way; `wait` was the last one.
    Trying {
        wait: Duration,
    },
}

/// How the last calls ended.
#[derive(Debug, Default)]
struct Past {
    /// A set bit is a fault.
    ends: u64,
    known: u32,
    in_a_row: u32,
}

/// A call that was let through and has to say how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// One of many.
    Plain,
    /// The one that is tried.
    Try,
}

/// How a call ended, as the breaker sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The plugin did its work.
    Good,
    /// The plugin failed.
    Fault,
    /// Nothing can be said: the client went, the store was full.
    Unknown,
}

/// What changed for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// For so long.
    Open(Duration),
    /// Calls are let through again.
    Closed,
}

impl Breaker {
    /// Lets everybody through.
    pub(crate) fn new() -> Self {
        Self { state: State::Closed(Past::default()) }
    }

    /// May a call go on? `None`: answer it at once.
    pub(crate) fn pass(&mut self, now: Instant) -> Option<Pass> {
        match self.state {
            State::Closed(_) => Some(Pass::Plain),
            State::Open { until, wait } if now >= until => {
                self.state = State::Trying { wait };
                Some(Pass::Try)
            }
            State::Open { .. } | State::Trying { .. } => None,
        }
    }

    /// A call that was let through has ended.
    pub(crate) fn settle(&mut self, pass: Pass, end: End, now: Instant) -> Option<Turned> {
        let wait = match (&mut self.state, pass) {
            (State::Closed(past), Pass::Plain) => {
                past.add(end);
                if !past.is_bad() {
                    return None;
                }
                WAIT_FIRST
            }
            (State::Trying { wait }, Pass::Try) => match end {
                End::Good => {
                    self.state = State::Closed(Past::default());
                    return Some(Turned::Closed);
                }
                End::Fault => (*wait * 2).min(WAIT_MAX),
                End::Unknown => {
                    self.state = State::Open { until: now, wait: *wait };
                    return None;
                }
            },
            // Let through before it opened: what is known already.
            (State::Open { .. } | State::Trying { .. }, Pass::Plain)
            | (State::Closed(_) | State::Open { .. }, Pass::Try) => return None,
        };
        self.state = State::Open { until: now + wait, wait };
        Some(Turned::Open(wait))
    }

    /// Is anybody kept out?
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed(_))
    }
}

impl Past {
    fn add(&mut self, end: End) {
        let is_fault = match end {
            End::Good => false,
            End::Fault => true,
            End::Unknown => return,
        };
        self.ends = self.ends << 1 | u64::from(is_fault);
        self.known = (self.known + 1).min(REMEMBERED);
        self.in_a_row = if is_fault { self.in_a_row + 1 } else { 0 };
    }

    fn is_bad(&self) -> bool {
        let are_half_bad = self.known == REMEMBERED && self.ends.count_ones() >= REMEMBERED / 2;
        self.in_a_row >= FAULTS_IN_A_ROW_MAX || are_half_bad
    }
}

#[cfg(test)]
mod tests {
    use super::End::{Fault, Good, Unknown};
    use super::*;

    #[test]
    fn eight_faults_in_a_row_open_it() {
        let now = Instant::now();
        for (what, ends, want) in [
            ("seven", vec![Fault; 7], None),
            ("eight", vec![Fault; 8], Some(Turned::Open(WAIT_FIRST))),
            ("a good one between", [vec![Fault; 7], vec![Good], vec![Fault; 7]].concat(), None),
            (
                "an unknown one between",
                [vec![Fault; 7], vec![Unknown], vec![Fault]].concat(),
                Some(Turned::Open(WAIT_FIRST)),
            ),
        ] {
            let mut breaker = Breaker::new();
            let turned = ends.into_iter().filter_map(|end| call(&mut breaker, end, now)).next();
            assert_eq!(turned, want, "{what}");
            assert_eq!(breaker.is_open(), want.is_some(), "{what}");
        }
    }

    #[test]
    fn half_of_the_last_64_open_it() {
        let now = Instant::now();
        let ends = |faults: usize| (0..64).map(move |at| if at % 2 == 0 && at / 2 < faults { Fault } else { Good });
        for (what, faults, want) in [("31 of 64", 31, false), ("32 of 64", 32, true)] {
            let mut breaker = Breaker::new();
            let has_turned = ends(faults).filter_map(|end| call(&mut breaker, end, now)).next().is_some();
            assert_eq!(has_turned, want, "{what}");
        }
        let mut breaker = Breaker::new();
        for at in 0..200_000 {
            let end = if at % 6_250 == 0 { Fault } else { Good };
            assert_eq!(call(&mut breaker, end, now), None, "32 among 200 000 are nothing");
        }
    }

    #[test]
    fn one_call_is_tried_after_a_wait_that_doubles_up_to_a_minute() {
        let mut now = Instant::now();
        let mut breaker = open(now);
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let wait = Duration::from_secs(seconds);
            assert_eq!(breaker.pass(now + wait - Duration::from_millis(1)), None, "{seconds} s are not over");
            now += wait;
            assert_eq!(breaker.pass(now), Some(Pass::Try), "after {seconds} s");
            assert_eq!(breaker.pass(now), None, "only one");
            let next = Duration::from_secs((seconds * 2).min(60));
            assert_eq!(breaker.settle(Pass::Try, Fault, now), Some(Turned::Open(next)));
        }
        now += WAIT_MAX;
        assert_eq!(breaker.pass(now), Some(Pass::Try));
        assert_eq!(breaker.settle(Pass::Try, Good, now), Some(Turned::Closed));
        assert_eq!(breaker.pass(now), Some(Pass::Plain));
        assert_eq!(call(&mut breaker, Fault, now), None, "the past is forgotten");
    }

    #[test]
    fn who_tried_and_went_lets_the_next_one_try() {
        let now = Instant::now();
        let mut breaker = open(now);
        let later = now + WAIT_FIRST;
        assert_eq!(breaker.pass(later), Some(Pass::Try));
        assert_eq!(breaker.settle(Pass::Try, Unknown, later), None);
        assert_eq!(breaker.pass(later), Some(Pass::Try));
    }

    #[test]
    fn calls_from_before_it_opened_change_nothing() {
        let now = Instant::now();
        let mut breaker = open(now);
        for end in [Good, Fault] {
            assert_eq!(breaker.settle(Pass::Plain, end, now), None);
            assert!(breaker.is_open());
        }
    }

    fn open(now: Instant) -> Breaker {
        let mut breaker = Breaker::new();
        for _ in 0..8 {
            call(&mut breaker, Fault, now);
        }
        assert!(breaker.is_open());
        breaker
    }

    fn call(breaker: &mut Breaker, end: End, now: Instant) -> Option<Turned> {
        let pass = breaker.pass(now).expect("it is closed");
        breaker.settle(pass, end, now)
    }
}
