//! Reads a stream for a while and says what it is, what it shows and what it sounds, as data.
//!
//! [`probe`] opens a file or a URL, [`Probe`] takes tags and looks at what comes out of our own
//! decoders. Somebody else's tool stays the referee: a test compares the two.
//!
//! Not here: judgement. Whether a freeze or an offset is too long is the reader's question.

#![forbid(unsafe_code)]

mod audio;
mod envelope;
mod options;
mod probe;
mod report;
mod sight;
mod slice;
mod source;
mod spectrum;
mod sync;
mod timing;
mod video;

pub use options::{Options, OptionsError, Point};
pub use probe::{Probe, probe};
pub use report::{
    AudioReport, ColourReport, End, KeyframeReport, Report, Span, StepReport, SyncReport, TimingReport, ToneReport,
    VideoReport,
};
pub use source::Error;
