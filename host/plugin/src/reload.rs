//! Takes another component while the old one serves.
//!
//! Everything that can fail comes first: reading, compiling, instantiating, asking what it is, settling
//! with all others. Then one pointer changes. Calls in flight finish on the old generation, calls that
//! begin later are the next one's, and nobody waits for anybody.
//!
//! One component at a time: a long compilation delays others, not calls.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use heliu_model::Namespace;
use tokio::time::{MissedTickBehavior, interval};

use crate::claim::{self, Claim};
use crate::load::LoadError;
use crate::lookout::{Finding, Lookout, Sight};
use crate::plugin::{Plugin, Standing};
use crate::plugins::Plugins;
use crate::workshop::Source;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a plugin did not go back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// The configuration has none of this name.
    #[error("there is no plugin {0}")]
    Unknown(String),
    /// It is the first component, or the one before is not kept.
    #[error("plugin {0} has no component to go back to")]
    NothingBefore(Namespace),
    /// The configuration, or another plugin, has changed since.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// What was seen of each plugin's file.
pub(crate) type Lookouts = BTreeMap<Namespace, Lookout>;

impl Plugins {
    /// Looks at all files once a second, and when asked to, for ever.
    pub async fn keep_current(self) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = self.inner.look_again.notified() => self.forget_refusals().await,
            }
            self.look().await;
        }
    }

    /// Asks [`keep_current`](Self::keep_current) to look at once, also at what it has refused before.
    pub fn look_again(&self) {
        self.inner.look_again.notify_one();
    }

    /// Looks at every file once. A content that two looks in a row have found serves afterwards, or is
    /// refused with a line in the log.
    pub async fn look(&self) {
        let mut lookouts = self.inner.lookouts.lock().await;
        let mut has_changed = false;
        for plugin in self.iter() {
            let lookout = lookouts.entry(plugin.namespace().clone()).or_default();
            let sight = match look_at(plugin, lookout).await {
                Some(Finding::Take(sight)) => sight,
                // Also where something refused has lain meanwhile.
                Some(Finding::Serving) => {
                    plugin.set_standing(Standing::Current);
                    continue;
                }
                Some(Finding::Pinned) => {
                    plugin.set_standing(Standing::RolledBack);
                    continue;
                }
                Some(Finding::Wait) | None => continue,
            };
            match self.take(plugin, sight).await {
                Ok(true) => {
                    lookout.pin_against(None);
                    has_changed = true;
                }
                Ok(false) => {}
                Err(error) => {
                    lookout.refuse(sight);
                    let generation = plugin.generation().number();
                    tracing::error!(plugin = %plugin.namespace(), %error, generation, "component refused, the old one serves on");
                    plugin.set_standing(Standing::Refused(error.to_string()));
                }
            }
        }
        if has_changed {
            lookouts.values_mut().for_each(Lookout::forget_refusal);
        }
    }

    /// Goes back to the component that served before, and stays there until another one comes into the
    /// file; once more goes forward again. Survives a restart.
    ///
    /// # Errors
    /// There is no such plugin, nothing to go back to, or it does not load any more. Nothing has changed.
    pub async fn rollback(&self, plugin: &str) -> Result<(), RollbackError> {
        let named = self.iter().find(|known| known.namespace().as_str() == plugin);
        let plugin = named.ok_or_else(|| RollbackError::Unknown(plugin.to_owned()))?;
        let name = plugin.namespace();
        let mut lookouts = self.inner.lookouts.lock().await;
        let workshop = self.inner.loader.workshop();
        let source = workshop.previous(name).await.ok_or_else(|| RollbackError::NothingBefore(name.clone()))?;
        let serving = plugin.generation().component();
        let file = Source::read(plugin.config()).await.map_or(serving, |source| source.hash);
        self.replace(plugin, &source).await?;
        workshop.gone_back(name, file).await;
        let is_back = file != source.hash;
        plugin.set_standing(if is_back { Standing::RolledBack } else { Standing::Current });
        let lookout = lookouts.entry(name.clone()).or_default();
        lookout.pin_against(is_back.then_some(file));
        lookouts.values_mut().for_each(Lookout::forget_refusal);
        Ok(())
    }

    async fn forget_refusals(&self) {
        self.inner.lookouts.lock().await.values_mut().for_each(Lookout::forget_refusal);
    }

    /// False: the file has changed again since it was looked at.
    async fn take(&self, plugin: &Plugin, sight: Sight) -> Result<bool, LoadError> {
        let source = Source::read(plugin.config()).await?;
        if sight != Sight::Component(source.hash) {
            return Ok(false);
        }
        self.replace(plugin, &source).await?;
        plugin.set_standing(Standing::Current);
        self.inner.loader.workshop().served(plugin.namespace(), &source).await;
        Ok(true)
    }

    /// Lets another component serve, or changes nothing.
    async fn replace(&self, plugin: &Plugin, source: &Source) -> Result<(), LoadError> {
        let loaded = self.inner.loader.load(plugin.config(), source).await?;
        let claim = Claim::new(plugin.config(), &loaded)?;
        let others = self.iter().filter(|other| other.namespace() != plugin.namespace());
        let others: Vec<_> = others.map(|other| other.generation()).collect();
        let claims: Vec<&Claim> = others.iter().map(|other| other.claim()).chain([&claim]).collect();
        let owners = claim::settle(&claims)?;
        let old = plugin.generation();
        plugin.serve(old.succeeded_by(loaded, claim));
        self.inner.apps.replace(owners);
        self.inner.swaps.fetch_add(1, Ordering::Release);
        let next = plugin.generation();
        let (old, component) = (old.component().short(), next.component().short());
        tracing::info!(plugin = %plugin.namespace(), generation = next.number(), component, old, "plugin replaced");
        Ok(())
    }
}

async fn look_at(plugin: &Plugin, lookout: &mut Lookout) -> Option<Finding> {
    let (path, serving) = (plugin.config().component.clone(), plugin.generation().component());
    let mut looking = lookout.clone();
    let looked = tokio::task::spawn_blocking(move || (looking.look(&path, serving), looking)).await;
    let (finding, looked) = looked.ok()?;
    *lookout = looked;
    Some(finding)
}
