//! Datagrams into an ICE-lite agent. Who does not sign is not answered and changes nothing; who does has
//! one pair for each address, and only as long as it checks.

use std::time::{Duration, Instant};

use heliu_rtc::{Agent, local_ufrag};

use crate::rtc::{address, credentials, steps};
use crate::script::Script;

const CONSENT: Duration = Duration::from_secs(2);
/// The longest: eight attributes that are not known.
const REPLY_LEN_MAX: usize = 128;
const RESTART: u8 = 0x80;

pub fn run(data: &[u8]) {
    let mut now = Instant::now();
    let mut agent = Agent::new(credentials("ours", "our password"), credentials("them", "their password"), CONSENT);
    for step in steps(Script::new(data)) {
        now += step.pause;
        while let Some(address) = agent.poll_expired(now) {
            assert!(!agent.is_valid(address));
        }
        assert!(agent.poll_timeout().is_none_or(|due| due > now));
        if step.choice & RESTART > 0 {
            agent.restart(credentials("ours2", "our second password"), credentials("them2", "their second password"));
        }
        let (from, path, mut reply) = (address(step.choice & 7), agent.path(), Vec::new());
        let was_valid = agent.is_valid(from);
        match agent.handle_datagram(step.datagram, from, now, &mut reply) {
            Ok(heard) => {
                assert!(local_ufrag(step.datagram).is_some_and(|ufrag| ufrag.starts_with("ours")));
                assert!((1..=REPLY_LEN_MAX).contains(&reply.len()));
                assert!(heard.validated.is_none() || (!was_valid && agent.is_valid(from)));
                assert!(heard.selected.is_none_or(|selected| agent.path() == Some(selected)));
            }
            Err(_) => assert_eq!((reply.len(), agent.path(), agent.is_valid(from)), (0, path, was_valid)),
        }
        assert!((1..=2).contains(&agent.ufrags().count()));
    }
}
