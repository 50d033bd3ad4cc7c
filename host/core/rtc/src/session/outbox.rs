//! Datagrams that are no media, until they are fetched: answers to checks, the handshake, RTCP.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::discard::Discard;

/// A flight of DTLS has four; the rest are answers to checks that came at one moment.
const DATAGRAMS_MAX: usize = 64;

/// In the order in which they are sent.
#[derive(Debug, Default)]
pub struct Outbox(VecDeque<(SocketAddr, Vec<u8>)>);

impl Outbox {
    /// # Errors
    /// Nobody fetches them; this one is lost.
    pub fn push(&mut self, to: SocketAddr, datagram: Vec<u8>) -> Result<(), Discard> {
        if self.0.len() == DATAGRAMS_MAX {
            return Err(Discard::OutboxFull);
        }
        self.0.push_back((to, datagram));
        Ok(())
    }

    /// Appends the next one to `out`.
    pub fn poll(&mut self, out: &mut Vec<u8>) -> Option<SocketAddr> {
        let (to, datagram) = self.0.pop_front()?;
        out.extend_from_slice(&datagram);
        Some(to)
    }
}
