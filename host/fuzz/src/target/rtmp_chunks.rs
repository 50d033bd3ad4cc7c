//! Chunks of an accepted publisher. One byte seeds how the others are cut.

use crate::script::Script;
use crate::wire::{Answer, hear, publishing};

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let seed = script.byte();
    hear(publishing, script.rest(), seed, Answer::Accept);
}
