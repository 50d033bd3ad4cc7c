//! Connectivity by ICE, the lite side (RFC 8445 §2.5): it answers checks and sends none.
//!
//! A check is believed when it is signed with the password of the session's answer; only then is its
//! address a pair. The peer is controlling: the pair it nominated last is the one to send on.
//!
//! Not here: candidates of the peer. They show themselves by checking, so trickled ones are not needed.

mod agent;
mod credentials;
mod stun;
#[cfg(test)]
mod tests;

pub use agent::{Agent, Heard};
pub use credentials::Credentials;
pub use stun::local_ufrag;
