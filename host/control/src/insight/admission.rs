//! One answer of the door.

use heliu_model::Direction;
use serde_json::{Value, json};

use crate::admissions::Admission;

pub(super) fn words(admission: &Admission) -> Value {
    let direction = match admission.direction {
        Direction::Publish => "publish",
        Direction::Play => "play",
    };
    let answer = match &admission.answer {
        Ok(grant) => json!({
            "is": "granted",
            "room": grant.room.as_str(),
            "participant": grant.participant.as_str(),
            "publication": grant.publication.as_str(),
        }),
        Err(refusal) => json!({ "is": "refused", "status": refusal.status, "reason": refusal.reason }),
    };
    json!({
        "at": admission.at,
        "protocol": admission.protocol,
        "direction": direction,
        "peer": admission.peer,
        "plugin": admission.plugin.as_ref().map(heliu_model::Namespace::as_str),
        "answer": answer,
    })
}
