//! Publishers that send what no encoder should, while a mix of theirs is played.

use std::path::Path;
use std::time::{Duration, Instant};

use heliu_rtmp::MediaKind;

use crate::ffmpeg::Ffmpeg;
use crate::probe::{Pictures, is_like};
use crate::publisher::{Publisher, Tag, tags};
use crate::server::{Server, wait_for};
use crate::stories::media_mix::{assert_no_gap, create, play_when_there};
use crate::stories::media_play::assert_times_grow;

const BLUE: [u8; 3] = [0, 0, 255];

/// A day.
const JUMP_MS: u32 = 86_400_000;

#[test]
fn a_publisher_that_jumps_in_time_or_stalls_stays_in_the_mix() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mix.flv");
    let media = flash(folder.path());
    let url = server.rtmp_url("live/t5");
    assert_eq!(create(&server, &url, "320x180", None)["code"], 0);
    let player = play_when_there(&url, 60, &file);
    let mut publisher = Publisher::connect(server.rtmp(), "livhub/726122/111");
    for jump in [0, JUMP_MS, 0] {
        play_through(&mut publisher, &media, jump);
        // Silent for a while; the connection stays.
        std::thread::sleep(Duration::from_secs(1));
    }
    player.finish();
    let pictures = Pictures::of(&file);
    let turns = turns(&pictures);
    assert!(turns >= 5, "each of three passes shows red, then blue: {turns} changes");
    assert!(is_like(pictures.colour(-1, 0.5, 0.5), BLUE), "the last picture of a stalled publisher stays");
    assert_times_grow(&file);
    assert_no_gap(&file);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn broken_pictures_end_nobody_but_their_sender() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mix.flv");
    let media = flash(folder.path());
    let url = server.rtmp_url("live/t5");
    assert_eq!(create(&server, &url, "320x180", None)["code"], 0);
    let player = play_when_there(&url, 60, &file);
    let good = Tag { ..media[0].clone() };
    // A record of an SPS of 65 536 x 65 536 pixels' worth of macroblocks, one without SPS, one cut off.
    let absurd = b"\x17\0\0\0\0\x01\x42\xc0\x33\xff\xe1\x00\x0c\x67\x42\xc0\x33\x8c\x8d\x00\x00\x40\x00\x00\x80\x00\x01\x00\x04\x68\xce\x3c\x80";
    let without = b"\x17\0\0\0\0\x01\x42\xc0\x1e\xff\xe0\x00";
    let cut = b"\x17\0\0\0\0\x01\x42";
    for (what, header) in [("absurd", &absurd[..]), ("without SPS", without), ("cut off", cut), ("empty", b"")] {
        let mut publisher = Publisher::connect(server.rtmp(), "livhub/726122/bad");
        publisher.send(&Tag { kind: MediaKind::Video, timestamp: 0, body: header.to_vec() }, 0);
        for tag in media.iter().skip(1).take(20) {
            let mut noisy = tag.clone();
            noisy.body.iter_mut().skip(9).step_by(3).for_each(|byte| *byte ^= 0x5a);
            assert!(publisher.send(&noisy, tag.timestamp), "{what}");
        }
    }
    // Real headers, then noise in every access unit.
    let mut noisy = Publisher::connect(server.rtmp(), "livhub/726122/noisy");
    noisy.send(&good, 0);
    for tag in media.iter().skip(1) {
        let mut broken = tag.clone();
        broken.body.iter_mut().skip(20).step_by(7).for_each(|byte| *byte ^= 0xa5);
        noisy.send(&broken, tag.timestamp);
    }
    drop(noisy);
    // Whoever sends nothing useful for long is shown the door.
    let mut useless = Publisher::connect(server.rtmp(), "livhub/726122/useless");
    let nothing = Tag { kind: MediaKind::Video, timestamp: 0, body: b"\x17\x01\0\0\0garbage".to_vec() };
    for at in 0..4_000 {
        if !useless.send(&nothing, at) {
            break;
        }
    }
    assert!(useless.is_closed_within(Duration::from_secs(30)));

    let mut publisher = Publisher::connect(server.rtmp(), "livhub/726122/111");
    play_through(&mut publisher, &media, 0);
    wait_for("the good one", Duration::from_secs(30), || server.log().contains("inputs=1").then_some(()));
    player.finish();
    let pictures = Pictures::of(&file);
    assert!(pictures.find(0, 0.5, 0.5, BLUE).is_some(), "the good one is in the mix");
    assert_times_grow(&file);
    assert_no_gap(&file);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn pictures_with_a_foreign_sound_are_carried_without_it() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let media = flash(folder.path());
    let mut publisher = Publisher::connect(server.rtmp(), "livhub/726122/111");
    // FLV sound format 2 is MP3: far more such tags than a publisher may send of nothing else.
    let mp3 = Tag { kind: MediaKind::Audio, timestamp: 0, body: vec![0x2f; 40] };
    for tag in media.iter().filter(|tag| tag.kind == MediaKind::Video) {
        assert!(publisher.send(tag, tag.timestamp));
        for _ in 0..50 {
            assert!(publisher.send(&mp3, tag.timestamp), "the connection stays");
        }
    }
    assert!(!publisher.is_closed_within(Duration::from_secs(1)));
    assert!(server.log().contains("publication started"), "{}", server.log());
    assert!(!server.log().contains("publication ended"), "{}", server.log());
}

/// Two seconds of red, then two of blue, as FLV tags.
fn flash(folder: &Path) -> Vec<Tag> {
    let file = folder.join("flash.flv");
    let arguments = format!(
        "-f lavfi -i color=c=red:s=320x180:r=25:d=2 -f lavfi -i color=c=blue:s=320x180:r=25:d=2 -f lavfi -i sine=440:d=4 \
         -filter_complex [0][1]concat -c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 25 -c:a aac -y {}",
        file.display()
    );
    let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
    assert!(Ffmpeg::run(&arguments).wait(Duration::from_secs(60)), "ffmpeg makes a file");
    tags(&file)
}

/// Sends all in real time.
fn play_through(publisher: &mut Publisher, media: &[Tag], shift: u32) {
    let start = Instant::now();
    for tag in media {
        let due = Duration::from_millis(u64::from(tag.timestamp));
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        assert!(publisher.send(tag, tag.timestamp + shift), "the connection stays");
    }
}

/// How often the middle changes between red and blue.
fn turns(pictures: &Pictures) -> usize {
    let colours: Vec<bool> = (0..pictures.len())
        .map(|at| pictures.colour(at as isize, 0.5, 0.5))
        .filter(|colour| colour[0] > 200 || colour[2] > 200)
        .map(|colour| colour[0] > colour[2])
        .collect();
    colours.windows(2).filter(|pair| pair[0] != pair[1]).count()
}
