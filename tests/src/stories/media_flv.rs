//! A publisher comes in by RTMP and is viewed by FLV over HTTP.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use heliu_rtmp::MediaKind;

use crate::ffmpeg::{Ffmpeg, Show};
use crate::probe::{Pictures, Sound, is_like, packets};
use crate::publisher::{Publisher, Tag, tags};
use crate::server::{Server, call, pingos, wait_for};
use crate::stories::media_play::assert_times_grow;
use crate::viewer::Viewer;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn what_is_published_is_viewed_over_http() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    for (name, show, options) in [
        ("picture-and-sound", Show::default(), &["-tune", "zerolatency"][..]),
        ("sound-only", Show { colour: None, ..Show::default() }, &[]),
        ("pictures-only", Show { tone: None, ..Show::default() }, &["-tune", "zerolatency"]),
        ("b-pictures", Show::default(), &["-bf", "2", "-preset", "veryfast"]),
    ] {
        let publisher = Ffmpeg::publish_with(&show, options, &server.rtmp_url(&format!("livhub/7/{name}")));
        let file = folder.path().join(format!("{name}.flv"));
        // Percent-decoded once: `%37` is `7`.
        let url = format!("http://{}/livhub/%37/{name}.flv?token=a+b", server.http());
        let played = wait_for(name, LONG, || {
            let is_whole = Ffmpeg::record(&url, 3, &file).wait(LONG);
            is_whole.then(|| packets(&file)).filter(|packets| !packets.is_empty())
        });
        drop(publisher);
        let has = |kind: &str| played.iter().any(|packet| packet.kind == kind);
        assert_eq!((has("video"), has("audio")), (show.colour.is_some(), show.tone.is_some()), "{name}");
        if show.colour.is_some() {
            assert!(played.iter().find(|packet| packet.kind == "video").is_some_and(|first| first.is_key), "{name}");
            let pictures = Pictures::of(&file);
            assert!(pictures.len() > 50, "{name}: {} pictures", pictures.len());
            assert!(is_like(pictures.colour(-1, 0.5, 0.5), [255, 0, 0]), "{name}");
        }
        if show.tone.is_some() {
            let sound = Sound::of(&file);
            assert!(sound.tone(440, 0.5, 2.0) > 0.2 && sound.tone(1_000, 0.5, 2.0) < 0.02, "{name}");
        }
        if name == "picture-and-sound" {
            assert_times_grow(&file);
        }
    }
}

#[test]
fn who_comes_late_begins_with_the_keyframe_before() {
    let server = Server::start();
    let url = server.rtmp_url("livhub/7/cam");
    let path = "/livhub/7/cam.flv";
    // One keyframe in ten minutes: who waits for the next waits longer than this test.
    let _publisher = Ffmpeg::publish_with(&Show::default(), &["-tune", "zerolatency", "-g", "15000"], &url);
    wait_for("the publication", LONG, || (status(&server, "HEAD", path) == 200).then_some(()));
    let mut early = Viewer::open(server.http(), path);
    assert_eq!(early.promised, 5, "sound and pictures");
    let first = early.picture().unwrap();
    assert!(first.is_key_picture());
    for _ in 0..50 {
        assert!(!early.picture().unwrap().is_key_picture(), "the one keyframe");
    }
    let mut late = Viewer::open(server.http(), path);
    assert_eq!(late.picture().unwrap(), first, "the same tag, the same time");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("late.flv");
    assert!(Ffmpeg::record(&url, 1, &file).wait(LONG), "an RTMP player has pictures, too");
    assert!(packets(&file).iter().find(|packet| packet.kind == "video").is_some_and(|first| first.is_key));
}

#[test]
fn a_successor_tells_its_formats_and_time_goes_on() {
    let server = Server::start();
    let url = server.rtmp_url("livhub/7/cam");
    let first = Ffmpeg::publish(&Show::default(), &url);
    let path = "/livhub/7/cam.flv";
    wait_for("the publication", LONG, || (status(&server, "HEAD", path) == 200).then_some(()));
    let mut viewer = Viewer::open(server.http(), path);
    assert!(viewer.picture().unwrap().is_key_picture());
    let second = Ffmpeg::publish(&Show { size: "640x360", sample_rate: 44_100, ..Show::default() }, &url);
    let mut times = [0, 0];
    let mut headers = [0, 0];
    while headers != [1, 1] {
        let tag = viewer.tag().expect("the first one's viewers stay");
        let kind = usize::from(tag.kind == MediaKind::Video);
        headers[kind] += usize::from(tag.is_header());
        assert!(tag.timestamp >= times[kind], "{} after {}", tag.timestamp, times[kind]);
        times[kind] = tag.timestamp;
    }
    assert!(viewer.picture().unwrap().is_key_picture());
    second.finish();
    drop(first);
    while viewer.tag().is_some() {}
}

