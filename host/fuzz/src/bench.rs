//! One codec thread for all runs of a process, and the way to know that it is idle.
//!
//! A block of sound behind everything that was submitted: when its frame arrives, the only thread has
//! done all the rest.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use heliu_codec::{AudioEncoder, AudioEncoderConfig, Pool, Wake};
use heliu_model::MediaTime;

/// What hangs longer than this is broken.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Bench {
    pub pool: Pool,
    fence: AudioEncoder,
    passed: Receiver<()>,
}

impl Bench {
    /// The process's own; one run at a time.
    pub fn take() -> MutexGuard<'static, Self> {
        static BENCH: OnceLock<Mutex<Bench>> = OnceLock::new();
        let bench = BENCH.get_or_init(|| Mutex::new(Self::start()));
        bench.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when everything submitted before has been worked on.
    pub fn settle(&mut self) {
        self.fence.submit(MediaTime::ZERO, vec![0.0; 2048]);
        self.passed.recv_timeout(PATIENCE).expect("the codec thread goes on");
        while self.fence.poll().is_some() {}
    }

    fn start() -> Self {
        let pool = Pool::start(1).expect("a thread");
        let (pass, passed) = channel();
        let pass = Mutex::new(pass);
        let wake: Wake = Arc::new(move || {
            let _ = pass.lock().unwrap_or_else(PoisonError::into_inner).send(());
        });
        let fence = AudioEncoder::new(&pool, AudioEncoderConfig::default(), wake).expect("the default is encoded");
        Self { pool, fence, passed }
    }
}
