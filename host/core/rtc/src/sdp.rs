//! Offers read, answers written (RFC 8866, RFC 8829, RFC 9725), the fragments between them too (RFC 8840).
//!
//! An answerer needs no machine of states: an offer is a bounded list of sections, an answer one decision
//! for each. What is not understood is skipped; only what an answer depends on can spoil an offer.
//!
//! Not here: candidates of the peer. This side is ICE-lite and learns addresses from checks.

mod answer;
mod choice;
mod error;
mod extension;
mod fmtp;
mod format;
mod fragment;
mod offer;
mod reader;
mod section;
mod sources;
mod terms;
#[cfg(test)]
mod tests;
mod transport;
mod writer;

pub use answer::{Answer, answer};
pub use error::OfferError;
pub use fragment::{Fragment, fragment};
pub use offer::Offer;
pub use terms::{Outgoing, Terms, Wish};
