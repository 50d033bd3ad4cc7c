//! The comparison itself: a pure function of wishes, reality and time.

use std::collections::BTreeMap;
use std::sync::Arc;

use heliu_model::{
    Command, EgressIntent, EgressReality, EgressStage, Intents, MixerIntent, MixerReality, MixerStage, Observed,
    Revision, Timestamp,
};

use crate::backoff::due;
use crate::url::normalised;

/// What to order, and when to look again if nothing changes before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// In this order.
    pub commands: Vec<Command>,
    /// When a retry is due; `None`: nothing waits for time.
    pub wake_at: Option<Timestamp>,
}

/// What one id needs.
enum Next {
    Nothing,
    Stop,
    /// Goes on with another wish, in its place.
    Change,
    /// Begins, if its place is free.
    Start,
    StartAt(Timestamp),
}

/// What to order so that reality comes nearer to the wishes. Silent when they are equal. Whatever must
/// move is stopped first and begins when it has left `observed`.
#[must_use]
pub fn plan(intents: &Intents, observed: &Observed, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    plan_addresses(&mut plan, intents, observed);
    plan_egresses(&mut plan, intents, observed, now);
    plan_mixers(&mut plan, intents, observed, now);
    plan
}

impl Plan {
    /// Looks again at this time, or earlier.
    pub(crate) fn wake_by(&mut self, time: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(time, |wake| wake.min(time)));
    }
}

fn plan_addresses(plan: &mut Plan, intents: &Intents, observed: &Observed) {
    let closed = observed.addresses.keys().filter(|address| !intents.addresses.contains_key(*address));
    plan.commands.extend(closed.map(|address| Command::StopAddress(address.clone())));
    for (address, (revision, intent)) in &intents.addresses {
        if observed.addresses.get(address) != Some(revision) {
            plan.commands.push(Command::PutAddress(*revision, intent.clone()));
        }
    }
}

fn plan_mixers(plan: &mut Plan, intents: &Intents, observed: &Observed, now: Timestamp) {
    let place = |intent: &MixerIntent| (intent.room.clone(), intent.publication.clone());
    let mut holders = BTreeMap::new();
    for (id, reality) in &observed.mixers {
        if !matches!(reality.stage, MixerStage::Failed { .. }) {
            holders.insert(place(&reality.intent), id);
        }
        if let Next::Stop = mixer_next(intents.mixers.get(id), Some(reality), now) {
            plan.commands.push(Command::StopMixer(id.clone()));
        }
    }
    for (id, wish) in &intents.mixers {
        let next = mixer_next(Some(wish), observed.mixers.get(id), now);
        if plan.may_put(&next, || *holders.entry(place(&wish.1)).or_insert(id) == id) {
            plan.commands.push(Command::PutMixer(id.clone(), wish.0, wish.1.clone()));
        }
    }
}

fn plan_egresses(plan: &mut Plan, intents: &Intents, observed: &Observed, now: Timestamp) {
    let mut holders = BTreeMap::new();
    for (id, reality) in &observed.egresses {
        if reality.stage != EgressStage::Down {
            holders.insert(normalised(&reality.intent.url), id);
        }
        if let Next::Stop = egress_next(intents.egresses.get(id), Some(reality), now) {
            plan.commands.push(Command::StopEgress(id.clone()));
        }
    }
    for (id, wish) in &intents.egresses {
        let next = egress_next(Some(wish), observed.egresses.get(id), now);
        if plan.may_put(&next, || *holders.entry(normalised(&wish.1.url)).or_insert(id) == id) {
            plan.commands.push(Command::PutEgress(id.clone(), wish.0, wish.1.clone()));
        }
    }
}

impl Plan {
    /// Is a put due? Who begins takes his place, unless another one is there.
    fn may_put(&mut self, next: &Next, take_place: impl FnOnce() -> bool) -> bool {
        match next {
            Next::Nothing | Next::Stop => false,
            Next::Change => true,
            Next::Start => take_place(),
            Next::StartAt(time) => {
                self.wake_by(*time);
                false
            }
        }
    }
}

fn mixer_next(wish: Option<&(Revision, Arc<MixerIntent>)>, reality: Option<&MixerReality>, now: Timestamp) -> Next {
    let Some(reality) = reality else { return Next::Start };
    if reality.stage == MixerStage::Stopping {
        return Next::Nothing;
    }
    let Some((revision, intent)) = wish else { return Next::Stop };
    match &reality.stage {
        _ if reality.intent.is_elsewhere(intent) => Next::Stop,
        // Stopped first, so that the count of failures begins anew with a wish.
        MixerStage::Failed { .. } if reality.revision != *revision => Next::Stop,
        MixerStage::Failed { .. } => retry(reality.since, reality.failures, now),
        _ if reality.revision != *revision => Next::Change,
        MixerStage::Starting | MixerStage::Running | MixerStage::Stopping => Next::Nothing,
    }
}

fn egress_next(wish: Option<&(Revision, Arc<EgressIntent>)>, reality: Option<&EgressReality>, now: Timestamp) -> Next {
    let Some(reality) = reality else { return Next::Start };
    if reality.stage == EgressStage::Stopping {
        return Next::Nothing;
    }
    let Some((revision, intent)) = wish else { return Next::Stop };
    match reality.stage {
        _ if is_elsewhere(&reality.intent, intent) => Next::Stop,
        EgressStage::Down if reality.revision != *revision => Next::Stop,
        EgressStage::Down if is_given_up(reality) => Next::Nothing,
        EgressStage::Down => retry(reality.since, reality.failures, now),
        _ if reality.revision != *revision => Next::Change,
        EgressStage::Starting | EgressStage::Running | EgressStage::Stalled | EgressStage::Stopping => Next::Nothing,
    }
}

/// Another connection, so that the first must be closed before it begins.
fn is_elsewhere(one: &EgressIntent, other: &EgressIntent) -> bool {
    (&one.room, &one.protocol, &one.url) != (&other.room, &other.protocol, &other.url)
}

/// Has it used up its tries?
pub(crate) fn is_given_up(reality: &EgressReality) -> bool {
    reality.stage == EgressStage::Down && reality.intent.attempts_max.is_some_and(|max| reality.failures >= max)
}

fn retry(since: Timestamp, failures: u32, now: Timestamp) -> Next {
    match due(since, failures, now) {
        Some(due) if due > now => Next::StartAt(due),
        _ => Next::Start,
    }
}
