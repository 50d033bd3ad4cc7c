//! Datagrams: a worker's socket, and what waits to be sent from it.

mod slab;
mod socket;

pub use slab::Slab;
pub use socket::{Udp, bind, candidates};
