//! The words plugins read.

use heliu_model::{EgressReality, EgressStage, JobState, MixerReality, MixerStage, Revision, Timestamp};

use super::fake::{egress, egress_id, mixer, mixer_id};
use crate::{egress_job, mixer_job};

#[test]
fn an_egress_is_told_in_the_contracts_words() {
    use {EgressStage as Stage, JobState as State};
    for (what, stage, revision, failures, attempts_max, want) in [
        ("ordered, nothing there", None, 2, 0, None, State::Starting),
        ("first try", Some(Stage::Starting), 2, 0, None, State::Starting),
        ("a later try", Some(Stage::Starting), 2, 2, None, State::Retrying),
        ("media flows", Some(Stage::Running), 2, 0, None, State::Running),
        ("media flows as wished before", Some(Stage::Running), 1, 0, None, State::Changing),
        ("no media", Some(Stage::Stalled), 2, 0, None, State::Stalled),
        ("closing, then moves", Some(Stage::Stopping), 1, 0, None, State::Changing),
        ("closing, was wished again", Some(Stage::Stopping), 2, 0, None, State::Starting),
        ("waits for the next try", Some(Stage::Down), 2, 1, None, State::Retrying),
        ("tries are left", Some(Stage::Down), 2, 2, Some(3), State::Retrying),
        ("no tries are left", Some(Stage::Down), 2, 3, Some(3), State::Failed),
        ("no tries were left, but there is another wish", Some(Stage::Down), 1, 3, Some(3), State::Starting),
    ] {
        let intent = egress(0, attempts_max);
        let reality = stage.map(|stage| EgressReality {
            revision: Revision(revision),
            intent: intent.clone(),
            stage,
            since: Timestamp(7),
            failures,
            detail: "refused".into(),
        });
        let job = egress_job(&egress_id(1), &(Revision(2), intent), reality.as_ref(), Timestamp(5));
        assert_eq!((job.id.as_str(), job.state), ("e1", want), "{what}");
    }
}

#[test]
fn a_mixer_is_told_in_the_contracts_words() {
    use {JobState as State, MixerStage as Stage};
    let failed = || Stage::Failed { detail: "no encoder".into() };
    for (what, stage, revision, failures, want) in [
        ("ordered, nothing there", None, 2, 0, (State::Starting, 5, 0, "")),
        ("first try", Some(Stage::Starting), 2, 0, (State::Starting, 7, 0, "")),
        ("a later try", Some(Stage::Starting), 2, 1, (State::Retrying, 7, 1, "")),
        ("composes", Some(Stage::Running), 2, 0, (State::Running, 7, 0, "")),
        ("composes the former scene", Some(Stage::Running), 1, 0, (State::Changing, 7, 0, "")),
        ("closing, then moves", Some(Stage::Stopping), 1, 0, (State::Changing, 7, 0, "")),
        ("ended by itself", Some(failed()), 2, 2, (State::Failed, 7, 2, "no encoder")),
        ("ended by itself, but there is another wish", Some(failed()), 1, 2, (State::Starting, 5, 0, "")),
    ] {
        let intent = mixer(0);
        let reality = stage.map(|stage| MixerReality {
            revision: Revision(revision),
            intent: intent.clone(),
            stage,
            since: Timestamp(7),
            failures,
        });
        let job = mixer_job(&mixer_id(1), &(Revision(2), intent), reality.as_ref(), Timestamp(5));
        assert_eq!((job.state, job.since.0, job.retries, job.detail.as_str()), want, "{what}");
    }
}
