//! One component of a personality while it serves: what it says about itself, and the four calls into it.
//!
//! Whoever holds a generation finishes on it, also when the next one serves already: what a path meant
//! and who answers belong together.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use heliu_model::{Attempt, Grant, Namespace, Refusal, Timestamp};

use crate::calls::{Admit, HandleAlarm, HandleEvent, HandleRequest};
use crate::claim::{self, Claim};
use crate::config::PluginConfig;
use crate::content_hash::ContentHash;
use crate::context::Context;
use crate::descriptor::{Descriptor, Face};
use crate::exchange::{Request, Response};
use crate::fault::Fault;
use crate::happening::{Alarm, PluginEvent};
use crate::load::Loaded;
use crate::run::{Runner, Terms};
use crate::turns::Turns;

/// A component that serves, or has served. Calls may come from any task at any time; each is one
/// transaction.
pub struct Generation {
    number: u64,
    component: ContentHash,
    since: Timestamp,
    descriptor: Descriptor,
    base: String,
    claim: Claim,
    runner: Runner,
}

impl Generation {
    /// The first one of a plugin; all of them share `context` and `turns`.
    pub(crate) fn first(
        config: &PluginConfig,
        loaded: Loaded,
        claim: Claim,
        context: Arc<Context>,
        turns: Arc<Turns>,
    ) -> Self {
        let Loaded { component, linked, exports, descriptor } = loaded;
        let runner = Runner::new(context, turns, linked, exports);
        let base = claim::base(config).to_owned();
        Self { number: 1, component, since: now(), descriptor, base, claim, runner }
    }

    /// The next one, of another component.
    pub(crate) fn succeeded_by(&self, loaded: Loaded, claim: Claim) -> Self {
        let Loaded { component, linked, exports, descriptor } = loaded;
        let runner = self.runner.succeeded_by(linked, exports);
        let (number, base) = (self.number + 1, self.base.clone());
        Self { number, component, since: now(), descriptor, base, claim, runner }
    }

    /// From 1 in each life of the host.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Names its component.
    #[must_use]
    pub fn component(&self) -> ContentHash {
        self.component
    }

    /// When it began to serve.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.runner.context.namespace
    }

    /// What it says about itself.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Where its routes begin: empty for the root, else `/prefix`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// How a raw request path looks to the outside.
    #[must_use]
    pub fn face(&self, path: &str) -> &Face {
        let inner = path.strip_prefix(self.base.as_str()).unwrap_or(path);
        self.descriptor.face(if inner.is_empty() { "/" } else { inner })
    }

    pub(crate) fn claim(&self) -> &Claim {
        &self.claim
    }

    pub(crate) fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Answers a request that matched one of its routes. The answer leaves only after what the call
    /// recorded is durable.
    ///
    /// # Errors
    /// The host answers alone, in the face's shape for [`Fault::when`]; nothing of the call's open
    /// transaction happened.
    pub async fn handle_request(&self, request: Request) -> Result<Response, Fault> {
        let limits = &self.runner.context.limits;
        let route = self.descriptor.route(&request.route);
        let key = route.and_then(|route| serialization_key(&route.serialize, &request.params));
        let time_max = route.and_then(|route| route.time_ms_max);
        let time_max = time_max.map_or(limits.time_max, |millis| Duration::from_millis(u64::from(millis)));
        let terms = Terms { key: key.as_deref(), queue_max: time_max, time_max, cpu_max: limits.cpu_max };
        self.runner.run(&HandleRequest::new(request, limits.response_len_max), terms).await
    }

    /// May this client publish or play, and as whom?
    ///
    /// # Errors
    /// The plugin's refusal; a fault is 503.
    pub async fn admit(&self, attempt: &Attempt) -> Result<Grant, Refusal> {
        let limits = &self.runner.context.limits;
        let terms = Terms {
            key: None,
            queue_max: limits.time_max,
            time_max: limits.admit_time_max,
            cpu_max: limits.admit_cpu_max,
        };
        match self.runner.run(&Admit::new(attempt), terms).await {
            Ok(answer) => answer,
            Err(fault) => Err(Refusal { status: 503, reason: fault.to_string() }),
        }
    }

    /// Tells it what happened.
    ///
    /// # Errors
    /// It is to be told again later; nothing of the call's open transaction happened.
    pub async fn handle_event(&self, event: &PluginEvent) -> Result<(), Fault> {
        self.runner.run(&HandleEvent::new(event), self.happening(event.room.as_deref())).await
    }

    /// Tells it that a time has come, and deletes the alarm in the same transaction. One that was set
    /// again or cancelled meanwhile is passed over.
    ///
    /// # Errors
    /// It is to be told again later; nothing of the call's open transaction happened.
    pub async fn handle_alarm(&self, alarm: &Alarm) -> Result<(), Fault> {
        self.runner.run(&HandleAlarm::new(alarm), self.happening(alarm.key.as_deref())).await
    }

    fn happening<'a>(&self, key: Option<&'a str>) -> Terms<'a> {
        let limits = &self.runner.context.limits;
        Terms { key, queue_max: limits.time_max, time_max: limits.time_max, cpu_max: limits.cpu_max }
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generation")
            .field("number", &self.number)
            .field("component", &self.component)
            .finish_non_exhaustive()
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The values of these names joined by `/`; `None`: calls run side by side.
fn serialization_key(names: &[String], params: &[(String, String)]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let value = |name: &String| params.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    Some(names.iter().map(value).collect::<Vec<_>>().join("/"))
}
