//! Many players of one stream, and what their server used meanwhile.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::{JoinSet, LocalSet};

use crate::door::Target;
use crate::player::{self, Manner};
use crate::process::{Process, Usage};
use crate::resolve;
use crate::tally::Tally;

/// Between two connections, so that a server's queue of them does not overflow.
const CONNECT_EVERY: Duration = Duration::from_millis(2);
/// How long after the last connection counting begins.
const SETTLE: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What to play, and how often.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// `rtmp://host[:port]/app/name` or `http://host[:port]/app/name.flv`
    url: String,
    /// Players that read.
    #[arg(long, default_value_t = 1)]
    count: usize,
    /// Players that stop reading behind their first picture.
    #[arg(long, default_value_t = 0)]
    stalled: usize,
    /// How long is counted.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// The server's process, to tell what it uses.
    #[arg(long)]
    pid: Option<u32>,
}

/// Plays, then reports.
pub async fn run(options: Options) -> Result<Value> {
    LocalSet::new().run_until(measure(options)).await
}

async fn measure(options: Options) -> Result<Value> {
    let target = Rc::new(Target::parse(&options.url)?);
    let to = resolve(&target.host())?;
    let process = options.pid.map(Process::of);
    let usage = || process.as_ref().map_or_else(Usage::default, Process::usage);
    let (good, stalled) = (Rc::new(RefCell::new(Tally::default())), Rc::new(RefCell::new(Tally::default())));
    let before = usage();

    let mut players = JoinSet::new();
    for (manner, count, tally) in [(Manner::Stalls, options.stalled, &stalled), (Manner::Reads, options.count, &good)] {
        for _ in 0..count {
            let (target, tally) = (target.clone(), tally.clone());
            players.spawn_local(async move { player::play(&target, to, manner, &tally).await });
            tokio::time::sleep(CONNECT_EVERY).await;
        }
    }
    tokio::time::sleep(SETTLE).await;
    let (begin, peak) = (usage(), RefCell::new(usage()));
    let began = Instant::now();
    good.borrow_mut().begin();
    let files_left = if options.stalled > 0 { begin.files.saturating_sub(options.stalled) } else { 0 };
    let mut cut_after = None;
    while began.elapsed() < Duration::from_secs(options.seconds) {
        tokio::time::sleep(LOOK_EVERY).await;
        if options.stalled > 0 {
            let look = usage();
            if look.rss_kib > peak.borrow().rss_kib {
                *peak.borrow_mut() = look;
            }
            if cut_after.is_none() && look.files <= files_left {
                cut_after = Some((began.elapsed() + SETTLE).as_secs_f64());
            }
        }
    }
    let span = began.elapsed().as_secs_f64();
    let end = usage();
    good.borrow_mut().end();
    let count = options.count.max(1) as f64;
    let cores = (end.cpu - begin.cpu) / span;
    let mut report = json!({
        "players": options.count,
        "seconds": span,
        "good": good.borrow_mut().report(),
        "cpu_percent": cores * 100.0,
        "cpu_percent_per_player": cores * 100.0 / count,
        "rss_kib": { "before": before.rss_kib, "during": end.rss_kib },
        "rss_kib_per_player": (end.rss_kib as f64 - before.rss_kib as f64) / count,
    });
    if options.stalled > 0 {
        report["stalled"] = json!({
            "players": options.stalled,
            "seen": stalled.borrow_mut().report(),
            "rss_kib_peak": peak.borrow().rss_kib,
            "cut_after_seconds": cut_after,
        });
    }
    Ok(report)
}
