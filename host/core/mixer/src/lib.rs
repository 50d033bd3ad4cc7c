//! Many pictures to one, many sounds to one.
//!
//! A [`Mixer`] takes decoded pictures and samples of its inputs and says, tick by tick, what the mix
//! shows ([`heliu_model::Composition`]) and how it sounds. It runs with background and silence from
//! its first moment to its last, whatever its inputs do: a tick never waits for anybody.
//!
//! Pure: time is an argument, and everything the mixer holds is bounded. Not here: decoding,
//! scaling, encoding (`heliu-codec`), and who may be mixed (the intent says it).

mod arrivals;
mod colour;
mod feed;
mod geometry;
mod grid;
mod input;
mod layout;
mod limiter;
mod mixer;
mod picture_queue;
mod sound;
mod stage;
mod stats;
mod timeline;
mod voice;

pub use input::Input;
pub use mixer::{Mixer, Output};
pub use sound::BLOCK_FRAMES;
pub use stats::{InputStats, Stats};
