//! Tests of the whole: `tidy` reads the sources, stories run the real server.
//!
//! One binary, so that it is linked once. Tests of one crate stand in that crate.

#[cfg(test)]
mod browser;
#[cfg(test)]
mod ffmpeg;
#[cfg(test)]
mod player;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod publisher;
#[cfg(test)]
mod server;
#[cfg(test)]
mod small_disk;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod viewer;
