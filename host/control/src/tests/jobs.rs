//! The host as plugins see it.

use std::time::Duration;

use heliu_model::{Address, EgressStage, JobState, MixerStage, Noun};
use heliu_plugin::Plane;
use heliu_store::{Collection, Store};

use super::fake::{World, clock, config, delete, egress, mixer, mixer_id, put};
use crate::HostView;

#[tokio::test]
async fn a_job_follows_wish_and_reality() {
    let store = Store::in_memory();
    let mut world = World::start(store.clone());
    let namespace = "mix".parse().unwrap();
    let state = |world: &World| world.view.job(&namespace, Noun::Mixer, "m").map(|job| job.state);

    assert_eq!(state(&world), None, "nobody wished for it");
    put(&store, Collection::Mixer, "m", &mixer()).await;
    assert_eq!(state(&world), Some(JobState::Starting));
    let ordered = world.command().await;
    world.media.run(&ordered);
    assert_eq!(state(&world), Some(JobState::Running));
    put(&store, Collection::Mixer, "m", &mixer()).await;
    assert_eq!(state(&world), Some(JobState::Changing));
    let ordered = world.command().await;
    world.media.show(&ordered, MixerStage::Failed { detail: "no encoder".into() }, EgressStage::Down);
    assert_eq!(state(&world), Some(JobState::Failed));
    delete(&store, Collection::Mixer, "m").await;
    assert_eq!(state(&world), None);
    for (noun, id) in [(Noun::Publication, "m"), (Noun::Egress, "m"), (Noun::Mixer, "")] {
        assert_eq!(world.view.job(&namespace, noun, id), None);
    }
}

#[tokio::test]
async fn a_plugin_may_wait_until_a_job_runs_or_is_gone() {
    let store = Store::in_memory();
    let mut world = World::start(store.clone());
    let wait = |world: &World, id: &str| {
        let job = world.view.wait("mix".parse().unwrap(), Noun::Mixer, id.into(), Duration::from_secs(3_600));
        tokio::spawn(job)
    };
    assert_eq!(wait(&world, "unknown").await.unwrap(), None);

    put(&store, Collection::Mixer, "m", &mixer()).await;
    let waiting = wait(&world, "m");
    let ordered = world.command().await;
    world.media.show(&ordered, MixerStage::Starting, EgressStage::Starting);
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    world.media.run(&ordered);
    assert_eq!(waiting.await.unwrap().unwrap().state, JobState::Running);

    world.media.change(|status| status.observed.mixers.get_mut(&mixer_id("m")).unwrap().stage = MixerStage::Starting);
    let waiting = wait(&world, "m");
    tokio::task::yield_now().await;
    delete(&store, Collection::Mixer, "m").await;
    assert_eq!(waiting.await.unwrap(), None, "its intent vanished");
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_its_time() {
    let store = Store::in_memory();
    put(&store, Collection::Egress, "e", &egress()).await;
    let world = World::start(store);
    let at_most = Duration::from_secs(2);
    let job = world.view.wait("mix".parse().unwrap(), Noun::Egress, "e".into(), at_most).await;
    assert_eq!(job.unwrap().state, JobState::Starting);
}

#[tokio::test]
async fn addresses_have_urls_and_urls_may_be_ours() {
    let store = Store::in_memory();
    let early = HostView::with_clock(store.clone(), config(&[]), clock());
    let address = Address::parse("live/a/b").unwrap();
    assert_eq!((early.urls(&address, None), early.locate("rtmp://localhost:1936/live/a/b")), (Vec::new(), None));

    let world = World::start(store);
    for (authority, want) in [
        (None, "rtmp://127.0.0.1:1936/live/a/b"),
        (Some("example.org:8080"), "rtmp://example.org:1936/live/a/b"),
        (Some("[::1]:8080"), "rtmp://[::1]:1936/live/a/b"),
    ] {
        assert_eq!(world.view.urls(&address, authority), [("rtmp".to_owned(), want.to_owned())]);
    }
    assert_eq!(world.view.locate("rtmp://localhost:1936/live/a/b"), Some(address.clone()));
    assert_eq!(world.view.locate("rtmp://elsewhere/live/a/b"), None);

    let named = HostView::with_clock(Store::in_memory(), config(&["media.example"]), clock());
    named.set_media(world.media.clone());
    let want = ("rtmp".to_owned(), "rtmp://media.example:1936/live/a/b".to_owned());
    assert_eq!(named.urls(&address, Some("example.org")), [want]);
    assert_ne!(named.host_run(), world.view.host_run());
}
