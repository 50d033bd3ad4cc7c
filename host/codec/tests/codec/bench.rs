//! One codec thread under control of a test: run until idle, or held still.
//!
//! Nothing here waits by the clock.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use heliu_codec::{AudioEncoder, AudioEncoderConfig, Pool, VideoDecoder, VideoOutput, Wake};
use heliu_model::{Frame, MediaTime, Picture};

/// A test that hangs longer than this is broken.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Bench {
    pub pool: Pool,
    pub past: Instant,
}

impl Bench {
    pub fn new() -> Self {
        Self { pool: Pool::start(1).unwrap(), past: Instant::now() }
    }

    /// Returns when everything submitted before has been worked on.
    pub fn settle(&self) {
        self.pool.settle();
    }

    /// Holds the thread until the result is dropped.
    pub fn hold(&self) -> Hold {
        let (release, released) = channel::<()>();
        let (reach, reached) = channel();
        let released = Mutex::new(released);
        let wake: Wake = Arc::new(move || {
            reach.send(()).unwrap();
            released.lock().unwrap().recv().unwrap_err();
        });
        let mut plug = AudioEncoder::new(&self.pool, AudioEncoderConfig::default(), wake).unwrap();
        plug.submit(MediaTime::ZERO, vec![0.0; 2048]);
        reached.recv_timeout(PATIENCE).unwrap();
        Hold { _plug: plug, _release: release }
    }

    /// Submits one after the other; what came out at each.
    pub fn decode(&self, decoder: &mut VideoDecoder, frames: &[Frame]) -> Vec<VideoOutput> {
        let mut outputs = Vec::new();
        for frame in frames {
            decoder.submit(frame.clone(), self.past);
            self.settle();
            outputs.extend(std::iter::from_fn(|| decoder.poll()));
        }
        outputs
    }
}

pub struct Hold {
    _release: Sender<()>,
    _plug: AudioEncoder,
}

pub fn silent() -> Wake {
    Arc::new(|| {})
}

pub fn pictures(outputs: &[VideoOutput]) -> Vec<(MediaTime, Picture)> {
    let picture = |output: &VideoOutput| match output {
        VideoOutput::Picture { picture, pts } => Some((*pts, picture.clone())),
        VideoOutput::NeedKeyframe | VideoOutput::Dead(_) => None,
    };
    outputs.iter().filter_map(picture).collect()
}
