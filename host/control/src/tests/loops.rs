//! Wishes reach the media plane.

use heliu_model::{AddressIntent, Command};
use heliu_store::{Collection, Store};

use super::fake::{World, delete, egress, egress_id, mixer, mixer_id, put, put_in, room};

#[tokio::test]
async fn a_wish_is_ordered_and_its_end_too() {
    let store = Store::in_memory();
    let mut world = World::start(store.clone());
    let revision = put(&store, Collection::Mixer, "m", &mixer()).await;
    let ordered = world.command().await;
    assert_eq!(ordered, Command::PutMixer(mixer_id("m"), revision, mixer().into()));
    world.media.run(&ordered);

    delete(&store, Collection::Mixer, "m").await;
    assert_eq!(world.command().await, Command::StopMixer(mixer_id("m")));
}

#[tokio::test]
async fn after_a_restart_everything_comes_back() {
    let store = Store::in_memory();
    let address = AddressIntent {
        address: "live/x".to_owned().try_into().unwrap(),
        room: room("r"),
        publication: "mix".parse().unwrap(),
        wait_ms: 0,
        hold_ms: 0,
    };
    let mut want = Vec::new();
    want.push(Command::PutAddress(put(&store, Collection::Address, "live/x", &address).await, address.into()));
    let revision = put(&store, Collection::Egress, "e", &egress()).await;
    want.push(Command::PutEgress(egress_id("e"), revision, egress().into()));
    let revision = put(&store, Collection::Mixer, "m", &mixer()).await;
    want.push(Command::PutMixer(mixer_id("m"), revision, mixer().into()));

    for _life in 0..2 {
        let mut world = World::start(store.clone());
        for want in &want {
            assert_eq!(world.command().await, *want);
        }
        world.control.stop().await;
    }
}

#[tokio::test]
async fn wishes_of_a_plugin_that_is_not_loaded_rest() {
    let store = Store::in_memory();
    put_in(&store, "absent", Collection::Mixer, "m", &mixer()).await;
    put_in(&store, "absent", Collection::Egress, "e", &egress()).await;
    put(&store, Collection::Egress, "e", &egress()).await;
    let mut world = World::start(store);
    assert!(matches!(world.command().await, Command::PutEgress(id, ..) if id == egress_id("e")));
    tokio::task::yield_now().await;
    assert!(world.commands.try_recv().is_err(), "nothing but the loaded plugin's");
}

#[tokio::test(start_paused = true)]
async fn a_push_that_fails_is_ordered_again() {
    let store = Store::in_memory();
    put(&store, Collection::Egress, "e", &egress()).await;
    let mut world = World::start(store);
    let ordered = world.command().await;
    let start = world.view.clock().now();
    world.media.show(&ordered, heliu_model::MixerStage::Running, heliu_model::EgressStage::Down);
    world.media.change(|status| {
        let reality = status.observed.egresses.get_mut(&egress_id("e")).unwrap();
        (reality.failures, reality.since) = (3, start);
    });
    assert_eq!(world.command().await, ordered);
    assert_eq!(world.view.clock().now().0 - start.0, 4_000);
}
