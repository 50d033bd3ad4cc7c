//! Answers peers at once whose attempts are refused again and again, so that they do not wake a plugin.
//!
//! Counted are refusals of a plugin and its faults: eight on one address within ten seconds, or 64 on
//! all addresses together. Then such attempts of the peer are answered without asking for a second, after
//! the next refusal for two, up to eight. A grant forgives all. So a publisher with the right key who
//! comes once a second waits eight seconds at most, and a stranger who guesses keys at one address keeps
//! nobody behind the same gateway from another one. Publishing and playing are counted apart: a player
//! who knocks until the stream begins must not lock its publisher out.
//!
//! A peer is a [`Network`]. Loopback is treated alike: behind a proxy on the same machine everybody has it.
//!
//! Not here: attempts that need no plugin, and the host's own.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use heliu_model::{Address, Attempt, Direction, Network};
use tokio::time::Instant;

/// Refusals are forgotten when there was none for so long.
const SPAN: Duration = Duration::from_secs(10);
const ON_ONE_ADDRESS_MAX: u32 = 8;
const TOGETHER_MAX: u32 = 64;
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(8);
/// Peers and addresses remembered; when there are more the newcomers are asked about every time.
const KNOWN_MAX: usize = 16_384;

/// Who was refused lately.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    known: BTreeMap<Key, Past>,
    swept_at: Option<Instant>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    peer: Network,
    is_publish: bool,
    /// `None`: all of them.
    address: Option<Address>,
}

#[derive(Debug)]
struct Past {
    refusals: u32,
    refused_at: Instant,
    shut: Option<Shut>,
}

#[derive(Debug, Clone, Copy)]
struct Shut {
    until: Instant,
    wait: Duration,
}

impl Backoff {
    /// Is this attempt to be answered without asking anybody?
    pub(crate) fn is_shut(&self, attempt: &Attempt, now: Instant) -> bool {
        let is_shut = |key: &Key| {
            let shut = self.known.get(key).and_then(|past| past.shut);
            shut.is_some_and(|shut| now < shut.until)
        };
        keys(attempt).is_some_and(|keys| keys.iter().any(|(key, _)| is_shut(key)))
    }

    /// A plugin refused, or failed.
    pub(crate) fn refused(&mut self, attempt: &Attempt, now: Instant) {
        self.sweep(now);
        for (key, max) in keys(attempt).into_iter().flatten() {
            if let Some(past) = self.known.get_mut(&key) {
                past.add(max, now);
            } else if self.known.len() < KNOWN_MAX {
                self.known.insert(key, Past { refusals: 1, refused_at: now, shut: None });
            }
        }
    }

    /// A plugin let it in.
    pub(crate) fn granted(&mut self, attempt: &Attempt) {
        for (key, _) in keys(attempt).into_iter().flatten() {
            self.known.remove(&key);
        }
    }

    fn sweep(&mut self, now: Instant) {
        if self.swept_at.is_some_and(|swept| now < swept + WAIT_FIRST) {
            return;
        }
        self.swept_at = Some(now);
        self.known.retain(|_, past| !past.is_over(now));
    }
}

impl Past {
    fn add(&mut self, max: u32, now: Instant) {
        if self.is_over(now) {
            *self = Self { refusals: 0, refused_at: now, shut: None };
        }
        self.refusals += 1;
        self.refused_at = now;
        // One that was asked while another shut the door does not make it longer.
        if self.refusals < max || self.shut.is_some_and(|shut| now < shut.until) {
            return;
        }
        let wait = self.shut.map_or(WAIT_FIRST, |shut| (shut.wait * 2).min(WAIT_MAX));
        self.shut = Some(Shut { until: now + wait, wait });
    }

    fn is_over(&self, now: Instant) -> bool {
        let quiet_since = self.shut.map_or(self.refused_at, |shut| shut.until);
        now >= quiet_since + SPAN
    }
}

