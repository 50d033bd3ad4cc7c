//! The mixer in simulated time: whole stories through its public API.

mod clock;
mod joins;
mod property;
mod sound;
mod story;
mod sync;
