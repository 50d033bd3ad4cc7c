//! Remembers what was ordered until reality shows it.
//!
//! The media plane carries orders out on other threads and tells later. Planned on what it has told so
//! far, a push could be ordered to a URL that another one, ordered a moment ago, is already taking. So
//! an order counts as carried out from the start, and its id gets the next order when the first shows.
//! One that never shows (its room was rebuilt) is forgotten after five seconds.

use std::collections::BTreeMap;
use std::sync::Arc;

use heliu_model::{
    Command, EgressId, EgressIntent, EgressReality, EgressStage, Intents, MixerId, MixerIntent, MixerReality,
    MixerStage, Observed, Revision, Timestamp,
};

use crate::plan::{Plan, plan};

const SHOWS_WITHIN_MS: u64 = 5_000;

/// The loop's memory: orders that do not show yet.
#[derive(Debug, Default)]
pub struct Reconciler {
    mixers: BTreeMap<MixerId, Order<MixerIntent>>,
    egresses: BTreeMap<EgressId, Order<EgressIntent>>,
}

#[derive(Debug)]
struct Order<I> {
    at: Timestamp,
    wish: Wish<I>,
}

#[derive(Debug)]
enum Wish<I> {
    Stop,
    Put {
        revision: Revision,
        intent: Arc<I>,
        /// The failure after which this is another try.
        after: Option<Failure>,
    },
}

/// Tells one failure from the next.
type Failure = (Timestamp, u32);

impl Reconciler {
    /// [`plan`] for a media plane that tells late. The caller carries all commands out.
    pub fn step(&mut self, intents: &Intents, observed: &Observed, now: Timestamp) -> Plan {
        self.forget_shown(observed, now);
        let mut plan = plan(intents, &self.overlay(observed), now);
        plan.commands.retain(|command| !self.waits(command));
        for command in &plan.commands {
            self.note(command, observed, now);
        }
        let at = self.mixers.values().map(|order| order.at).chain(self.egresses.values().map(|order| order.at)).min();
        if let Some(at) = at {
            plan.wake_by(expiry(at));
        }
        plan
    }

    fn forget_shown(&mut self, observed: &Observed, now: Timestamp) {
        self.mixers.retain(|id, order| order.is_open(now) && !order.shows(observed.mixers.get(id).map(mixer_sight)));
        self.egresses
            .retain(|id, order| order.is_open(now) && !order.shows(observed.egresses.get(id).map(egress_sight)));
    }

    /// Reality as it will be once all orders are carried out.
    fn overlay(&self, observed: &Observed) -> Observed {
        let mut observed = observed.clone();
        for (id, order) in &self.mixers {
            match &order.wish {
                Wish::Stop => drop(observed.mixers.get_mut(id).map(|reality| reality.stage = MixerStage::Stopping)),
                Wish::Put { revision, intent, .. } => {
                    let reality = MixerReality {
                        revision: *revision,
                        intent: intent.clone(),
                        stage: MixerStage::Starting,
                        since: order.at,
                        failures: 0,
                    };
                    observed.mixers.insert(id.clone(), reality);
                }
            }
        }
        for (id, order) in &self.egresses {
            match &order.wish {
                Wish::Stop => drop(observed.egresses.get_mut(id).map(|reality| reality.stage = EgressStage::Stopping)),
                Wish::Put { revision, intent, .. } => {
                    let reality = EgressReality {
                        revision: *revision,
                        intent: intent.clone(),
                        stage: EgressStage::Starting,
                        since: order.at,
                        failures: 0,
                        detail: String::new(),
                    };
                    observed.egresses.insert(id.clone(), reality);
                }
            }
        }
        observed
    }

    fn waits(&self, command: &Command) -> bool {
        match command {
            Command::PutMixer(id, ..) | Command::StopMixer(id) => self.mixers.contains_key(id),
            Command::PutEgress(id, ..) | Command::StopEgress(id) => self.egresses.contains_key(id),
            Command::PutAddress(..) | Command::StopAddress(_) => false,
        }
    }

    fn note(&mut self, command: &Command, observed: &Observed, at: Timestamp) {
        match command {
            Command::PutMixer(id, revision, intent) => {
                let after = observed.mixers.get(id).and_then(|reality| mixer_sight(reality).failure);
                let wish = Wish::Put { revision: *revision, intent: intent.clone(), after };
                self.mixers.insert(id.clone(), Order { at, wish });
            }
            Command::StopMixer(id) => drop(self.mixers.insert(id.clone(), Order { at, wish: Wish::Stop })),
            Command::PutEgress(id, revision, intent) => {
                let after = observed.egresses.get(id).and_then(|reality| egress_sight(reality).failure);
                let wish = Wish::Put { revision: *revision, intent: intent.clone(), after };
                self.egresses.insert(id.clone(), Order { at, wish });
            }
            Command::StopEgress(id) => drop(self.egresses.insert(id.clone(), Order { at, wish: Wish::Stop })),
            // Carried out when `apply` returns, and may be repeated.
            Command::PutAddress(..) | Command::StopAddress(_) => {}
        }
    }
}

/// As much of a mixer or an egress as an order needs to see.
struct Sight {
    revision: Revision,
    is_stopping: bool,
    /// Ended by itself; this time.
    failure: Option<Failure>,
}

fn mixer_sight(reality: &MixerReality) -> Sight {
    let has_failed = matches!(reality.stage, MixerStage::Failed { .. });
    Sight {
        revision: reality.revision,
        is_stopping: reality.stage == MixerStage::Stopping,
        failure: has_failed.then_some((reality.since, reality.failures)),
    }
}

fn egress_sight(reality: &EgressReality) -> Sight {
    let has_failed = reality.stage == EgressStage::Down;
    Sight {
        revision: reality.revision,
        is_stopping: reality.stage == EgressStage::Stopping,
        failure: has_failed.then_some((reality.since, reality.failures)),
    }
}

impl<I> Order<I> {
    fn is_open(&self, now: Timestamp) -> bool {
        // A wall clock that was set back must not keep it for ever.
        self.at <= now && now < expiry(self.at)
    }

    fn shows(&self, sight: Option<Sight>) -> bool {
        match (&self.wish, sight) {
            (Wish::Stop, None) => true,
            (Wish::Stop, Some(sight)) => sight.is_stopping,
            (Wish::Put { .. }, None) => false,
            (Wish::Put { revision, after, .. }, Some(sight)) => {
                sight.revision >= *revision && (sight.failure.is_none() || sight.failure != *after)
            }
        }
    }
}

fn expiry(at: Timestamp) -> Timestamp {
    Timestamp(at.0.saturating_add(SHOWS_WITHIN_MS))
}
