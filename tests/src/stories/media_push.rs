//! A mix is pushed to somebody else's RTMP server: ffmpeg plays that server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use heliu_rtmp::{Media, ServerEvent, ServerSession};
use serde_json::{Value, json};

use crate::ffmpeg::Ffmpeg;
use crate::probe::{Pictures, Sound, is_like, packets};
use crate::server::{Server, wait_for};
use crate::stories::media_mix::{create, show};
use crate::stories::media_play::assert_times_grow;

const RED: [u8; 3] = [255, 0, 0];

#[test]
fn the_mix_arrives_at_a_foreign_server() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pushed.flv");
    let port = free_port();
    let target = Ffmpeg::receive(port, &file);
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111"));
    let created = create(&server, &format!("rtmp://127.0.0.1:{port}/live/push"), "640x360", None);
    assert_eq!(created["code"], 0, "{created}");
    wait_for_state(&server, 0, "pushing");
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(server.json("DELETE", "/mixer/living/1", ""), json!({"code": 0, "message": "ok", "data": {}}));
    target.finish();

    let pictures = Pictures::of(&file);
    assert_eq!((pictures.width, pictures.height), (640, 360));
    assert!(is_like(pictures.colour(-1, 0.5, 0.5), RED), "{:?}", pictures.colour(-1, 0.5, 0.5));
    let sound = Sound::of(&file);
    let end = sound.len_seconds();
    assert!(sound.tone(440, end - 2.0, end - 1.0) > 0.1, "{}", sound.tone(440, end - 2.0, end - 1.0));
    assert_times_grow(&file);
    let first = packets(&file).into_iter().find(|packet| packet.kind == "video").unwrap();
    assert!(first.is_key);
}

#[test]
fn a_dead_target_is_tried_again_and_the_other_does_not_notice() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let (late, good) = (folder.path().join("late.flv"), folder.path().join("good.flv"));
    let (late_port, good_port) = (free_port(), free_port());
    let receiver = Ffmpeg::receive(good_port, &good);
    let body = json!({
        "channel": {"appId": "livhub", "channelId": "726122"},
        "outputs": [format!("rtmp://127.0.0.1:{late_port}/live/push"), format!("rtmp://127.0.0.1:{good_port}/live/push")],
        "resolution": "320x180"
    });
    assert_eq!(server.json("POST", "/mixer/living", &body.to_string())["code"], 0);
    wait_for_state(&server, 0, "retrying");
    wait_for_state(&server, 1, "pushing");
    let shown = server.json("GET", "/mixer/living/1", "");
    assert_ne!(shown["data"]["streamouts"][0]["last_error"], "", "{shown}");

    let revived = Ffmpeg::receive(late_port, &late);
    wait_for_state(&server, 0, "pushing");
    std::thread::sleep(Duration::from_secs(3));
    server.json("DELETE", "/mixer/living/1", "");
    revived.finish();
    receiver.finish();
    assert!(Pictures::of(&late).len() > 25, "{}", Pictures::of(&late).len());
    assert_times_grow(&good);
}

#[test]
fn targets_that_refuse_reset_or_hang_are_retried() {
    let server = Server::start();
    // Takes the connection and says nothing.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    // Takes it and closes it, or speaks another protocol.
    let rude = TcpListener::bind("127.0.0.1:0").unwrap();
    let (hanging_port, rude_port) = (hanging.local_addr().unwrap().port(), rude.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for (count, socket) in rude.incoming().enumerate() {
            let Ok(mut socket) = socket else { return };
            if count % 2 == 1 {
                let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            }
        }
    });
    let body = json!({
        "channel": {"appId": "livhub", "channelId": "726122"},
        "outputs": [format!("rtmp://127.0.0.1:{hanging_port}/live/x"), format!("rtmp://127.0.0.1:{rude_port}/live/x")],
        "resolution": "160x90"
    });
    assert_eq!(server.json("POST", "/mixer/living", &body.to_string())["code"], 0);
    for output in [0, 1] {
        wait_for_state(&server, output, "retrying");
    }
    assert_eq!(server.json("DELETE", "/mixer/living/1", "")["code"], 0);
    assert_eq!(server.json("GET", "/mixer/living", "")["data"]["list"], json!([]));
    drop(hanging);
}

#[test]
fn a_target_that_accepts_and_drops_is_tried_with_growing_pauses() {
    let server = Server::start();
    let fickle = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = fickle.local_addr().unwrap().port();
    std::thread::spawn(move || fickle.incoming().flatten().for_each(accept_and_drop));
    assert_eq!(create(&server, &format!("rtmp://127.0.0.1:{port}/live/x"), "160x90", None)["code"], 0);
    // A pause of 2^n seconds follows the n-th try in a row that did not hold; media that flowed for a
    // moment does not begin the row again.
    wait_for("a third try", Duration::from_secs(100), || {
        let shown = server.json("GET", "/mixer/living/1", "");
        (shown["data"]["streamouts"][0]["retries"].as_u64() >= Some(3)).then_some(())
    });
}

/// Lets a push begin, takes its first frame and hangs up.
fn accept_and_drop(mut socket: TcpStream) {
    let mut session = ServerSession::new();
    let mut buffer = [0; 4_096];
    while let Ok(len @ 1..) = socket.read(&mut buffer) {
        if session.handle_bytes(&buffer[..len]).is_err() {
            return;
        }
        while let Some(event) = session.poll_event() {
            match event {
                ServerEvent::PublishRequested(_) => session.accept_publish(),
                ServerEvent::Media(Media::Video { .. }) => return,
                ServerEvent::Media(_) | ServerEvent::PlayRequested(_) | ServerEvent::Ended => {}
            }
        }
        while let Some(bytes) = session.poll_output() {
            if socket.write_all(&bytes).is_err() {
                return;
            }
        }
    }
}

#[test]
fn kill_9_brings_the_push_back() {
    let mut server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (folder.path().join("before.flv"), folder.path().join("after.flv"));
    let port = free_port();
    let first = Ffmpeg::receive(port, &before);
    assert_eq!(create(&server, &format!("rtmp://127.0.0.1:{port}/live/push"), "320x180", None)["code"], 0);
    wait_for_state(&server, 0, "pushing");
    server.kill();
    first.finish();
    let second = Ffmpeg::receive(port, &after);
    server.start_again();
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111"));
    wait_for_state(&server, 0, "pushing");
    std::thread::sleep(Duration::from_secs(4));
    server.json("DELETE", "/mixer/living/1", "");
    second.finish();
    let pictures = Pictures::of(&after);
    assert!(pictures.find(0, 0.5, 0.5, RED).is_some(), "{} pictures, none of them red", pictures.len());
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn wait_for_state(server: &Server, output: usize, state: &str) {
    let look = |shown: &Value| shown["data"]["streamouts"][output]["state"] == state;
    wait_for(state, Duration::from_secs(100), || look(&server.json("GET", "/mixer/living/1", "")).then_some(()));
}
