//! Connections that say nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use crate::process::{Process, Usage};
use crate::resolve;

/// From one source address; servers bound what a single one may hold.
const PER_ADDRESS: usize = 50;
/// So that a server's queue of connections does not overflow.
const CONNECT_EVERY: Duration = Duration::from_millis(1);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Where to, and how many.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// `host:port` of a listener on a loopback address.
    to: String,
    /// Connections.
    #[arg(long, default_value_t = 2_000)]
    count: usize,
    /// How long is waited for their end.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// The server's process, to tell what it uses.
    #[arg(long)]
    pid: Option<u32>,
}

/// Connects, then waits until all are closed.
pub async fn run(options: Options) -> Result<Value> {
    let to = resolve(&options.to)?;
    let process = options.pid.map(Process::of);
    let usage = || process.as_ref().map_or_else(Usage::default, Process::usage);
    let before = usage();
    let mut peak = before;
    let began = Instant::now();
    let mut connections = JoinSet::new();
    for index in 0..options.count {
        connections.spawn(wait(to, index));
        tokio::time::sleep(CONNECT_EVERY).await;
    }
    let mut lives: Vec<Duration> = Vec::new();
    let mut failed = 0;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(options.seconds);
    let mut look = tokio::time::interval(LOOK_EVERY);
    while !connections.is_empty() && tokio::time::Instant::now() < deadline {
        tokio::select! {
            Some(ended) = connections.join_next() => match ended? {
                Ok(life) => lives.push(life),
                Err(_) => failed += 1,
            },
            _ = look.tick() => {
                let now = usage();
                peak.rss_kib = peak.rss_kib.max(now.rss_kib);
                peak.files = peak.files.max(now.files);
            }
        }
    }
    lives.sort_unstable();
    let held = peak.files.saturating_sub(before.files);
    let grown = peak.rss_kib.saturating_sub(before.rss_kib);
    Ok(json!({
        "connections": options.count,
        "closed": lives.len(),
        "failed": failed,
        "still_open": connections.len(),
        "last_closed_after_seconds": lives.last().map(Duration::as_secs_f64),
        "all_took_seconds": began.elapsed().as_secs_f64(),
        "held_at_once": held,
        "rss_kib": { "before": before.rss_kib, "peak": peak.rss_kib },
        "rss_kib_per_held": grown as f64 / held.max(1) as f64,
    }))
}

/// How long the server let it live.
async fn wait(to: SocketAddr, index: usize) -> Result<Duration> {
    let socket = TcpSocket::new_v4()?;
    if to.ip().is_loopback() {
        let low = u8::try_from(index / PER_ADDRESS % 250).expect("under 250") + 2;
        socket.bind((IpAddr::from(Ipv4Addr::new(127, 0, 1, low)), 0).into())?;
    }
    let mut stream = socket.connect(to).await?;
    let began = Instant::now();
    let mut buffer = [0; 64];
    // Closed and broken are the same here.
    let _ = stream.read(&mut buffer).await;
    Ok(began.elapsed())
}
