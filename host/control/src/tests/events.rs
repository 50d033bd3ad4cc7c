//! What happened reaches the plugin that owns the room.

use std::sync::atomic::Ordering;

use heliu_model::{EgressStage, RoomStatus};
use heliu_model::{Event, EventKind, LeaveReason, MixerStage, Timestamp};
use heliu_plugin::Fault;
use heliu_store::{Collection, Store};
use tokio::time::Instant;

use super::fake::{FakePlugin, World, delete, egress, egress_id, mixer, put, room};

#[tokio::test(start_paused = true)]
async fn the_host_is_told_to_live_before_anything_else() {
    let plugin = FakePlugin::new("mix", &["*"]);
    plugin.fail(2);
    let world = World::start_with(Store::in_memory(), plugin);
    world.events.send(joined("r", "1")).await.unwrap();
    let mut kinds = Vec::new();
    for _ in 0..4 {
        let event = world.plugin.event().await;
        kinds.push((event.kind, event.attempt));
    }
    let started = |attempt| ("host.started".to_owned(), attempt);
    assert_eq!(kinds, [started(1), started(2), started(3), ("participant.joined".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn events_of_a_room_keep_their_order_and_rooms_do_not_wait_for_each_other() {
    let world = World::start(Store::in_memory());
    world.plugin.event_of("host.started").await;
    world.plugin.fail(1);
    for participant in ["1", "2", "3"] {
        world.events.send(joined("r", participant)).await.unwrap();
    }
    let first = world.plugin.event().await;
    world.events.send(joined("other", "9")).await.unwrap();
    let mut subjects = vec![first.subject.clone()];
    for _ in 0..4 {
        let event = world.plugin.event().await;
        if event.subject == "1" {
            assert_eq!((event.id.as_str(), event.attempt), (first.id.as_str(), 2), "the same, told again");
        }
        subjects.push(event.subject);
    }
    assert_eq!(subjects, ["1", "9", "1", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_is_not_called_is_waited_for() {
    let world = World::start(Store::in_memory());
    world.plugin.event_of("host.started").await;
    let not_called = std::iter::repeat_n(Err(Fault::BreakerOpen), 10);
    world.plugin.answers.lock().unwrap().extend(not_called.chain([Err(Fault::Trap)]));
    world.events.send(joined("r", "1")).await.unwrap();
    let mut attempts = Vec::new();
    for _ in 0..12 {
        attempts.push(world.plugin.event().await.attempt);
    }
    assert_eq!(attempts, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2], "only what it was asked is a try");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_nobody_takes_becomes_a_resync() {
    let world = World::start(Store::in_memory());
    world.plugin.event_of("host.started").await;
    world.plugin.fail(4);
    world.events.send(joined("r", "1")).await.unwrap();
    world.events.send(joined("r", "2")).await.unwrap();
    let mut told = Vec::new();
    let start = Instant::now();
    for _ in 0..6 {
        let event = world.plugin.event().await;
        told.push((start.elapsed().as_secs(), event.kind, event.subject, event.attempt));
    }
    let joined = |at, subject: &str, attempt| (at, "participant.joined".to_owned(), subject.to_owned(), attempt);
    let resync = (7, "room.resync".to_owned(), String::new(), 1);
    assert_eq!(
        told,
        [joined(0, "1", 1), joined(1, "1", 2), joined(3, "1", 3), joined(7, "1", 4), resync, joined(7, "2", 1)]
    );
    let stats = world.control.stats();
    assert_eq!((stats.events_dead.get(), stats.retried.get()), (1, 3));
}

#[tokio::test]
async fn only_what_was_asked_for_is_told_and_only_to_the_owner() {
    let world = World::start_with(Store::in_memory(), FakePlugin::new("mix", &["participant.left"]));
    world.events.send(joined("r", "1")).await.unwrap();
    let mut foreign = left("r", "2");
    foreign.room = "zoo/r".parse().unwrap();
    world.events.send(foreign).await.unwrap();
    world.events.send(left("r", "3")).await.unwrap();
    let event = world.plugin.event().await;
    assert_eq!((event.subject.as_str(), event.room.as_deref()), ("3", Some("r")));
}

#[tokio::test]
async fn lost_events_make_every_living_room_be_looked_at_anew() {
    let world = World::start_with(Store::in_memory(), FakePlugin::new("mix", &["room.resync"]));
    world.media.change(|status| {
        status.rooms.insert(room("a"), RoomStatus::default());
        status.rooms.insert("zoo/b".parse().unwrap(), RoomStatus::default());
    });
    world.media.lost.store(5, Ordering::Relaxed);
    world.events.send(joined("r", "1")).await.unwrap();
    let event = world.plugin.event().await;
    assert_eq!((event.kind.as_str(), event.room.as_deref()), ("room.resync", Some("a")));
    assert_eq!(world.control.stats().events_lost.get(), 5);
}

#[tokio::test]
async fn jobs_are_told_when_they_change() {
    let store = Store::in_memory();
    let mut world = World::start(store.clone());
    put(&store, Collection::Mixer, "m", &mixer()).await;
    let ordered = world.command().await;
    world.media.show(&ordered, MixerStage::Starting, EgressStage::Starting);
    world.media.run(&ordered);
    let event = world.plugin.event_of("mixer.running").await;
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!((event.subject.as_str(), event.room.as_deref()), ("m", Some("r")));
    assert_eq!(data["job"]["state"], "running");

    delete(&store, Collection::Mixer, "m").await;
    let ordered = world.command().await;
    world.media.run(&ordered);
    let event = world.plugin.event_of("mixer.ended").await;
    assert!(event.data.contains(r#""state":"ended""#), "{}", event.data);
}

#[tokio::test]
async fn a_push_tells_its_troubles_once() {
    let store = Store::in_memory();
    let mut world = World::start(store.clone());
    put(&store, Collection::Egress, "e", &egress()).await;
    let ordered = world.command().await;
    let mut kinds = Vec::new();
    for (stage, failures) in [
        (EgressStage::Running, 0),
        (EgressStage::Stalled, 0),
        (EgressStage::Down, 1),
        (EgressStage::Starting, 1),
        (EgressStage::Down, 2),
        (EgressStage::Running, 0),
    ] {
        world.media.show(&ordered, MixerStage::Running, stage);
        world.media.change(|status| {
            let reality = status.observed.egresses.get_mut(&egress_id("e")).unwrap();
            (reality.failures, reality.since) = (failures, world.view.clock().now());
        });
        if !matches!((stage, failures), (EgressStage::Starting, _) | (EgressStage::Down, 2)) {
            let mut event = world.plugin.event().await;
            if event.kind == "host.started" {
                event = world.plugin.event().await;
            }
            kinds.push(event.kind);
        }
    }
    assert_eq!(kinds, ["egress.running", "egress.stalled", "egress.retrying", "egress.running"]);
}

fn joined(room_name: &str, participant: &str) -> Event {
    let kind = EventKind::ParticipantJoined { participant: participant.parse().unwrap(), protocol: "rtmp" };
    Event { room: room(room_name), at: Timestamp(1), kind }
}

fn left(room_name: &str, participant: &str) -> Event {
    let kind = EventKind::ParticipantLeft { participant: participant.parse().unwrap(), reason: LeaveReason::Left };
    Event { room: room(room_name), at: Timestamp(1), kind }
}
