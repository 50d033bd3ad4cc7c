//! Where `tracing` goes: standard error, as text or JSON. Standard output belongs to the `ready` line.

use std::io::{IsTerminal, stderr};

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Libraries that tell every stranger's every byte.
const QUIET: [&str; 1] = ["rtc_dtls=off"];

/// Takes effect for the whole process.
///
/// # Errors
/// The level is none.
pub fn start(config: &Log) -> Result<()> {
    let filter =
        EnvFilter::try_new(&config.level).with_context(|| format!("log.level {:?} is no level", config.level))?;
    // Whatever a stranger's hello holds is a warning to that library; what came of it is told by the session.
    let filter = QUIET.iter().fold(filter, |filter, quiet| filter.add_directive(quiet.parse().expect("as written")));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    match config.format {
        LogFormat::Text => subscriber.with_ansi(stderr().is_terminal()).init(),
        LogFormat::Json => subscriber.json().init(),
    }
    Ok(())
}
