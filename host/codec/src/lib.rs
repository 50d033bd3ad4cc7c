//! Decoders and encoders as actors, and the scaler between them.
//!
//! A codec is a handle with `submit` and `poll`; what goes in and what comes out is plain data, so
//! nobody outside knows on which thread, or one day in which process, the work is done. [`Pool`] runs
//! the actors, the one with the earliest deadline first. Every queue is bounded; the rule for a full
//! one stands where the queue is defined and what it threw away is in [`Stats`].
//!
//! Not here: containers and records (`container`), and what a mix shows (`mixer`).

mod actor;
mod audio_decoder;
mod audio_encoder;
mod compose;
mod downmix;
mod effort;
mod library;
mod parameter_sets;
mod pool;
mod regroup;
mod resample;
mod scale;
mod simd;
mod undecodable;
mod video_decoder;
mod video_encoder;

pub use actor::{Stats, Wake};
pub use audio_decoder::{AudioDecoder, AudioOutput};
pub use audio_encoder::{AudioCodec, AudioEncoder, AudioEncoderConfig};
pub use compose::{Canvas, Composer, compose};
pub use effort::{Effort, Work};
pub use pool::Pool;
pub use regroup::{Regroup, Regrouped};
pub use simd::has_simd;
pub use undecodable::Undecodable;
pub use video_decoder::{VideoDecoder, VideoOutput};
pub use video_encoder::{Busy, ConfigError, VideoEncoded, VideoEncoder, VideoEncoderConfig};
