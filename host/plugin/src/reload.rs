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
use crate::lookout::{Lookout, Sight};
use crate::plugin::Plugin;
use crate::plugins::Plugins;
use crate::workshop::Source;

const LOOK_EVERY: Duration = Duration::from_secs(1);

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
            let Some(sight) = look_at(plugin, lookout).await else { continue };
            match self.take(plugin, sight).await {
                Ok(is_taken) => has_changed |= is_taken,
                Err(error) => {
                    lookout.refuse(sight);
                    let generation = plugin.generation().number();
                    tracing::error!(plugin = %plugin.namespace(), %error, generation, "component refused, the old one serves on");
                    plugin.set_refused(Some(error.to_string()));
                }
            }
        }
        if has_changed {
            lookouts.values_mut().for_each(Lookout::forget_refusal);
        }
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
        plugin.set_refused(None);
        self.inner.swaps.fetch_add(1, Ordering::Release);
        let next = plugin.generation();
        let (old, component) = (old.component().short(), next.component().short());
        tracing::info!(plugin = %plugin.namespace(), generation = next.number(), component, old, "plugin replaced");
        Ok(())
    }
}

async fn look_at(plugin: &Plugin, lookout: &mut Lookout) -> Option<Sight> {
    let (path, serving) = (plugin.config().component.clone(), plugin.generation().component());
    let mut looking = lookout.clone();
    let looked = tokio::task::spawn_blocking(move || (looking.look(&path, serving), looking)).await;
    let (sight, looked) = looked.ok()?;
    *lookout = looked;
    sight
}
