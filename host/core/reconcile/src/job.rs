//! Where an intent stands, in the contract's words.

use std::sync::Arc;

use heliu_model::{
    EgressId, EgressIntent, EgressReality, EgressStage, Job, JobState, MixerId, MixerIntent, MixerReality, MixerStage,
    Revision, Timestamp,
};

use crate::plan::is_given_up;

/// A mixer. `wished_at`: since when it is known, for one that does not exist yet. A failed one is
/// `failed` until the next try begins, because the contract has no `mixer.retrying`.
#[must_use]
pub fn mixer_job(
    id: &MixerId,
    wish: &(Revision, Arc<MixerIntent>),
    reality: Option<&MixerReality>,
    wished_at: Timestamp,
) -> Job {
    let Some(reality) = reality else { return unborn(id.local(), wished_at) };
    let is_former = reality.revision != wish.0;
    let (state, detail) = match &reality.stage {
        MixerStage::Failed { .. } if is_former => return unborn(id.local(), wished_at),
        MixerStage::Failed { detail } => (JobState::Failed, detail.clone()),
        MixerStage::Stopping if !is_former => return unborn(id.local(), wished_at),
        MixerStage::Starting if reality.failures > 0 => (JobState::Retrying, String::new()),
        MixerStage::Starting => (JobState::Starting, String::new()),
        MixerStage::Running | MixerStage::Stopping if is_former => (JobState::Changing, String::new()),
        MixerStage::Running | MixerStage::Stopping => (JobState::Running, String::new()),
    };
    Job { id: id.local().to_owned(), state, since: reality.since, retries: reality.failures, detail }
}

/// An egress. `wished_at`: since when it is known, for one that does not exist yet.
#[must_use]
pub fn egress_job(
    id: &EgressId,
    wish: &(Revision, Arc<EgressIntent>),
    reality: Option<&EgressReality>,
    wished_at: Timestamp,
) -> Job {
    let Some(reality) = reality else { return unborn(id.local(), wished_at) };
    let is_former = reality.revision != wish.0;
    let state = match reality.stage {
        EgressStage::Down if is_former => return unborn(id.local(), wished_at),
        EgressStage::Down if is_given_up(reality) => JobState::Failed,
        EgressStage::Down => JobState::Retrying,
        EgressStage::Stopping if !is_former => return unborn(id.local(), wished_at),
        EgressStage::Starting if reality.failures > 0 => JobState::Retrying,
        EgressStage::Starting => JobState::Starting,
        EgressStage::Running | EgressStage::Stalled | EgressStage::Stopping if is_former => JobState::Changing,
        EgressStage::Running | EgressStage::Stopping => JobState::Running,
        EgressStage::Stalled => JobState::Stalled,
    };
    let detail = reality.detail.clone();
    Job { id: id.local().to_owned(), state, since: reality.since, retries: reality.failures, detail }
}

/// Ordered, or about to be.
fn unborn(id: &str, since: Timestamp) -> Job {
    Job { id: id.to_owned(), state: JobState::Starting, since, retries: 0, detail: String::new() }
}
