//! The loop: reads wishes and reality, asks the reconciler, carries its commands over.
//!
//! It runs on every change of either side and when a retry is due. It keeps nothing that it could not
//! lose: after a restart it begins with what the store holds and a media plane that does nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_model::{Command, Intents, Namespace, Observed, Timestamp};
use heliu_reconcile::Reconciler;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::courier::Courier;
use crate::job_watch::JobWatch;
use crate::side::MediaSide;
use crate::stats::Stats;
use crate::view::HostView;

/// After a store that could not be read.
const READ_AGAIN_AFTER_MS: u64 = 1_000;

pub(crate) struct Reconciling {
    pub(crate) view: HostView,
    pub(crate) media: Arc<dyn MediaSide>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) stats: Arc<Stats>,
    /// Wishes of plugins that are not loaded do not count.
    pub(crate) namespaces: BTreeSet<Namespace>,
}

impl Reconciling {
    /// For ever.
    pub(crate) async fn run(self) {
        let clock = self.view.clock();
        let mut revisions = self.view.store().revisions();
        let mut changes = self.media.changes();
        let mut reconciler = Reconciler::default();
        let mut jobs = JobWatch::default();
        let mut intents = Intents::default();
        // The revision at which the wishes were read.
        let mut read_at = None;
        loop {
            changes.borrow_and_update();
            let revision = *revisions.borrow_and_update();
            if read_at != Some(revision) {
                read_at = self.read(&mut intents).then_some(revision);
            }
            let mut wake_at = self.turn(&mut reconciler, &mut jobs, &intents).await;
            if read_at.is_none() {
                let again_at = Timestamp(clock.now().0 + READ_AGAIN_AFTER_MS);
                wake_at = Some(wake_at.map_or(again_at, |wake| wake.min(again_at)));
            }
            if wait(clock, wake_at, &mut revisions, &mut changes).await.is_err() {
                return;
            }
        }
    }

    async fn turn(&self, reconciler: &mut Reconciler, jobs: &mut JobWatch, intents: &Intents) -> Option<Timestamp> {
        let now = self.view.clock().now();
        let status = self.media.status();
        self.tell(jobs, intents, &status.observed, now);
        let plan = reconciler.step(intents, &status.observed, now);
        for command in plan.commands {
            log(&command);
            self.stats.commands.add(1);
            self.media.apply(command).await;
        }
        plan.wake_at
    }

    fn tell(&self, jobs: &mut JobWatch, intents: &Intents, observed: &Observed, now: Timestamp) {
        for event in jobs.look(&self.view, intents, observed, now) {
            self.courier.tell(&event.room, event.words, now);
        }
        self.view.retain_wishes(intents);
    }

    /// False: the store cannot be read. Then the wishes known so far go on to be carried out.
    fn read(&self, intents: &mut Intents) -> bool {
        match self.view.store().intents() {
            Ok(read) => *intents = read,
            Err(error) => {
                tracing::error!(%error, "intents cannot be read");
                return false;
            }
        }
        intents.mixers.retain(|id, _| self.namespaces.contains(&id.namespace()));
        intents.egresses.retain(|id, _| self.namespaces.contains(&id.namespace()));
        intents.addresses.retain(|_, (_, intent)| self.namespaces.contains(&intent.room.namespace()));
        true
    }
}

/// An error: the store or the media plane is gone.
async fn wait(
    clock: Clock,
    wake_at: Option<Timestamp>,
    revisions: &mut watch::Receiver<heliu_model::Revision>,
    changes: &mut watch::Receiver<u64>,
) -> Result<(), watch::error::RecvError> {
    tokio::select! {
        changed = revisions.changed() => changed,
        changed = changes.changed() => changed,
        () = clock.nap(wake_at) => Ok(()),
    }
}

/// Ids only: a URL holds its stream key. What becomes of a mixer or an egress is told where it happens.
fn log(command: &Command) {
    match command {
        Command::PutMixer(mixer, revision, intent) => {
            tracing::debug!(room = %intent.room, %mixer, revision = revision.0, "mixer ordered");
        }
        Command::StopMixer(mixer) => tracing::debug!(%mixer, "mixer ends"),
        Command::PutEgress(egress, revision, intent) => {
            tracing::debug!(room = %intent.room, %egress, revision = revision.0, "egress ordered");
        }
        Command::StopEgress(egress) => tracing::debug!(%egress, "egress ends"),
        Command::PutAddress(_, intent) => {
            tracing::info!(room = %intent.room, address = %intent.address, "address opened");
        }
        Command::StopAddress(address) => tracing::info!(%address, "address closed"),
    }
}
