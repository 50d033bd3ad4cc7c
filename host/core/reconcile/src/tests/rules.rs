//! One rule at a time.

use heliu_model::{Command, EgressStage, MixerStage};

use super::fake::{World, egress_id, mixer_id};

#[test]
fn wishes_run_and_equality_is_silent() {
    let mut world = running();
    let plan = world.step();
    assert_eq!((plan.commands.len(), plan.wake_at), (0, None));
}

#[test]
fn a_changed_wish_is_told_once() {
    let mut world = running();
    world.wish_mixer(0, 0);
    world.wish_egress(0, 0, None);
    assert_eq!(words(&world.step().commands), ["put e0", "put m0"]);
    assert_eq!(words(&world.step().commands), [""; 0], "not shown yet, not repeated");
    world.settle();
}

#[test]
fn what_moves_is_stopped_first() {
    let mut world = running();
    world.wish_mixer(0, 1);
    world.wish_egress(0, 2, None);
    assert_eq!(words(&turn(&mut world)), ["stop e0", "stop m0"]);
    assert_eq!(words(&turn(&mut world)), [""; 0], "they are still stopping");
    world.progress_mixer(0, false);
    world.progress_egress(0, false);
    world.tell();
    assert_eq!(words(&turn(&mut world)), ["put e0", "put m0"]);
}

#[test]
fn a_taken_target_is_waited_for() {
    for (what, url) in [("the same bytes", 0), ("another spelling", 1)] {
        let mut world = running();
        world.intents.egresses.remove(&egress_id(0));
        world.wish_egress(1, url, None);
        assert_eq!(words(&turn(&mut world)), ["stop e0"], "{what}");
        assert_eq!(words(&turn(&mut world)), [""; 0], "{what}");
        world.progress_egress(0, false);
        world.tell();
        assert_eq!(words(&turn(&mut world)), ["put e1"], "{what}");
    }
}

#[test]
fn a_target_that_is_just_being_taken_counts_as_taken() {
    let mut world = World::default();
    world.wish_egress(0, 0, None);
    assert_eq!(words(&world.step().commands), ["put e0"]);
    world.intents.egresses.clear();
    world.wish_egress(1, 0, None);
    assert_eq!(words(&world.step().commands), [""; 0], "nobody has told yet that e0 connects");
    world.carry_out(1);
    world.tell();
    assert_eq!(words(&world.step().commands), ["stop e0"]);
    world.settle();
}

#[test]
fn targets_can_be_exchanged() {
    let mut world = World::default();
    world.wish_egress(0, 0, None);
    world.wish_egress(1, 2, None);
    world.settle();
    world.wish_egress(0, 2, None);
    world.wish_egress(1, 0, None);
    world.settle();
}

#[test]
fn a_dead_target_is_tried_at_growing_distances_for_ever() {
    let mut world = World::default();
    world.wish_egress(0, 0, None);
    assert_eq!(tries(&mut world, 9), [0, 1, 3, 7, 15, 31, 61, 91, 121].map(|seconds| seconds * 1_000));
}

#[test]
fn a_target_that_lived_is_tried_again_soon() {
    let mut world = World::default();
    world.wish_egress(0, 0, None);
    tries(&mut world, 5);
    world.settle();
    world.progress_egress(0, true);
    world.tell();
    let plan = world.step();
    assert_eq!((plan.commands.len(), plan.wake_at.map(|wake| wake.0 - world.now)), (0, Some(1_000)));
}

#[test]
fn attempts_end_where_the_wish_says_and_begin_anew_with_another() {
    let mut world = World::default();
    world.wish_egress(0, 0, Some(3));
    assert_eq!(tries(&mut world, 9), [0, 1_000, 3_000]);
    world.wish_egress(0, 0, Some(2));
    let again = world.now;
    assert_eq!(tries(&mut world, 9), [again, again + 1_000]);
    world.wish_egress(0, 0, Some(2));
    world.settle();
    assert_eq!(world.real.egresses[&egress_id(0)].stage, EgressStage::Running);
}

#[test]
fn a_failed_mixer_is_tried_again() {
    let mut world = running();
    world.progress_mixer(0, true);
    world.tell();
    let plan = world.step();
    assert_eq!((words(&plan.commands).len(), plan.wake_at.map(|wake| wake.0 - world.now)), (0, Some(1_000)));
    world.advance(1_000);
    assert_eq!(words(&world.step().commands), ["put m0"]);
    world.settle();
    assert_eq!(world.real.mixers[&mixer_id(0)].stage, MixerStage::Running);
}

#[test]
fn a_clock_set_back_does_not_delay_a_retry() {
    let mut world = running();
    world.progress_egress(0, true);
    world.tell();
    world.now -= 90;
    assert_eq!(words(&world.step().commands), ["put e0"]);
}

#[test]
fn nothing_is_left_when_nothing_is_wished() {
    let mut world = running();
    world.progress_egress(0, true);
    world.intents = heliu_model::Intents::default();
    world.settle();
    assert_eq!(world.real, heliu_model::Observed::default());
}

/// A mixer, a push and a name, all as wished, a while after the start.
fn running() -> World {
    let mut world = World::at(1_000);
    world.wish_mixer(0, 0);
    world.wish_egress(0, 0, None);
    world.wish_address(0);
    world.settle();
    world
}

/// One turn of the loop with a media plane that is quick to obey.
fn turn(world: &mut World) -> Vec<Command> {
    let commands = world.step().commands;
    world.carry_out(usize::MAX);
    world.tell();
    commands
}

/// When egress 0 connects, if every try fails at once.
fn tries(world: &mut World, count: usize) -> Vec<u64> {
    let mut tries = Vec::new();
    for _ in 0..3 * count {
        let plan = world.step();
        world.carry_out(usize::MAX);
        if words(&plan.commands) == ["put e0"] {
            tries.push(world.now);
            world.progress_egress(0, true);
        } else if plan.commands.is_empty() {
            match plan.wake_at {
                Some(wake) => world.now = wake.0,
                None => break,
            }
        } else {
            world.progress_egress(0, false);
        }
        world.tell();
        if tries.len() == count {
            break;
        }
    }
    tries
}

fn words(commands: &[Command]) -> Vec<String> {
    let word = |command: &Command| match command {
        Command::PutMixer(id, ..) => format!("put {}", id.local()),
        Command::StopMixer(id) => format!("stop {}", id.local()),
        Command::PutEgress(id, ..) => format!("put {}", id.local()),
        Command::StopEgress(id) => format!("stop {}", id.local()),
        Command::PutAddress(_, intent) => format!("open {}", intent.address),
        Command::StopAddress(address) => format!("close {address}"),
    };
    commands.iter().map(word).collect()
}
