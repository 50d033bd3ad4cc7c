//! Whose a datagram is: the sessions of one worker by ICE name, by address and by id.
//!
//! Connectivity checks are told by the name in them; everything else by an address that an authenticated
//! check has come from. What belongs to nobody is dropped and counted, and answered by nothing.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use heliu_model::EndpointId;

use crate::negotiation::SessionId;
use crate::worker::RoomCell;

/// Sessions of one worker.
pub const SESSIONS_MAX: usize = 4_096;

/// Where a session lives.
#[derive(Clone)]
pub struct Place {
    /// Its room.
    pub room: Rc<RoomCell>,
    /// Its endpoint there.
    pub endpoint: EndpointId,
}

/// The sessions of one worker, each with where it lives.
pub struct Sessions<P = Place> {
    known: BTreeMap<EndpointId, Known<P>>,
    by_id: BTreeMap<SessionId, EndpointId>,
    by_ufrag: BTreeMap<String, EndpointId>,
    by_address: BTreeMap<SocketAddr, EndpointId>,
    /// Datagrams of nobody's.
    strays: u64,
}

struct Known<P> {
    place: P,
    id: SessionId,
    ufrags: Vec<String>,
    addresses: Vec<SocketAddr>,
}

impl<P> Default for Sessions<P> {
    fn default() -> Self {
        let (by_id, by_ufrag, by_address) = Default::default();
        Self { known: BTreeMap::new(), by_id, by_ufrag, by_address, strays: 0 }
    }
}

impl<P: Clone> Sessions<P> {
    /// Room for one more?
    pub fn is_full(&self) -> bool {
        self.known.len() >= SESSIONS_MAX
    }

    /// A session begins under this ICE name.
    pub fn insert(&mut self, endpoint: EndpointId, id: SessionId, ufrag: String, place: P) {
        self.by_id.insert(id, endpoint);
        self.by_ufrag.insert(ufrag.clone(), endpoint);
        self.known.insert(endpoint, Known { place, id, ufrags: vec![ufrag], addresses: Vec::new() });
    }

    /// It goes by another ICE name as well, and no longer by those before the one in force.
    pub fn rename(&mut self, endpoint: EndpointId, ufrag: String) {
        let Some(known) = self.known.get_mut(&endpoint) else { return };
        self.by_ufrag.insert(ufrag.clone(), endpoint);
        known.ufrags.push(ufrag);
        while known.ufrags.len() > 2 {
            self.by_ufrag.remove(&known.ufrags.remove(0));
        }
    }

    /// An authenticated check of it has come from there.
    pub fn note_address(&mut self, endpoint: EndpointId, address: SocketAddr) {
        let Some(known) = self.known.get_mut(&endpoint) else { return };
        if self.by_address.get(&address) == Some(&endpoint) {
            return;
        }
        let before = self.by_address.insert(address, endpoint);
        known.addresses.push(address);
        if let Some(known) = before.and_then(|before| self.known.get_mut(&before)) {
            known.addresses.retain(|its| *its != address);
        }
    }

    /// An address is a session's no more. The session bounds how many it has.
    pub fn forget_address(&mut self, endpoint: EndpointId, address: SocketAddr) {
        let Some(known) = self.known.get_mut(&endpoint) else { return };
        known.addresses.retain(|its| *its != address);
        if self.by_address.get(&address) == Some(&endpoint) {
            self.by_address.remove(&address);
        }
    }

    /// It is over.
    pub fn remove(&mut self, endpoint: EndpointId) {
        let Some(known) = self.known.remove(&endpoint) else { return };
        self.by_id.remove(&known.id);
        for ufrag in known.ufrags {
            self.by_ufrag.remove(&ufrag);
        }
        for address in known.addresses {
            self.by_address.remove(&address);
        }
    }

    /// Whose a datagram is. Nobody's is counted.
    pub fn find(&mut self, datagram: &[u8], from: SocketAddr) -> Option<P> {
        let endpoint = match heliu_rtc::local_ufrag(datagram) {
            Some(ufrag) => self.by_ufrag.get(ufrag),
            None => self.by_address.get(&from),
        };
        let place = endpoint.and_then(|endpoint| self.known.get(endpoint)).map(|known| known.place.clone());
        self.strays += u64::from(place.is_none());
        place
    }

    /// By what its client calls it.
    pub fn by_id(&self, id: SessionId) -> Option<P> {
        self.by_id.get(&id).and_then(|endpoint| self.known.get(endpoint)).map(|known| known.place.clone())
    }

    /// All of them.
    pub fn places(&self) -> Vec<P> {
        self.known.values().map(|known| known.place.clone()).collect()
    }

    /// How many there are, and how many datagrams were nobody's.
    pub fn counts(&self) -> (usize, u64) {
        (self.known.len(), self.strays)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DTLS: &[u8] = &[22, 254, 253];

    #[test]
    fn a_datagram_is_its_address_s_once_a_check_has_come_from_there() {
        let mut sessions = sessions();
        for (what, change, want) in [
            ("nobody's", None, [None, None]),
            ("the first one's", Some((1, true)), [Some("one"), None]),
            ("again", Some((1, true)), [Some("one"), None]),
            ("another session's check came from there", Some((2, true)), [Some("two"), None]),
            ("forgotten by one that has it no more", Some((1, false)), [Some("two"), None]),
            ("forgotten", Some((2, false)), [None, None]),
        ] {
            match change {
                Some((endpoint, true)) => sessions.note_address(EndpointId(endpoint), address(1)),
                Some((endpoint, false)) => sessions.forget_address(EndpointId(endpoint), address(1)),
                None => {}
            }
            assert_eq!([1, 2].map(|port| sessions.find(DTLS, address(port))), want, "{what}");
        }
        assert_eq!(sessions.strays, 8);
    }

    #[test]
    fn of_its_names_a_session_keeps_the_latest_two() {
        let mut sessions = sessions();
        for name in ["b", "c"] {
            sessions.rename(EndpointId(1), name.to_owned());
        }
        let known: Vec<&str> = sessions.by_ufrag.keys().map(String::as_str).collect();
        assert_eq!(known, ["b", "c", "other"]);
    }

    #[test]
    fn nothing_is_left_of_a_session_that_is_over() {
        let mut sessions = sessions();
        let id = *sessions.by_id.iter().find(|(_, endpoint)| endpoint.0 == 1).unwrap().0;
        sessions.note_address(EndpointId(1), address(1));
        assert_eq!(sessions.by_id(id), Some("one"));
        sessions.remove(EndpointId(1));
        sessions.remove(EndpointId(1));
        assert_eq!((sessions.by_id(id), sessions.find(DTLS, address(1))), (None, None));
        assert_eq!((sessions.places(), sessions.by_ufrag.len()), (vec!["two"], 1));
    }

    fn sessions() -> Sessions<&'static str> {
        let mut sessions = Sessions::default();
        sessions.insert(EndpointId(1), SessionId::random(), "a".to_owned(), "one");
        sessions.insert(EndpointId(2), SessionId::random(), "other".to_owned(), "two");
        sessions
    }

    fn address(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }
}
