//! SRTP and SRTCP (RFC 3711, RFC 7714): one key per direction, packets sealed and opened in place.
//!
//! Nothing here allocates per packet, and nothing grows before a tag was verified. An index is sealed
//! once: two packets under one would give away their difference, with GCM also the key of all tags.
//!
//! Not here: where keys come from (`dtls`), other profiles, MKIs, rekeying.

mod cipher;
mod cm;
mod derivation;
mod gcm;
mod inbound;
mod outbound;
mod profile;
#[cfg(test)]
mod tests;
mod window;

pub use inbound::Inbound;
pub use outbound::{Outbound, Stream};
pub use profile::{MasterKey, Profile};
