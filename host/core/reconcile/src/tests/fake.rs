//! A media plane that carries out commands late, fails and dies on demand, and notices broken rules.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use heliu_model::{
    Address, AddressIntent, Command, EgressId, EgressIntent, EgressReality, EgressStage, Intents, MixerId, MixerIntent,
    MixerReality, MixerStage, Observed, Revision, RoomId, Timestamp,
};

use crate::{Plan, Reconciler, normalised};

/// Plugins, the loop and the media plane in one.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) now: u64,
    revision: u64,
    pub(crate) intents: Intents,
    pub(crate) real: Observed,
    /// What the media plane has told.
    pub(crate) told: Observed,
    inbox: VecDeque<Command>,
    reconciler: Reconciler,
    /// When all was carried out and told.
    idle_at: u64,
}

/// Longer than this the media plane keeps nothing to itself.
const LATE_MS: u64 = 4_000;

impl World {
    /// One that begins later than at zero.
    pub(crate) fn at(now: u64) -> Self {
        Self { now, ..Self::default() }
    }

    pub(crate) fn wish_mixer(&mut self, id: u8, place: u8) {
        let revision = self.next_revision();
        self.intents.mixers.insert(mixer_id(id), (revision, mixer(place)));
    }

    pub(crate) fn wish_egress(&mut self, id: u8, url: u8, attempts_max: Option<u32>) {
        let revision = self.next_revision();
        self.intents.egresses.insert(egress_id(id), (revision, egress(url, attempts_max)));
    }

    pub(crate) fn wish_address(&mut self, name: u8) {
        let address = address(name);
        let room = room(0);
        let intent =
            AddressIntent { address: address.clone(), room, publication: "p".parse().unwrap(), wait_ms: 0, hold_ms: 0 };
        let revision = self.next_revision();
        self.intents.addresses.insert(address, (revision, Arc::new(intent)));
    }

    fn next_revision(&mut self) -> Revision {
        self.revision += 1;
        Revision(self.revision)
    }

    /// One turn of the loop.
    pub(crate) fn step(&mut self) -> Plan {
        let plan = self.reconciler.step(&self.intents, &self.told, Timestamp(self.now));
        assert!(plan.wake_at.is_none_or(|wake| wake.0 > self.now), "a wake-up in the past would spin");
        self.inbox.extend(plan.commands.iter().cloned());
        plan
    }

    pub(crate) fn advance(&mut self, millis: u64) {
        if self.now + millis > self.idle_at + LATE_MS {
            self.carry_out(usize::MAX);
            self.tell();
            self.idle_at = self.now;
        }
        self.now += millis;
    }

    pub(crate) fn tell(&mut self) {
        self.told = self.real.clone();
    }

    pub(crate) fn carry_out(&mut self, count: usize) {
        for _ in 0..count {
            let Some(command) = self.inbox.pop_front() else { return };
            self.obey(command);
            self.check();
        }
    }

