//! What a worker runs by order: mixers and egresses, and how far each is.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use heliu_model::{
    EgressId, EgressIntent, EgressReality, EgressStage, EndpointId, MixerId, MixerIntent, MixerReality, MixerStage,
    Observed, Revision,
};
use tokio::sync::Notify;

use crate::clock::wall;

/// One worker's jobs.
#[derive(Default)]
pub struct Jobs {
    mixers: BTreeMap<MixerId, MixerJob>,
    egresses: BTreeMap<EgressId, EgressJob>,
}

/// A mixer and the endpoint that is it.
pub struct MixerJob {
    pub reality: MixerReality,
    pub endpoint: EndpointId,
}

/// An egress and the task that carries it out.
pub struct EgressJob {
    pub reality: EgressReality,
    pub endpoint: EndpointId,
    pub stop: Rc<Notify>,
}

impl Jobs {
    pub fn mixer(&self, id: &MixerId) -> Option<&MixerJob> {
        self.mixers.get(id)
    }

    pub fn egress(&self, id: &EgressId) -> Option<&EgressJob> {
        self.egresses.get(id)
    }

    /// A mixer begins (again).
    pub fn start_mixer(&mut self, id: MixerId, revision: Revision, intent: Arc<MixerIntent>, endpoint: EndpointId) {
        let failures = self.mixers.get(&id).map_or(0, |job| job.reality.failures);
        let reality = MixerReality { revision, intent, stage: MixerStage::Starting, since: wall(), failures };
        self.mixers.insert(id, MixerJob { reality, endpoint });
    }

    /// A running mixer follows another wish.
    pub fn change_mixer(&mut self, id: &MixerId, revision: Revision, intent: Arc<MixerIntent>) {
        if let Some(job) = self.mixers.get_mut(id) {
            job.reality.revision = revision;
            job.reality.intent = intent;
        }
    }

    /// First output.
    pub fn mixer_runs(&mut self, id: &MixerId) {
        if let Some(MixerJob { reality, .. }) = self.mixers.get_mut(id) {
            reality.stage = MixerStage::Running;
            reality.since = wall();
            reality.failures = 0;
        }
    }

    /// Ended by itself.
    pub fn mixer_failed(&mut self, id: &MixerId, detail: String) {
        if let Some(MixerJob { reality, .. }) = self.mixers.get_mut(id) {
            reality.stage = MixerStage::Failed { detail };
            reality.since = wall();
            reality.failures += 1;
        }
    }

    /// Ended by order.
    pub fn remove_mixer(&mut self, id: &MixerId) -> Option<MixerJob> {
        self.mixers.remove(id)
    }

    /// An egress begins (again).
    pub fn start_egress(
        &mut self,
        id: EgressId,
        revision: Revision,
        intent: Arc<EgressIntent>,
        endpoint: EndpointId,
    ) -> Rc<Notify> {
        let before = self.egresses.get(&id).map(|job| (job.reality.failures, job.reality.detail.clone()));
        let (failures, detail) = before.unwrap_or_default();
        let stage = EgressStage::Starting;
        let reality = EgressReality { revision, intent, stage, since: wall(), failures, detail };
        let stop = Rc::new(Notify::new());
        self.egresses.insert(id, EgressJob { reality, endpoint, stop: stop.clone() });
        stop
    }

    /// A running egress takes other sources to the same URL.
    pub fn change_egress(&mut self, id: &EgressId, revision: Revision, intent: Arc<EgressIntent>) {
        if let Some(job) = self.egresses.get_mut(id) {
            job.reality.revision = revision;
            job.reality.intent = intent;
        }
    }

    /// Notes how far it is; false: it was so already, or is stopping.
    pub fn set_egress_stage(&mut self, id: &EgressId, stage: EgressStage) -> bool {
        let Some(EgressJob { reality, .. }) = self.egresses.get_mut(id) else { return false };
        if reality.stage == stage || reality.stage == EgressStage::Stopping {
            return false;
        }
        reality.stage = stage;
        reality.since = wall();
        true
    }

    /// It has run for long: what went wrong before is forgotten. False: nothing had.
    pub fn settle_egress(&mut self, id: &EgressId) -> bool {
        let Some(EgressJob { reality, .. }) = self.egresses.get_mut(id) else { return false };
        reality.detail.clear();
        std::mem::take(&mut reality.failures) > 0
    }

    /// Asks its task to end.
    pub fn stop_egress(&mut self, id: &EgressId) {
        let Some(job) = self.egresses.get_mut(id) else { return };
        if job.reality.stage == EgressStage::Down {
            self.egresses.remove(id);
            return;
        }
        job.reality.stage = EgressStage::Stopping;
        job.reality.since = wall();
        job.stop.notify_one();
    }

    /// Its task has ended: gone if that was ordered, else down with the reason.
    pub fn egress_ended(&mut self, id: &EgressId, endpoint: EndpointId, detail: String) {
        let Some(job) = self.egresses.get_mut(id).filter(|job| job.endpoint == endpoint) else { return };
        if job.reality.stage == EgressStage::Stopping {
            self.egresses.remove(id);
            return;
        }
        job.reality.stage = EgressStage::Down;
        job.reality.since = wall();
        job.reality.failures += 1;
        job.reality.detail = detail;
    }

    /// Asks all to end.
    pub fn stop_all(&mut self) {
        let ids: Vec<EgressId> = self.egresses.keys().cloned().collect();
        ids.iter().for_each(|id| self.stop_egress(id));
    }

    /// Egresses whose connection is not closed yet.
    pub fn egresses_open(&self) -> usize {
        self.egresses.len()
    }

    /// As the reconciler sees it.
    pub fn observed(&self) -> Observed {
        Observed {
            mixers: self.mixers.iter().map(|(id, job)| (id.clone(), job.reality.clone())).collect(),
            egresses: self.egresses.iter().map(|(id, job)| (id.clone(), job.reality.clone())).collect(),
            addresses: BTreeMap::new(),
        }
    }
}
