//! A publisher comes in by RTMP and is played by RTMP.

use std::time::Duration;

use crate::ffmpeg::{Ffmpeg, Show};
use crate::probe::{Pictures, Sound, is_like, packets};
use crate::server::{Server, wait_for};

#[test]
fn what_is_published_is_played() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.flv");
    // Three segments, split differently by publisher and player: the address counts, not RTMP's app.
    let url = server.rtmp_url("livhub/726122/111");
    let _publisher = Ffmpeg::publish(&Show { colour: Some("red"), ..Show::default() }, &url);
    wait_for("the publication", Duration::from_secs(30), || server.log().contains("publication started").then_some(()));

    let mut player = Ffmpeg::record(&url, 3, &file);
    assert!(player.wait(Duration::from_secs(60)), "the player ends by itself");

    let pictures = Pictures::of(&file);
    assert!(pictures.len() > 50, "{} pictures", pictures.len());
    assert!(is_like(pictures.colour(-1, 0.5, 0.5), [255, 0, 0]), "{:?}", pictures.colour(-1, 0.5, 0.5));
    let sound = Sound::of(&file);
    assert!(sound.tone(440, 0.5, 2.0) > 0.2 && sound.tone(1_000, 0.5, 2.0) < 0.02);
    let packets = packets(&file);
    assert!(packets.iter().find(|packet| packet.kind == "video").is_some_and(|first| first.is_key));
}

#[test]
fn a_second_publisher_of_an_endpoint_replaces_the_first_and_its_viewers_stay() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.flv");
    let url = server.rtmp_url("livhub/7/cam");
    let mut first = Ffmpeg::publish(&Show { colour: Some("red"), ..Show::default() }, &url);
    wait_for("the publication", Duration::from_secs(30), || server.log().contains("publication started").then_some(()));
    let player = Ffmpeg::record(&url, 60, &file);
    wait_for("the player's file", Duration::from_secs(30), || {
        file.metadata().is_ok_and(|m| m.len() > 30_000).then_some(())
    });
    let _second = Ffmpeg::publish(&Show { colour: Some("blue"), tone: Some(880), ..Show::default() }, &url);
    wait_for("the first one's end", Duration::from_secs(30), || (!first.is_running()).then_some(()));
    std::thread::sleep(Duration::from_secs(3));
    player.finish();

    let pictures = Pictures::of(&file);
    assert!(is_like(pictures.colour(0, 0.5, 0.5), [255, 0, 0]), "{:?}", pictures.colour(0, 0.5, 0.5));
    assert!(is_like(pictures.colour(-1, 0.5, 0.5), [0, 0, 255]), "{:?}", pictures.colour(-1, 0.5, 0.5));
    assert_times_grow(&file);
}

#[test]
fn strange_publishers_are_played_as_they_are() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    for (name, show, options) in [
        ("video-only", Show { tone: None, ..Show::default() }, &["-tune", "zerolatency"][..]),
        ("sound-only", Show { colour: None, ..Show::default() }, &[][..]),
        ("mono-44100", Show { sample_rate: 44_100, channels: 1, ..Show::default() }, &["-tune", "zerolatency"][..]),
        ("b-pictures", Show::default(), &["-bf", "2", "-preset", "veryfast"][..]),
        ("4-2-2", Show::default(), &["-pix_fmt", "yuv422p"][..]),
    ] {
        let url = server.rtmp_url(&format!("livhub/strange/{name}"));
        let _publisher = Ffmpeg::publish_with(&show, options, &url);
        let file = folder.path().join(format!("{name}.flv"));
        let played = wait_for(name, Duration::from_secs(60), || {
            Ffmpeg::record(&url, 2, &file)
                .wait(Duration::from_secs(30))
                .then(|| packets(&file))
                .filter(|p| !p.is_empty())
        });
        let has = |kind: &str| played.iter().any(|packet| packet.kind == kind);
        assert_eq!((has("video"), has("audio")), (show.colour.is_some(), show.tone.is_some()), "{name}");
        if show.colour.is_some() {
            let pictures = Pictures::of(&file);
            assert!(is_like(pictures.colour(-1, 0.5, 0.5), [255, 0, 0]), "{name}: {:?}", pictures.colour(-1, 0.5, 0.5));
        }
        if show.tone.is_some() {
            let sound = Sound::of(&file);
            assert!(sound.tone(440, 0.5, 1.5) > 0.2, "{name}: {}", sound.tone(440, 0.5, 1.5));
        }
    }
}

#[test]
fn who_is_refused_is_told_and_nobody_else_notices() {
    let server = Server::start();
    for (what, path) in [
        ("four segments", "livhub/a/b/c"),
        ("an id with a forbidden character", "livhub/7/a%20b!"),
        ("a relative segment", "livhub/../x"),
    ] {
        let mut publisher = Ffmpeg::publish(&Show::default(), &server.rtmp_url(path));
        assert!(!publisher.wait(Duration::from_secs(30)), "{what}");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut player = Ffmpeg::record(&server.rtmp_url("livhub/7/nobody"), 1, &folder.path().join("none.flv"));
    assert!(!player.wait(Duration::from_secs(60)), "nothing is there");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// Within each kind, dts grows strictly.
pub fn assert_times_grow(file: &std::path::Path) {
    for kind in ["video", "audio"] {
        let times: Vec<f64> = packets(file).into_iter().filter(|packet| packet.kind == kind).map(|p| p.dts).collect();
        assert!(times.len() > 10, "{kind}: only {} packets", times.len());
        for pair in times.windows(2) {
            assert!(pair[1] > pair[0], "{kind}: {} after {}", pair[1], pair[0]);
        }
    }
}
