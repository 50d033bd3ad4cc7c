//! `heliu-load`: puts load on a media server and says in one line of JSON what came of it.
//!
//! A publisher sends pictures that carry their number and the time of their leaving; players count what
//! is missing and how late it is. Publisher and players run on one machine, so one clock serves both.
//! Any server that speaks RTMP or FLV over HTTP will do: beside heliu, others are measured the same way.
//!
//! Not here: decoding. The pictures are noise behind a valid sequence header.

use std::net::SocketAddr;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod chunks;
mod door;
mod idle;
mod play;
mod player;
mod process;
mod publish;
mod stamp;
mod tags;
mod tally;

#[derive(Parser)]
#[command(name = "heliu-load", about = "Load for media servers; answers in JSON")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Publishes one stream of pictures and sound.
    Publish(publish::Options),
    /// Plays one stream many times: `rtmp://…`, or `http://….flv`.
    Play(play::Options),
    /// Opens connections that say nothing, and waits until they are closed.
    Idle(idle::Options),
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = match Cli::parse().command {
        Command::Publish(options) => runtime.block_on(publish::run(options))?,
        Command::Play(options) => runtime.block_on(play::run(options))?,
        Command::Idle(options) => runtime.block_on(idle::run(options))?,
    };
    println!("{report}");
    Ok(())
}

/// The first address of `host:port`.
fn resolve(host: &str) -> Result<SocketAddr> {
    use std::net::ToSocketAddrs;
    host.to_socket_addrs()?.next().ok_or_else(|| anyhow::anyhow!("{host} has no address"))
}
