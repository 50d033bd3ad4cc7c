//! Decides who may publish and play, by asking the owner of the address's app. Peers that were refused
//! again and again are answered without asking ([`crate::backoff`]).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_media::Admit;
use heliu_model::{Address, AddressIntent, Attempt, Direction, Grant, Namespace, ParticipantId, Refusal, Takeover};
use heliu_plugin::Plugins;
use heliu_store::ReadError;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::side::PluginSide;
use crate::stats::Count;
use crate::view::HostView;

/// Whoever plays a public name is nobody in particular.
const ANYBODY: &str = "viewer";
/// The protocol of this host's push into itself: no stranger, and repeated by the host's own rules.
const OWN_PUSH: &str = "egress";

/// The media plane's [`Admit`]. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    view: HostView,
    /// In order of their names.
    plugins: Arc<[Arc<dyn PluginSide>]>,
    backoff: Arc<Mutex<Backoff>>,
    counts: Arc<Counts>,
}

/// Attempts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoorStats {
    /// Let in.
    pub admitted: u64,
    /// Kept out, by a plugin or because nobody serves the address.
    pub refused: u64,
    /// Kept out without asking, because the peer was refused again and again.
    pub shut: u64,
}

#[derive(Debug, Default)]
struct Counts {
    admitted: Count,
    refused: Count,
    shut: Count,
}

impl Door {
    /// Asks these plugins.
    #[must_use]
    pub fn new(view: &HostView, plugins: &Plugins) -> Self {
        let side = |plugin: &Arc<heliu_plugin::Plugin>| -> Arc<dyn PluginSide> { plugin.clone() };
        Self::with(view, plugins.iter().map(side).collect())
    }

    pub(crate) fn with(view: &HostView, plugins: Vec<Arc<dyn PluginSide>>) -> Self {
        Self { view: view.clone(), plugins: plugins.into(), backoff: Arc::default(), counts: Arc::default() }
    }

    /// What became of attempts so far.
    #[must_use]
    pub fn stats(&self) -> DoorStats {
        let Counts { admitted, refused, shut } = &*self.counts;
        DoorStats { admitted: admitted.get(), refused: refused.get(), shut: shut.get() }
    }

    async fn decide(self, attempt: Attempt) -> Result<Grant, Refusal> {
        if self.is_shut(&attempt) {
            self.counts.shut.add(1);
            // As many as a stranger likes: no line of its own.
            tracing::debug!(attempt = attempt.id, peer = attempt.peer, "client refused without asking");
            return Err(Refusal { status: 429, reason: "refused too often, try again later".to_owned() });
        }
        let (plugin, answer) = self.ask(&attempt).await;
        self.view.admissions().note(&attempt, plugin, &answer, self.view.clock().now());
        let count = if answer.is_ok() { &self.counts.admitted } else { &self.counts.refused };
        count.add(1);
        log(&attempt, &answer);
        answer
    }

    /// Who answers, and what.
    async fn ask(&self, attempt: &Attempt) -> (Option<Namespace>, Result<Grant, Refusal>) {
        if attempt.direction == Direction::Play {
            match self.public(&attempt.address) {
                Ok(Some(intent)) => return (Some(intent.room.namespace()), Ok(open(&intent))),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "public names cannot be read");
                    return (None, Err(Refusal { status: 503, reason: "try again later".to_owned() }));
                }
            }
        }
        match self.plugins.iter().find(|plugin| plugin.owns_app(attempt.address.app())) {
            Some(plugin) => {
                let answer = plugin.admit(attempt).await;
                self.note(attempt, answer.is_ok());
                (Some(plugin.namespace().clone()), answer)
            }
            None => (None, Err(Refusal { status: 404, reason: "nobody serves this address".to_owned() })),
        }
    }

    /// A public name is open to players whatever happened before.
    fn is_shut(&self, attempt: &Attempt) -> bool {
        let is_public = || {
            attempt.direction == Direction::Play && self.public(&attempt.address).is_ok_and(|public| public.is_some())
        };
        attempt.protocol != OWN_PUSH && self.backoff().is_shut(attempt, Instant::now()) && !is_public()
    }

    fn note(&self, attempt: &Attempt, is_granted: bool) {
        if attempt.protocol == OWN_PUSH {
            return;
        }
        let mut backoff = self.backoff();
        if is_granted { backoff.granted(attempt) } else { backoff.refused(attempt, Instant::now()) }
    }

    fn backoff(&self) -> MutexGuard<'_, Backoff> {
        self.backoff.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Two plugins with one name: the first in order has it, as in the loop.
    fn public(&self, address: &Address) -> Result<Option<Arc<AddressIntent>>, ReadError> {
        let snapshot = self.view.store().snapshot()?;
        for plugin in self.plugins.iter() {
            if let Some((_, intent)) = snapshot.address(plugin.namespace(), address)? {
                return Ok(Some(intent));
            }
        }
        Ok(None)
    }
}

impl Admit for Door {
    fn admit(&self, attempt: Attempt) -> BoxFuture<'static, Result<Grant, Refusal>> {
        self.clone().decide(attempt).boxed()
    }
}

/// Without the query, which may hold a key.
fn log(attempt: &Attempt, answer: &Result<Grant, Refusal>) {
    let Attempt { address, protocol, direction, peer, .. } = attempt;
    match answer {
        Ok(Grant { room, publication, .. }) => {
            tracing::info!(%room, %address, %publication, protocol, ?direction, peer, "client admitted");
        }
        Err(Refusal { status, reason: cause }) => {
            tracing::info!(%address, protocol, ?direction, peer, status, cause, "client refused");
        }
    }
}

fn open(intent: &AddressIntent) -> Grant {
    Grant {
        room: intent.room.clone(),
        participant: ANYBODY.parse::<ParticipantId>().expect("a plain word is an id"),
        publication: intent.publication.clone(),
        audio: true,
        video: true,
        takeover: Takeover::Refuse,
        wait: Duration::from_millis(intent.wait_ms.into()),
        hold: Duration::from_millis(intent.hold_ms.into()),
        bitrate_kbps_max: None,
        time_max: None,
    }
}
