//! The commands.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use heliu_probe::{Options, Point};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use crate::config::Config;
use crate::wiring::Host;
use crate::{files, log, wiring};

/// All parts together may take this long to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT.
pub fn run(path: &Path) -> Result<()> {
    let config = Config::load(path)?;
    log::start(&config.log)?;
    files::raise_bound(config.limits.viewers_max);
    runtime()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
        let mut hangup = signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?;
        let host = Host::start(config).await?;
        tell_ready(&host);
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => host.look_again(),
            }
        }
        tracing::info!("stopping");
        host.stop(Instant::now() + STOP_WITHIN).await;
        tracing::info!("stopped");
        Ok(())
    })
}

/// Reads the configuration and loads its components.
pub fn check(path: &Path) -> Result<()> {
    let config = Config::load(path)?;
    runtime()?.block_on(wiring::check(&config))?;
    println!("{} is ok", path.display());
    Ok(())
}

/// Looks at a stream and prints what it is.
pub fn probe(place: &str, seconds: u64, points: Vec<Point>) -> Result<()> {
    let options = Options { span: Duration::from_secs(seconds), points };
    let report = heliu_probe::probe(place, &options)?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

/// Says which heliu this is.
pub fn version() -> Result<()> {
    println!("heliu {}", env!("CARGO_PKG_VERSION"));
    Ok(())
}

/// The one line on standard output: whoever started heliu reads real ports from it.
fn tell_ready(host: &Host) {
    let (http, admin) = (host.http_addresses(), host.admin_address());
    let (rtmp, rtmps) = (host.rtmp_address(), host.rtmps_address());
    println!("ready {}", json!({ "http": http, "admin": admin, "rtmp": rtmp, "rtmps": rtmps }));
    tracing::info!(?http, ?admin, ?rtmp, ?rtmps, "ready");
}

/// The edge: HTTP, components, accepting. Rooms have threads of their own.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("edge")
        .build()
        .context("cannot start the threads of the edge")
}
