//! The responder of one session: which addresses are the peer's, and which one it wants.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::credentials::Credentials;
use super::stun::{Key, Reply, Request};
use crate::discard::Discard;

/// Addresses of one peer at a time: its interfaces, what gateways make of them, and a few it just left.
const PAIRS_MAX: usize = 16;

/// Answers connectivity checks.
#[derive(Debug)]
pub struct Agent {
    current: Generation,
    /// Before a restart, until a pair of the current one is nominated (RFC 8445 §9).
    previous: Option<Generation>,
    pairs: Vec<Pair>,
    selected: Option<SocketAddr>,
    consent: Duration,
}

/// Credentials between two restarts.
#[derive(Debug)]
struct Generation {
    local: Credentials,
    remote: Credentials,
    key: Key,
}

/// An address that was checked.
#[derive(Debug)]
struct Pair {
    address: SocketAddr,
    /// A check is the peer's consent to be sent to (RFC 7675).
    checked_at: Instant,
}

/// What a believed check changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The address it came from is the peer's, and was not before.
    pub validated: Option<SocketAddr>,
    /// An address that is the peer's no more: there was no room for it.
    pub forgotten: Option<SocketAddr>,
    /// Media goes here from now on.
    pub selected: Option<SocketAddr>,
}

impl Agent {
    /// Nothing is known of the peer but its credentials. Without a check for as long as `consent`, a
    /// pair is over.
    #[must_use]
    pub fn new(local: Credentials, remote: Credentials, consent: Duration) -> Self {
        let current = Generation::new(local, remote);
        Self { current, previous: None, pairs: Vec::new(), selected: None, consent }
    }

    /// Takes a datagram that looks like STUN; what is to be answered to its sender is appended to `reply`.
    ///
    /// # Errors
    /// It is no check of this peer. Nothing has changed, and nothing is answered: an answer would go to
    /// whatever address the sender wrote on it.
    pub fn handle_datagram(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Instant,
        reply: &mut Vec<u8>,
    ) -> Result<Heard, Discard> {
        let request = Request::parse(datagram).ok_or(Discard::StunMalformed)?;
        let is_previous = !self.current.is_named(request.username);
        let named = if is_previous { self.previous.as_ref() } else { Some(&self.current) };
        let generation = named.filter(|named| named.is_named(request.username)).ok_or(Discard::StunForeign)?;
        if !request.is_from(&generation.key) {
            return Err(Discard::StunUnauthenticated);
        }
        let answer = match &request {
            Request { unknown, .. } if !unknown.is_empty() => Reply::UnknownAttributes(unknown),
            Request { is_controlled: true, .. } => Reply::RoleConflict,
            _ => Reply::Success(from),
        };
        answer.write(request.transaction, &generation.key, reply);
        if !matches!(answer, Reply::Success(_)) {
            return Ok(Heard::default());
        }
        Ok(self.note_check(from, now, request.is_nominating, is_previous))
    }

    /// Is it an address of the peer?
    #[must_use]
    pub fn is_valid(&self, address: SocketAddr) -> bool {
        self.pairs.iter().any(|pair| pair.address == address)
    }

    /// Where to send: the pair nominated last, or before that the one checked last.
    #[must_use]
    pub fn path(&self) -> Option<SocketAddr> {
        let latest = || self.pairs.iter().max_by_key(|pair| pair.checked_at).map(|pair| pair.address);
        self.selected.or_else(latest)
    }

    /// Ours, of the current generation and of one that is about to end.
    pub fn ufrags(&self) -> impl Iterator<Item = &str> {
        [Some(&self.current), self.previous.as_ref()].into_iter().flatten().map(|generation| &*generation.local.ufrag)
    }

    /// Begins a new generation (RFC 8445 §9). Media flows where it did until the peer nominates anew.
    pub fn restart(&mut self, local: Credentials, remote: Credentials) {
        let ended = std::mem::replace(&mut self.current, Generation::new(local, remote));
        // Of two restarts in a row the first never carried anything.
        self.previous.get_or_insert(ended);
    }

    /// Something that only the peer can seal has come from one of its addresses: a sign of life as good as a
    /// check, though it selects nothing.
    pub fn note_sealed(&mut self, from: SocketAddr, now: Instant) {
        if let Some(pair) = self.pairs.iter_mut().find(|pair| pair.address == from) {
            pair.checked_at = now;
        }
    }

    /// When the next pair is over, if nobody checks it.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.pairs.iter().map(|pair| pair.checked_at + self.consent).min()
    }

    /// A pair that is over by `now`; ask again for the next.
    pub fn poll_expired(&mut self, now: Instant) -> Option<SocketAddr> {
        let expired = self.pairs.iter().position(|pair| pair.checked_at + self.consent <= now)?;
        Some(self.forget(expired))
    }

    fn note_check(&mut self, from: SocketAddr, now: Instant, is_nominating: bool, is_previous: bool) -> Heard {
        let mut heard = Heard::default();
        match self.pairs.iter_mut().find(|pair| pair.address == from) {
            Some(pair) => pair.checked_at = now,
            None => {
                heard.forgotten = self.make_room();
                heard.validated = Some(from);
                self.pairs.push(Pair { address: from, checked_at: now });
            }
        }
        if is_nominating {
            if !is_previous {
                self.previous = None;
            }
            if self.selected.replace(from) != Some(from) {
                heard.selected = Some(from);
            }
        }
        heard
    }

    /// Who was not checked for longest goes, but never the one media goes to.
    fn make_room(&mut self) -> Option<SocketAddr> {
        if self.pairs.len() < PAIRS_MAX {
            return None;
        }
        let others = self.pairs.iter().enumerate().filter(|(_, pair)| Some(pair.address) != self.selected);
        let oldest = others.min_by_key(|(_, pair)| pair.checked_at)?.0;
        Some(self.forget(oldest))
    }

    fn forget(&mut self, at: usize) -> SocketAddr {
        let address = self.pairs.swap_remove(at).address;
        self.selected.take_if(|selected| *selected == address);
        address
    }
}

impl Generation {
    fn new(local: Credentials, remote: Credentials) -> Self {
        let key = Key::new(&local.pwd);
        Self { local, remote, key }
    }

    /// RFC 8445 §7.2.2: the receiver's fragment, a colon, the sender's.
    fn is_named(&self, username: &str) -> bool {
        username.split_once(':').is_some_and(|(ours, theirs)| ours == self.local.ufrag && theirs == self.remote.ufrag)
    }
}