/// What an attempt counts for, with the refusals that are one too many; `None`: the peer is no address.
fn keys(attempt: &Attempt) -> Option<[(Key, u32); 2]> {
    let peer = attempt.peer.parse::<IpAddr>().ok()?.into();
    let is_publish = attempt.direction == Direction::Publish;
    let key = |address| Key { peer, is_publish, address };
    Some([(key(Some(attempt.address.clone())), ON_ONE_ADDRESS_MAX), (key(None), TOGETHER_MAX)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eighth_refusal_shuts_the_door_for_a_while_that_doubles() {
        let mut backoff = Backoff::default();
        let mut now = Instant::now();
        let guess = attempt("192.0.2.1", Direction::Publish, "live/a");
        for at in 1..=8 {
            assert!(!backoff.is_shut(&guess, now), "refusal {at} was asked for");
            backoff.refused(&guess, now);
        }
        for seconds in [1, 2, 4, 8, 8] {
            assert!(backoff.is_shut(&guess, now), "{seconds} s begin");
            assert!(backoff.is_shut(&guess, now + Duration::from_secs(seconds) - Duration::from_millis(1)));
            now += Duration::from_secs(seconds);
            assert!(!backoff.is_shut(&guess, now), "{seconds} s are over");
            backoff.refused(&guess, now);
        }
        now += WAIT_MAX + SPAN;
        backoff.refused(&guess, now);
        assert!(!backoff.is_shut(&guess, now), "the past is forgotten");
        assert_eq!(backoff.known.len(), 2);
    }

    #[test]
    fn a_client_with_the_right_key_gets_in_within_eight_seconds() {
        let mut backoff = Backoff::default();
        let start = Instant::now();
        let client = attempt("192.0.2.1", Direction::Publish, "live/a");
        let mut asked = 0;
        for tenths in 0..600 {
            let now = start + Duration::from_millis(tenths * 100);
            if !backoff.is_shut(&client, now) {
                backoff.refused(&client, now);
                asked += 1;
            }
        }
        assert!(asked < 20, "600 guesses in a minute woke the plugin {asked} times");
        let let_in = (60..).find(|second| !backoff.is_shut(&client, start + Duration::from_secs(*second)));
        assert!(let_in.is_some_and(|second| second <= 68), "{let_in:?}");
        backoff.granted(&client);
        for _ in 0..7 {
            backoff.refused(&client, start);
        }
        assert!(!backoff.is_shut(&client, start), "a grant forgives");
    }

    #[test]
    fn only_who_was_refused_is_kept_out() {
        let mut backoff = Backoff::default();
        let now = Instant::now();
        for _ in 0..8 {
            backoff.refused(&attempt("2001:db8::1", Direction::Publish, "live/a"), now);
        }
        for (what, peer, direction, address, want) in [
            ("itself", "2001:db8::1", Direction::Publish, "live/a", true),
            ("another of its own addresses", "2001:db8::ffff:2", Direction::Publish, "live/a", true),
            ("its neighbour", "2001:db8:0:1::1", Direction::Publish, "live/a", false),
            ("another name", "2001:db8::1", Direction::Publish, "live/b", false),
            ("its player", "2001:db8::1", Direction::Play, "live/a", false),
            ("somebody else", "192.0.2.1", Direction::Publish, "live/a", false),
        ] {
            assert_eq!(backoff.is_shut(&attempt(peer, direction, address), now), want, "{what}");
        }
        for at in 0..64 {
            backoff.refused(&attempt("::ffff:192.0.2.9", Direction::Play, &format!("live/{at}")), now);
        }
        assert!(backoff.is_shut(&attempt("192.0.2.9", Direction::Play, "live/new"), now), "too many names together");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten() {
        let mut backoff = Backoff::default();
        let now = Instant::now();
        for at in 0..20_000_u32 {
            let peer = std::net::Ipv4Addr::from(0x0a00_0000 + at).to_string();
            backoff.refused(&attempt(&peer, Direction::Publish, "live/a"), now);
        }
        assert_eq!(backoff.known.len(), KNOWN_MAX);
        backoff.refused(&attempt("192.0.2.1", Direction::Publish, "live/a"), now + SPAN);
        assert_eq!(backoff.known.len(), 2);
    }

    fn attempt(peer: &str, direction: Direction, address: &str) -> Attempt {
        Attempt {
            id: "c1".into(),
            protocol: "rtmp",
            direction,
            authority: None,
            address: Address::parse(address).unwrap(),
            query: None,
            headers: vec![],
            peer: peer.into(),
        }
    }
}
