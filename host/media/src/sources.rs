//! The operator's own ingests: each asks for admission as everybody does and publishes until it is told
//! to stop.
//!
//! One task per source on the edge. A try that came to nothing or ended is told in one line and followed
//! by another after 1 … 30 seconds; one that held for thirty seconds begins again at one. A source never
//! takes a name from somebody: it waits until the name is free.

use std::sync::Arc;
use std::time::Duration;

use heliu_model::{Address, Attempt, Direction, Refusal};
use heliu_pattern::Pattern;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::director::{Director, Order};
use crate::endpoint::{Ended, Sourced};

const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// The longest pause, and how long a try must hold to count as a success.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// An ingest of the operator.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it publishes.
    pub address: Address,
    /// For admission. May hold a secret: never in a log.
    pub query: Option<String>,
    /// What it publishes.
    pub pattern: Pattern,
}

/// Why a try is over.
#[derive(Debug, thiserror::Error)]
enum Down {
    #[error("this host refused: {} {}", .0.status, .0.reason)]
    Refused(Refusal),
    #[error("{0}")]
    Ended(Ended),
    /// Its worker stopped, or a bug ended its room.
    #[error("its room is over")]
    Lost,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("address", &self.address).field("pattern", &self.pattern).finish_non_exhaustive()
    }
}

/// Keeps all sources going until the set is dropped.
pub fn start(sources: Vec<Source>, director: &Arc<Director>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for source in sources {
        tasks.spawn(keep_going(source, director.clone()));
    }
    tasks
}

async fn keep_going(source: Source, director: Arc<Director>) {
    let mut pause = PAUSE_FIRST;
    loop {
        let begin = Instant::now();
        let cause = publish(&source, &director).await;
        if begin.elapsed() >= PAUSE_MAX {
            pause = PAUSE_FIRST;
        }
        tracing::warn!(address = %source.address, %cause, again_in = ?pause, "source down");
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(PAUSE_MAX);
    }
}

/// One try, until it is over.
async fn publish(source: &Source, director: &Director) -> Down {
    let attempt = Attempt {
        id: director.next_connection(),
        protocol: "source",
        direction: Direction::Publish,
        authority: None,
        address: source.address.clone(),
        query: source.query.clone(),
        headers: Vec::new(),
        peer: "127.0.0.1".to_owned(),
    };
    let grant = match director.admit(attempt.clone()).await {
        Ok(grant) => grant,
        Err(refusal) => return Down::Refused(refusal),
    };
    let (ended, over) = oneshot::channel();
    let room = grant.room.clone();
    let sourced = Sourced { attempt, grant, pattern: source.pattern.clone(), ended };
    director.order(&room, Order::Source(Box::new(sourced))).await;
    over.await.map_or(Down::Lost, Down::Ended)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;
    use heliu_codec::Pool;
    use heliu_model::{Event, EventKind, Grant, Takeover};
    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::crowd::Crowd;
    use crate::net::{Connector, EgressFilter};
    use crate::worker::Worker;
    use crate::{Admit, Config, Media, OwnNames};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_source_that_was_refused_asks_again_and_comes_back_when_its_time_is_over() {
        let door =
            Arc::new(Doorkeeper { refusals: 1, asked: AtomicU32::new(0), time_max: Some(Duration::from_secs(1)) });
        let (media, mut events) = Media::start(config(), door.clone()).await.unwrap();

        let started = next(&mut events, |kind| matches!(kind, EventKind::PublicationStarted(_))).await;
        let EventKind::PublicationStarted(status) = started else { unreachable!("as asked for") };
        assert_eq!(status.protocol, "source");
        assert!(door.asked.load(Ordering::Relaxed) >= 2);

        // The grant ends after a second.
        next(&mut events, |kind| matches!(kind, EventKind::PublicationEnded { .. })).await;
        next(&mut events, |kind| matches!(kind, EventKind::PublicationStarted(_))).await;
        media.stop().await;
    }

    #[tokio::test]
    async fn a_source_comes_back_after_a_bug_ended_its_room() {
        let (inbox, orders) = mpsc::channel(Order::INBOX);
        let (events, mut happened) = mpsc::channel(64);
        let door = Arc::new(Doorkeeper { refusals: 0, asked: AtomicU32::new(0), time_max: None });
        let edge = tokio::runtime::Handle::current();
        let connector = Connector::new(EgressFilter::new(config().egress_allow));
        let director =
            Arc::new(Director::new(vec![inbox], door, edge, OwnNames::default(), connector, events, Crowd::new(1, 1)));
        let worker = Worker::new(0, director.clone(), Pool::start(1).unwrap(), None);
        let _sources = start(config().sources, &director);
        let story = async {
            next(&mut happened, |kind| matches!(kind, EventKind::PublicationStarted(_))).await;
            worker.room(&grant().room).turn(|_| panic!("as the test wants"));
            next(&mut happened, |kind| matches!(kind, EventKind::PublicationStarted(_))).await;
        };
        let (status, _) = watch::channel(Arc::default());
        let serving = worker.clone().run(orders, status);
        let both = async {
            tokio::select! { () = serving => panic!("nobody stops it"), () = story => {} }
        };
        tokio::task::LocalSet::new().run_until(both).await;
    }

    #[test]
    fn a_query_does_not_show() {
        let source = config().sources.remove(0);
        assert!(!format!("{source:?}").contains("hunter2"));
    }

    /// Refuses the first who come, and lets the others in for a while.
    struct Doorkeeper {
        refusals: u32,
        asked: AtomicU32,
        time_max: Option<Duration>,
    }

    impl Admit for Doorkeeper {
        fn admit(&self, attempt: Attempt) -> BoxFuture<'static, Result<Grant, Refusal>> {
            let has_asked = self.asked.fetch_add(1, Ordering::Relaxed);
            let is_known = attempt.protocol == "source" && attempt.query.as_deref() == Some("key=hunter2");
            let answer = if has_asked < self.refusals || !is_known {
                Err(Refusal { status: 403, reason: "not yet".to_owned() })
            } else {
                Ok(Grant { time_max: self.time_max, ..grant() })
            };
            std::future::ready(answer).boxed()
        }
    }

    fn grant() -> Grant {
        Grant {
            room: "ns/r".parse().unwrap(),
            participant: "operator".parse().unwrap(),
            publication: "demo".parse().unwrap(),
            audio: true,
            video: true,
            takeover: Takeover::Replace,
            wait: Duration::ZERO,
            hold: Duration::ZERO,
            bitrate_kbps_max: None,
            time_max: None,
        }
    }

    fn config() -> Config {
        let source = Source {
            address: "live/demo".to_owned().try_into().unwrap(),
            query: Some("key=hunter2".to_owned()),
            pattern: Pattern::parse("test:bars?size=160x96").unwrap(),
        };
        Config { rtmp: None, workers: 2, sources: vec![source], ..Config::default() }
    }

    async fn next(events: &mut mpsc::Receiver<Event>, is_it: impl Fn(&EventKind) -> bool) -> EventKind {
        let look = async {
            loop {
                let event = events.recv().await.expect("the media plane runs");
                if is_it(&event.kind) {
                    return event.kind;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), look).await.expect("it happens")
    }
}