    fn obey(&mut self, command: Command) {
        let since = Timestamp(self.now);
        match command {
            Command::PutMixer(id, revision, intent) => {
                let before = self.real.mixers.get(&id);
                let has_failed = |reality: &MixerReality| matches!(reality.stage, MixerStage::Failed { .. });
                let failures = before.map_or(0, |reality| reality.failures);
                let stage = match before.filter(|reality| !has_failed(reality)) {
                    Some(running) => {
                        assert_ne!(running.stage, MixerStage::Stopping, "put meets a stopping mixer");
                        assert!(!running.intent.is_elsewhere(&intent), "put moves a running mixer");
                        running.stage.clone()
                    }
                    None => MixerStage::Starting,
                };
                self.real.mixers.insert(id, MixerReality { revision, intent, stage, since, failures });
            }
            // What has ended by itself holds nothing and is gone at once.
            Command::StopMixer(id) => match self.real.mixers.get_mut(&id) {
                Some(MixerReality { stage: MixerStage::Failed { .. }, .. }) => drop(self.real.mixers.remove(&id)),
                Some(reality) => reality.stage = MixerStage::Stopping,
                None => {}
            },
            Command::PutEgress(id, revision, intent) => {
                let before = self.real.egresses.get(&id);
                let failures = before.map_or(0, |reality| reality.failures);
                let stage = match before.filter(|reality| reality.stage != EgressStage::Down) {
                    Some(running) => {
                        assert_ne!(running.stage, EgressStage::Stopping, "put meets a stopping egress");
                        assert_eq!(running.intent.url, intent.url, "put moves a running egress");
                        running.stage
                    }
                    None => EgressStage::Starting,
                };
                let detail = String::new();
                self.real.egresses.insert(id, EgressReality { revision, intent, stage, since, failures, detail });
            }
            Command::StopEgress(id) => match self.real.egresses.get_mut(&id) {
                Some(EgressReality { stage: EgressStage::Down, .. }) => drop(self.real.egresses.remove(&id)),
                Some(reality) => reality.stage = EgressStage::Stopping,
                None => {}
            },
            Command::PutAddress(revision, intent) => {
                self.real.addresses.insert(intent.address.clone(), revision);
                self.told.addresses = self.real.addresses.clone();
            }
            Command::StopAddress(address) => {
                self.real.addresses.remove(&address);
                self.told.addresses = self.real.addresses.clone();
            }
        }
    }

    fn check(&self) {
        let mut urls = BTreeMap::new();
        for (id, reality) in &self.real.egresses {
            if reality.stage != EgressStage::Down {
                let other = urls.insert(normalised(&reality.intent.url), id);
                assert_eq!(other, None, "two egresses to {}", reality.intent.url);
            }
        }
        let mut places = BTreeMap::new();
        for (id, reality) in &self.real.mixers {
            if !matches!(reality.stage, MixerStage::Failed { .. }) {
                let other = places.insert((&reality.intent.room, &reality.intent.publication), id);
                assert_eq!(other, None, "two mixers in one place");
            }
        }
    }

    /// A mixer's next natural step, or its failure.
    pub(crate) fn progress_mixer(&mut self, id: u8, fails: bool) {
        let Some(reality) = self.real.mixers.get_mut(&mixer_id(id)) else { return };
        let next = match reality.stage {
            MixerStage::Stopping => {
                self.real.mixers.remove(&mixer_id(id));
                return;
            }
            MixerStage::Failed { .. } => return,
            MixerStage::Starting | MixerStage::Running if fails => {
                reality.failures += 1;
                MixerStage::Failed { detail: "no encoder".into() }
            }
            MixerStage::Running => return,
            MixerStage::Starting => {
                reality.failures = 0;
                MixerStage::Running
            }
        };
        reality.stage = next;
        reality.since = Timestamp(self.now);
    }

    /// An egress' next natural step, or its failure.
    pub(crate) fn progress_egress(&mut self, id: u8, fails: bool) {
        let Some(reality) = self.real.egresses.get_mut(&egress_id(id)) else { return };
        let next = match reality.stage {
            EgressStage::Stopping => {
                self.real.egresses.remove(&egress_id(id));
                return;
            }
            EgressStage::Down => return,
            EgressStage::Starting | EgressStage::Running | EgressStage::Stalled if fails => {
                reality.failures += 1;
                EgressStage::Down
            }
            EgressStage::Running => EgressStage::Stalled,
            EgressStage::Starting | EgressStage::Stalled => {
                reality.failures = 0;
                EgressStage::Running
            }
        };
        reality.stage = next;
        reality.since = Timestamp(self.now);
    }

    /// A room is rebuilt: what ran in it is gone, and nobody says so.
    pub(crate) fn lose(&mut self, id: u8) {
        self.real.mixers.remove(&mixer_id(id));
        self.real.egresses.remove(&egress_id(id));
    }

