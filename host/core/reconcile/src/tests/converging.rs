//! From any state, through any trouble, the loop ends where the wishes are.

use heliu_model::{EgressReality, EgressStage, MixerReality, MixerStage, Revision, Timestamp};
use proptest::prelude::{Strategy, any, prop, prop_assert, proptest};

use super::fake::{IDS, World, address, egress, egress_id, mixer, mixer_id};
use crate::plan;

proptest! {
    #[test]
    fn any_reality_becomes_what_is_wished(script in script(40), start in start()) {
        let mut world = World::at(1_000_000);
        start.into_iter().for_each(|place| place.apply(&mut world));
        world.tell();
        script.into_iter().filter(Action::is_wish).for_each(|action| action.apply(&mut world));
        world.settle();
    }

    #[test]
    fn trouble_breaks_no_rule_and_ends(script in script(200)) {
        let mut world = World::default();
        script.into_iter().for_each(|action| action.apply(&mut world));
        world.advance(10_000);
        world.settle();
    }

    #[test]
    fn on_equality_the_plan_is_silent(script in script(40), later in 0_u64..100_000) {
        let mut world = World::default();
        script.into_iter().filter(Action::is_wish).for_each(|action| action.apply(&mut world));
        world.settle();
        let plan = plan(&world.intents, &world.real, Timestamp(world.now + later));
        prop_assert!(plan.commands.is_empty() && plan.wake_at.is_none(), "{plan:?}");
    }

    #[test]
    fn after_a_kill_everything_comes_back(script in script(80)) {
        let mut world = World::default();
        for action in script {
            action.apply(&mut world);
            world.kill();
        }
        world.settle();
    }
}

/// What may happen between two turns of the loop, and the turn itself.
#[derive(Debug, Clone, Copy)]
enum Action {
    Turn,
    WishMixer(u8, u8),
    WishEgress(u8, u8, Option<u32>),
    WishAddress(u8),
    Unwish(u8),
    Obey(u8),
    Tell,
    Advance(u64),
    Mixer(u8, bool),
    Egress(u8, bool),
    Lose(u8),
    Kill,
}

impl Action {
    fn is_wish(&self) -> bool {
        matches!(self, Self::WishMixer(..) | Self::WishEgress(..) | Self::WishAddress(_) | Self::Unwish(_))
    }

    fn apply(self, world: &mut World) {
        match self {
            Self::Turn => drop(world.step()),
            Self::WishMixer(id, place) => world.wish_mixer(id, place),
            Self::WishEgress(id, url, attempts_max) => world.wish_egress(id, url, attempts_max),
            Self::WishAddress(name) => world.wish_address(name),
            Self::Unwish(id) => {
                world.intents.mixers.remove(&mixer_id(id));
                world.intents.egresses.remove(&egress_id(id));
                world.intents.addresses.remove(&address(id));
            }
            Self::Obey(count) => world.carry_out(count.into()),
            Self::Tell => world.tell(),
            Self::Advance(millis) => world.advance(millis),
            Self::Mixer(id, fails) => world.progress_mixer(id, fails),
            Self::Egress(id, fails) => world.progress_egress(id, fails),
            Self::Lose(id) => world.lose(id),
            Self::Kill => world.kill(),
        }
    }
}

fn script(len: usize) -> impl Strategy<Value = Vec<Action>> {
    let id = || 0..IDS;
    let attempts = proptest::option::of(1_u32..4);
    prop::collection::vec(
        proptest::prop_oneof![
            6 => proptest::strategy::Just(Action::Turn),
            2 => (id(), 0_u8..4).prop_map(|(id, place)| Action::WishMixer(id, place)),
            3 => (id(), 0_u8..4, attempts).prop_map(|(id, url, attempts)| Action::WishEgress(id, url, attempts)),
            1 => id().prop_map(Action::WishAddress),
            1 => id().prop_map(Action::Unwish),
            4 => (1_u8..4).prop_map(Action::Obey),
            4 => proptest::strategy::Just(Action::Tell),
            3 => (1_u64..3_000).prop_map(Action::Advance),
            3 => (id(), any::<bool>()).prop_map(|(id, fails)| Action::Mixer(id, fails)),
            4 => (id(), any::<bool>()).prop_map(|(id, fails)| Action::Egress(id, fails)),
            1 => id().prop_map(Action::Lose),
            1 => proptest::strategy::Just(Action::Kill),
        ],
        0..len,
    )
}

/// Something that is there, whoever ordered it. Places are given by id, so no rule is broken yet.
#[derive(Debug, Clone, Copy)]
enum Found {
    Mixer(u8, u8, u32),
    Egress(u8, u8, u32),
}

impl Found {
    fn apply(self, world: &mut World) {
        let (revision, since) = (Revision(0), Timestamp(999_000));
        match self {
            Self::Mixer(id, stage, failures) => {
                let stage = match stage {
                    0 => MixerStage::Starting,
                    1 => MixerStage::Running,
                    2 => MixerStage::Stopping,
                    _ => MixerStage::Failed { detail: String::new() },
                };
                let reality = MixerReality { revision, intent: mixer(id), stage, since, failures };
                world.real.mixers.insert(mixer_id(id), reality);
            }
            Self::Egress(id, stage, failures) => {
                let stage = [
                    EgressStage::Starting,
                    EgressStage::Running,
                    EgressStage::Stalled,
                    EgressStage::Stopping,
                    EgressStage::Down,
                ][usize::from(stage)];
                // Names 1 to 3: three targets.
                let intent = egress(id + 1, None);
                let reality = EgressReality { revision, intent, stage, since, failures, detail: String::new() };
                world.real.egresses.insert(egress_id(id), reality);
            }
        }
    }
}

fn start() -> impl Strategy<Value = Vec<Found>> {
    prop::collection::vec(
        proptest::prop_oneof![
            (0..IDS, 0_u8..4, 0_u32..9).prop_map(|(id, stage, failures)| Found::Mixer(id, stage, failures)),
            (0..IDS, 0_u8..5, 0_u32..9).prop_map(|(id, stage, failures)| Found::Egress(id, stage, failures)),
        ],
        0..8,
    )
}
