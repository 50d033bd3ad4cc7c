//! The host as plugins see it: what runs, where an intent stands, by which URLs media is reached.
//!
//! Made before plugins load and before the media plane starts, which it gets to know later. Until then
//! nothing runs and no URL is ours.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_model::{Address, EgressId, Intents, Job, JobState, MixerId, Namespace, Noun, Revision, Status, Timestamp};
use heliu_plugin::{HostLimits, Plane};
use heliu_reconcile::{egress_job, mixer_job};
use heliu_store::{ReadError, Store};
use tokio::time::Instant;

use crate::admissions::Admissions;
use crate::clock::Clock;
use crate::side::MediaSide;

const RTMP_PORT: u16 = 1935;

/// What the operator decides about the host as a whole.
#[derive(Debug, Clone)]
pub struct Config {
    /// Host names for URLs, the first is shown; empty: the one the client asked for.
    pub public_names: Vec<String>,
    /// Ceilings for all plugins together.
    pub limits: HostLimits,
}

/// The host's side of [`Plane`]. Cheap to clone.
#[derive(Clone)]
pub struct HostView(Arc<Inner>);

struct Inner {
    store: Store,
    config: Config,
    run: String,
    clock: Clock,
    media: OnceLock<Arc<dyn MediaSide>>,
    admissions: Admissions,
    /// When an intent was first seen at its revision: `since` of what does not exist yet.
    wished_at: Mutex<BTreeMap<JobName, (Revision, Timestamp)>>,
}

/// A mixer or an egress by its scoped id.
pub(crate) type JobName = (Noun, String);

impl HostView {
    /// One that knows nothing of media yet.
    #[must_use]
    pub fn new(store: Store, config: Config) -> Self {
        Self::with_clock(store, config, Clock::Wall)
    }

    pub(crate) fn with_clock(store: Store, config: Config, clock: Clock) -> Self {
        let media = OnceLock::new();
        Self(Arc::new(Inner {
            store,
            config,
            run: random_id(),
            clock,
            media,
            admissions: Admissions::default(),
            wished_at: Mutex::default(),
        }))
    }

    /// The second time changes nothing: a host has one media plane in its life.
    pub(crate) fn set_media(&self, media: Arc<dyn MediaSide>) {
        drop(self.0.media.set(media));
    }

    pub(crate) fn clock(&self) -> Clock {
        self.0.clock
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// What was answered at the door.
    pub(crate) fn admissions(&self) -> &Admissions {
        &self.0.admissions
    }

    /// What the media plane does.
    pub(crate) fn media_status(&self) -> Arc<Status> {
        self.0.media.get().map(|media| media.status()).unwrap_or_default()
    }

    /// The address behind a URL that leads to ourselves.
    pub(crate) fn locate_own(&self, url: &str) -> Option<Address> {
        self.0.media.get()?.locate(url)
    }

    /// Since when this wish is known.
    pub(crate) fn wished_at(&self, name: JobName, revision: Revision) -> Timestamp {
        let mut wished_at = self.0.wished_at.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = wished_at.entry(name).or_insert_with(|| (revision, self.0.clock.now()));
        if seen.0 != revision {
            *seen = (revision, self.0.clock.now());
        }
        seen.1
    }

    /// Forgets wishes that are gone.
    pub(crate) fn retain_wishes(&self, intents: &Intents) {
        let is_there = |name: &JobName| match name.0 {
            Noun::Mixer => name.1.parse().is_ok_and(|id: MixerId| intents.mixers.contains_key(&id)),
            Noun::Egress => name.1.parse().is_ok_and(|id: EgressId| intents.egresses.contains_key(&id)),
            Noun::Publication => false,
        };
        self.0.wished_at.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, _| is_there(name));
    }

