//! The codecs from outside: what goes in by `submit` and comes out by `poll`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audio;
mod bench;
mod flv;
mod hostile;
mod opus;
mod video;
