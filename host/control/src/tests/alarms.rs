//! Times that have come.

use std::sync::Arc;

use heliu_plugin::Fault;
use heliu_store::{Collection, Store};

use super::fake::{FakePlugin, NOON, World, put_in, set_alarm};

#[tokio::test(start_paused = true)]
async fn alarms_ring_at_their_time_and_once() {
    let store = Store::in_memory();
    set_alarm(&store, "late", NOON.0 + 60_000).await;
    set_alarm(&store, "early", NOON.0 + 1_000).await;
    set_alarm(&store, "overdue", NOON.0 - 1_000).await;
    put_in(&store, "absent", Collection::Alarm, "foreign", &0).await;
    let world = World::start(store.clone());
    let mut rung = Vec::new();
    for _ in 0..3 {
        let (at, alarm) = world.plugin.alarm().await;
        assert_eq!((alarm.key.as_deref(), alarm.payload.as_str(), alarm.attempt), (Some("room"), "why", 1));
        rung.push((alarm.name, alarm.due.0, at.0 >= alarm.due.0));
    }
    let want = [("overdue", NOON.0 - 1_000), ("early", NOON.0 + 1_000), ("late", NOON.0 + 60_000)];
    assert_eq!(rung, want.map(|(name, due)| (name.to_owned(), due, true)));
    world.control.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_alarm_nobody_takes_rings_nine_times() {
    let store = Store::in_memory();
    set_alarm(&store, "a", NOON.0).await;
    let plugin = FakePlugin::new("mix", &[]);
    plugin.fail(9);
    let world = World::start_with(store.clone(), plugin);
    let mut rung = Vec::new();
    for attempt in 1..=9 {
        let (at, alarm) = world.plugin.alarm().await;
        assert_eq!((alarm.attempt, alarm.due), (attempt, NOON));
        rung.push(at.0);
    }
    let waits: Vec<u64> = rung.windows(2).map(|pair| (pair[1] - pair[0]) / 1_000).collect();
    assert_eq!(waits, [1, 2, 5, 10, 30, 60, 120, 300]);
    while !store.alarms().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.control.stats().alarms_dead.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_waits_for_a_plugin_that_is_not_called() {
    let store = Store::in_memory();
    set_alarm(&store, "a", NOON.0).await;
    let plugin = FakePlugin::new("mix", &[]);
    plugin.answers.lock().unwrap().extend(std::iter::repeat_n(Err(Fault::BreakerOpen), 20));
    let world = World::start_with(store.clone(), plugin);
    for _ in 0..21 {
        assert_eq!(world.plugin.alarm().await.1.attempt, 1, "not being asked is no try");
    }
    while !store.alarms().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.control.stats().alarms_dead.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_set_again_inside_its_call_stays() {
    let store = Store::in_memory();
    set_alarm(&store, "a", NOON.0).await;
    let mut plugin = FakePlugin::plain("mix", &[]);
    plugin.sets_again = Some(store.clone());
    let world = World::start_with(store.clone(), Arc::new(plugin));
    for due in [NOON.0, NOON.0 + 90_000] {
        let (at, alarm) = world.plugin.alarm().await;
        assert_eq!((alarm.due.0, alarm.attempt), (due, 1));
        assert!(at.0 >= due);
    }
}
