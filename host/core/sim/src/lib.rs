//! Simulated time, chance with a seed, a bad link, and a source whose sync can be measured.
//!
//! For tests of sans-IO cores: time is moved by hand, so an hour takes seconds; everything random has
//! a seed, so a failure happens again. Not here: sockets, threads, assertions.

mod clock;
mod flash_beep;
mod link;
mod rng;

pub use clock::{Clock, Drift};
pub use flash_beep::{FlashBeep, Item};
pub use link::Link;
pub use rng::Rng;