    fn find_job(&self, namespace: &Namespace, noun: Noun, id: &str) -> Result<Option<Job>, ReadError> {
        let snapshot = self.0.store.snapshot()?;
        let status = self.status();
        match noun {
            Noun::Publication => Ok(None),
            Noun::Mixer => {
                let Ok(id) = MixerId::new(namespace, id) else { return Ok(None) };
                let Some(wish) = snapshot.mixer(&id)? else { return Ok(None) };
                let wished_at = self.wished_at((noun, id.as_str().to_owned()), wish.0);
                Ok(Some(mixer_job(&id, &wish, status.observed.mixers.get(&id), wished_at)))
            }
            Noun::Egress => {
                let Ok(id) = EgressId::new(namespace, id) else { return Ok(None) };
                let Some(wish) = snapshot.egress(&id)? else { return Ok(None) };
                let wished_at = self.wished_at((noun, id.as_str().to_owned()), wish.0);
                Ok(Some(egress_job(&id, &wish, status.observed.egresses.get(&id), wished_at)))
            }
        }
    }

    async fn settled(self, namespace: Namespace, noun: Noun, id: String, at_most: Duration) -> Option<Job> {
        let deadline = Instant::now() + at_most;
        let mut revisions = self.0.store.revisions();
        let mut changes = self.0.media.get().map(|media| media.changes());
        loop {
            revisions.borrow_and_update();
            if let Some(changes) = &mut changes {
                changes.borrow_and_update();
            }
            let job = self.job(&namespace, noun, &id)?;
            if !is_on_its_way(job.state) {
                return Some(job);
            }
            let media_changes = async {
                match &mut changes {
                    Some(changes) => drop(changes.changed().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = media_changes => {}
                _ = revisions.changed() => {}
                () = tokio::time::sleep_until(deadline) => return Some(job),
            }
        }
    }
}

impl Plane for HostView {
    fn status(&self) -> Arc<Status> {
        self.media_status()
    }

    fn job(&self, namespace: &Namespace, noun: Noun, id: &str) -> Option<Job> {
        self.find_job(namespace, noun, id).unwrap_or_else(|error| {
            tracing::error!(%error, "job cannot be read");
            None
        })
    }

    fn wait(&self, namespace: Namespace, noun: Noun, id: String, at_most: Duration) -> BoxFuture<'static, Option<Job>> {
        self.clone().settled(namespace, noun, id, at_most).boxed()
    }

    fn locate(&self, url: &str) -> Option<Address> {
        self.locate_own(url)
    }

    fn urls(&self, address: &Address, authority: Option<&str>) -> Vec<(String, String)> {
        let Some(rtmp) = self.0.media.get().and_then(|media| media.rtmp_addr()) else { return Vec::new() };
        let host = match (self.0.config.public_names.first(), authority) {
            (Some(name), _) => name.clone(),
            (None, Some(authority)) => host_of(authority).to_owned(),
            (None, None) if rtmp.is_ipv6() => format!("[{}]", rtmp.ip()),
            (None, None) => rtmp.ip().to_string(),
        };
        let port = if rtmp.port() == RTMP_PORT { String::new() } else { format!(":{}", rtmp.port()) };
        vec![("rtmp".to_owned(), format!("rtmp://{host}{port}/{address}"))]
    }

    fn host_run(&self) -> String {
        self.0.run.clone()
    }

    fn limits(&self) -> HostLimits {
        self.0.config.limits
    }
}

fn is_on_its_way(state: JobState) -> bool {
    match state {
        JobState::Starting | JobState::Changing | JobState::Retrying => true,
        JobState::Running | JobState::Stalled | JobState::Failed => false,
    }
}

/// Without the port; the brackets of an IPv6 address stay.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    }
}

/// 128 bits nobody had before: the standard library seeds its hashers from the system.
fn random_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_authority_loses_its_port() {
        for (authority, want) in
            [("h", "h"), ("h:8080", "h"), ("1.2.3.4:80", "1.2.3.4"), ("[::1]", "[::1]"), ("[::1]:80", "[::1]")]
        {
            assert_eq!(host_of(authority), want);
        }
    }
}
