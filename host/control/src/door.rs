//! Decides who may publish and play, by asking the owner of the address's app.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_media::Admit;
use heliu_model::{Address, AddressIntent, Attempt, Direction, Grant, ParticipantId, Refusal, Takeover};
use heliu_plugin::Plugins;
use heliu_store::{ReadError, Store};

use crate::side::PluginSide;

/// Whoever plays a public name is nobody in particular.
const ANYBODY: &str = "viewer";

/// The media plane's [`Admit`]. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    store: Store,
    /// In order of their names.
    plugins: Arc<[Arc<dyn PluginSide>]>,
}

impl Door {
    /// Asks these plugins.
    #[must_use]
    pub fn new(store: Store, plugins: &Plugins) -> Self {
        let side = |plugin: &Arc<heliu_plugin::Plugin>| -> Arc<dyn PluginSide> { plugin.clone() };
        Self::with(store, plugins.iter().map(side).collect())
    }

    pub(crate) fn with(store: Store, plugins: Vec<Arc<dyn PluginSide>>) -> Self {
        Self { store, plugins: plugins.into() }
    }

    async fn decide(self, attempt: Attempt) -> Result<Grant, Refusal> {
        let answer = self.ask(&attempt).await;
        let span = tracing::info_span!("admit", attempt = attempt.id, protocol = attempt.protocol);
        span.in_scope(|| match &answer {
            Ok(grant) => {
                let (room, publication) = (&grant.room, &grant.publication);
                tracing::info!(direction = ?attempt.direction, %room, %publication, "client admitted");
            }
            Err(Refusal { status, reason }) => {
                let address = &attempt.address;
                tracing::info!(direction = ?attempt.direction, %address, status, reason, "client refused");
            }
        });
        answer
    }

    async fn ask(&self, attempt: &Attempt) -> Result<Grant, Refusal> {
        if attempt.direction == Direction::Play {
            match self.public(&attempt.address) {
                Ok(Some(intent)) => return Ok(open(&intent)),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "public names cannot be read");
                    return Err(Refusal { status: 503, reason: "try again later".to_owned() });
                }
            }
        }
        match self.plugins.iter().find(|plugin| plugin.owns_app(attempt.address.app())) {
            Some(plugin) => plugin.admit(attempt).await,
            None => Err(Refusal { status: 404, reason: "nobody serves this address".to_owned() }),
        }
    }

    /// Two plugins with one name: the first in order has it, as in the loop.
    fn public(&self, address: &Address) -> Result<Option<Arc<AddressIntent>>, ReadError> {
        let snapshot = self.store.snapshot()?;
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