#[test]
fn doors_of_files_answer_as_their_owner_does() {
    let server = Server::start();
    let _publisher = Ffmpeg::publish(&Show::default(), &server.rtmp_url("livhub/7/cam"));
    let path = "/livhub/7/cam.flv";
    wait_for("the publication", LONG, || (status(&server, "HEAD", path) == 200).then_some(()));
    let origin = &[("origin", "https://player.example"), ("access-control-request-method", "GET")];
    for (what, method, path, status) in [
        ("nobody publishes", "GET", "/livhub/7/nobody.flv", 404),
        ("no address", "GET", "/livhub.flv", 404),
        ("a segment that leads out", "GET", "/livhub/%2e%2e/x.flv", 404),
        ("a plus is itself, and no character of a name here", "GET", "/livhub/7/a+b.flv", 404),
        ("another method", "POST", path, 405),
        ("a head alone", "HEAD", path, 200),
        ("a preflight", "OPTIONS", path, 204),
    ] {
        let answer = call(server.http(), method, path, origin, b"");
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        let allowed = answer.headers.iter().find(|(name, _)| name == "access-control-allow-origin");
        assert_eq!(allowed.map(|(_, value)| value.as_str()), Some("*"), "{what}");
    }
}

#[test]
fn who_does_not_read_is_cut_and_nobody_else_loses_a_picture() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.flv");
    let noise = "-f lavfi -i nullsrc=s=320x180:r=25,geq=random(1)*255:128:128 -t 1 -c:v libx264 -preset ultrafast -qp 20 -g 25 -y";
    let mut arguments: Vec<String> = noise.split(' ').map(str::to_owned).collect();
    arguments.push(clip.display().to_string());
    assert!(Ffmpeg::run(&arguments).wait(LONG));
    let mut publisher = Publisher::connect(server.rtmp(), "livhub/7/cam");
    let (headers, others): (Vec<_>, Vec<_>) = tags(&clip).into_iter().partition(Tag::is_header);
    let pictures: Vec<Tag> = others.into_iter().filter(Tag::is_picture).collect();
    headers.iter().for_each(|tag| assert!(publisher.send(tag, 0)));

    let path = "/livhub/7/cam.flv";
    let http = server.http();
    let opened = |name: &str| {
        let (sender, receiver) = channel();
        let path = path.to_owned();
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || sender.send(Viewer::open(http, &path)))
            .unwrap();
        receiver
    };
    let (good, stalled) = (opened("good"), opened("stalled"));
    let played = folder.path().join("player.flv");
    let player = Ffmpeg::record(&server.rtmp_url("livhub/7/cam"), 600, &played);
    let mut sent = 0;
    let mut send_clip = |publisher: &mut Publisher| {
        for picture in &pictures {
            assert!(publisher.send(picture, sent * 40));
            sent += 1;
            std::thread::sleep(Duration::from_millis(30));
        }
        sent
    };
    // Viewers of a young publication are held back until its sound is not to be expected any more.
    let mut sent_and = |receiver: &Receiver<Viewer>| {
        wait_for("an answer", LONG, || {
            send_clip(&mut publisher);
            receiver.try_recv().ok()
        })
    };
    let mut good = sent_and(&good);
    let seen = std::thread::spawn(move || {
        let mut times = Vec::new();
        while let Some(picture) = good.picture() {
            times.push(picture.timestamp);
        }
        times
    });
    let stalled = sent_and(&stalled);
    wait_for("the player's file", LONG, || {
        send_clip(&mut publisher);
        played.metadata().is_ok_and(|m| m.len() > 100_000).then_some(())
    });
    player.pause();
    let cut = || server.log().matches("connection cut").count();
    let sent = wait_for("two cuts", Duration::from_secs(200), || {
        let sent = send_clip(&mut publisher);
        (cut() == 2).then_some(sent)
    });
    drop((publisher, stalled));
    let times = seen.join().unwrap();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 40), "a gap in {times:?}");
    assert!(times.len() + 25 > sent as usize, "{} of {sent}", times.len());
}

/// The system would take minutes of a slow stream before anybody noticed.
#[test]
fn who_does_not_read_a_slow_stream_is_cut_as_well() {
    let source = "[[source]]\naddress = \"livhub/7/bars\"\nurl = \"test:bars?size=320x180\"\n";
    let server = Server::with(&(pingos("") + source));
    let path = "/livhub/7/bars.flv";
    wait_for("the source", LONG, || (status(&server, "HEAD", path) == 200).then_some(()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("player.flv");
    let player = Ffmpeg::record(&server.rtmp_url("livhub/7/bars"), 600, &file);
    wait_for("the player's file", LONG, || file.metadata().is_ok_and(|m| m.len() > 10_000).then_some(()));
    player.pause();
    let _stalled = Viewer::open(server.http(), path);
    wait_for("two cuts", Duration::from_secs(75), || {
        (server.log().matches("connection cut").count() == 2).then_some(())
    });
}

#[test]
fn one_viewer_more_than_the_operator_allows_is_refused() {
    let source =
        "[[source]]\naddress = \"livhub/7/bars\"\nurl = \"test:bars?size=320x180\"\n[limits]\nviewers_max = 1\n";
    let server = Server::with(&(pingos("") + source));
    wait_for("the source", LONG, || server.log().contains("publication started").then_some(()));
    let path = "/livhub/7/bars.flv";
    let viewer = Viewer::open(server.http(), path);
    assert_eq!(status(&server, "GET", path), 503);
    let metrics = call(server.admin(), "GET", "/metrics", &[], b"").body;
    assert!(metrics.contains("heliu_clients_refused_total{limit=\"viewers\"} 1\n"), "{metrics}");
    drop(viewer);
    wait_for("the place", LONG, || (status(&server, "HEAD", path) == 200).then_some(()));
}

fn status(server: &Server, method: &str, path: &str) -> u16 {
    call(server.http(), method, path, &[], b"").status
}
