//! The built-in source `test:`: what it shows and sounds as a function of time.
//!
//! [`Pattern`] is what a URL asks for, [`Generator`] turns the passing of time into pictures and blocks
//! of sound. Two generators of one pattern show the same at the same time, so a picture alone tells
//! when it was made and whether the sound beside it is in sync.
//!
//! Not here: clocks, codecs and rooms; whoever drives a generator brings them.

mod bars;
mod clock_face;
mod generator;
mod lettering;
mod painter;
mod pattern;
mod tone;

pub use bars::BARS;
pub use generator::{Generator, Item};
pub use pattern::{Pattern, PatternError};
pub use tone::AMPLITUDE;

/// Flash and beep begin at each whole second and last so long.
pub(crate) const FLASH_MS: i64 = 100;