    /// kill -9: intents stay, all else begins anew.
    pub(crate) fn kill(&mut self) {
        self.real = Observed::default();
        self.told = Observed::default();
        self.inbox.clear();
        self.reconciler = Reconciler::default();
    }

    /// Lets time pass without trouble until the loop has nothing left to do.
    pub(crate) fn settle(&mut self) {
        for _ in 0..400 {
            let plan = self.step();
            self.carry_out(usize::MAX);
            for id in 0..IDS {
                self.progress_mixer(id, false);
                if self.real.egresses.get(&egress_id(id)).is_some_and(|egress| egress.stage != EgressStage::Running) {
                    self.progress_egress(id, false);
                }
            }
            self.tell();
            if plan.commands.is_empty() && plan.wake_at.is_none() && self.is_converged() {
                return;
            }
            self.now = plan.wake_at.map_or(self.now + 100, |wake| wake.0.min(self.now + 100));
        }
        panic!("does not converge: {:?} against {:?}", self.intents, self.real);
    }

    /// Is every wish true, given up, or its place taken by another wish?
    pub(crate) fn is_converged(&self) -> bool {
        let is_running = |reality: &&MixerReality| reality.stage == MixerStage::Running;
        let mixers = self.intents.mixers.iter().all(|(id, (revision, intent))| {
            match self.real.mixers.get(id).filter(is_running) {
                Some(reality) => reality.revision == *revision,
                None => self.real.mixers.values().filter(is_running).any(|other| !other.intent.is_elsewhere(intent)),
            }
        });
        let is_running = |reality: &&EgressReality| reality.stage == EgressStage::Running;
        let egresses = self.intents.egresses.iter().all(|(id, (revision, intent))| {
            let url = normalised(&intent.url);
            let is_here = |other: &EgressReality| normalised(&other.intent.url) == url;
            let is_over = |reality: &EgressReality| {
                let max = reality.intent.attempts_max.unwrap_or(u32::MAX);
                reality.revision == *revision && reality.stage == EgressStage::Down && reality.failures >= max
            };
            match self.real.egresses.get(id).filter(is_running) {
                Some(reality) => reality.revision == *revision,
                None => {
                    self.real.egresses.get(id).is_some_and(is_over)
                        || self.real.egresses.values().filter(is_running).any(is_here)
                }
            }
        });
        let is_wished = self.real.mixers.keys().all(|id| self.intents.mixers.contains_key(id))
            && self.real.egresses.keys().all(|id| self.intents.egresses.contains_key(id));
        let addresses: BTreeMap<_, _> =
            self.intents.addresses.iter().map(|(address, (revision, _))| (address.clone(), *revision)).collect();
        mixers && egresses && is_wished && addresses == self.real.addresses
    }
}

pub(crate) const IDS: u8 = 3;

pub(crate) fn mixer_id(id: u8) -> MixerId {
    format!("mix/m{id}").parse().unwrap()
}

pub(crate) fn egress_id(id: u8) -> EgressId {
    format!("mix/e{id}").parse().unwrap()
}

pub(crate) fn address(name: u8) -> Address {
    Address::parse(&format!("live/{name}")).unwrap()
}

fn room(number: u8) -> RoomId {
    format!("mix/r{number}").parse().unwrap()
}

/// Four places in two rooms.
pub(crate) fn mixer(place: u8) -> Arc<MixerIntent> {
    let publication = format!("mix{}", place % 2).parse().unwrap();
    Arc::new(MixerIntent { room: room(place / 2 % 2), publication, scene: None, sound: None })
}

/// Three targets under four names: the first two are the same.
pub(crate) fn egress(url: u8, attempts_max: Option<u32>) -> Arc<EgressIntent> {
    let url = ["rtmp://h/a/b", "RTMP://H:1935/a/b", "rtmp://h/a/B", "rtmp://other/a/b"][usize::from(url) % 4];
    Arc::new(EgressIntent {
        room: room(0),
        audio: None,
        video: None,
        protocol: "rtmp".into(),
        url: url.into(),
        attempts_max,
    })
}
