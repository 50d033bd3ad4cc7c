//! RTMP over TLS, by certificates of the test's own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::ffmpeg::Ffmpeg;
use crate::probe::{Pictures, is_like};
use crate::server::{Server, confined_pingos, pingos, wait_for};
use crate::stories::media_mix::{create, play_when_there, show};
use crate::stories::media_push::{free_port, wait_for_state};
use crate::tls::{Certificate, terminate};

const RED: [u8; 3] = [255, 0, 0];

#[test]
fn the_mix_arrives_at_a_tls_server_whose_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (trusted, file) = (folder.path().join("trusted.pem"), folder.path().join("pushed.flv"));
    let certificate = Certificate::of(&["localhost"]);
    certificate.write(&trusted);
    let port = free_port();
    let front = terminate(&certificate, port);
    let server = Server::with_environment(&pingos(""), &[("SSL_CERT_FILE", trusted.to_str().unwrap())]);
    let target = Ffmpeg::receive(port, &file);
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111"));
    let created = create(&server, &format!("rtmps://localhost:{}/live/push", front.port()), "640x360", None);
    assert_eq!(created["code"], 0, "{created}");
    wait_for_state(&server, 0, "pushing");
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(server.json("DELETE", "/mixer/living/1", "")["code"], 0);
    target.finish();
    let pictures = Pictures::of(&file);
    assert_eq!((pictures.width, pictures.height), (640, 360));
    assert!(is_like(pictures.colour(-1, 0.5, 0.5), RED), "{:?}", pictures.colour(-1, 0.5, 0.5));
}

#[test]
fn a_certificate_that_does_not_fit_is_told_and_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("trusted.pem");
    let other_name = Certificate::of(&["media.example"]);
    other_name.write(&trusted);
    let unknown = Certificate::of(&["localhost"]);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let server = Server::with_environment(&pingos(""), &[("SSL_CERT_FILE", trusted.to_str().unwrap())]);
    let outputs = [&unknown, &other_name].map(|certificate| {
        let front = terminate(certificate, silent_port);
        format!("rtmps://localhost:{}/live/push", front.port())
    });
    let body = serde_json::json!({
        "channel": {"appId": "livhub", "channelId": "726122"},
        "outputs": outputs,
        "resolution": "160x90"
    });
    assert_eq!(server.json("POST", "/mixer/living", &body.to_string())["code"], 0);
    // Certificates that a library makes for tests all call themselves alike: only the signature tells.
    for (output, why) in [(0, "BadSignature"), (1, "not valid for name")] {
        wait_for(why, Duration::from_secs(60), || {
            let shown = server.json("GET", "/mixer/living/1", "");
            let told = shown["data"]["streamouts"][output]["last_error"].as_str().unwrap_or_default().to_owned();
            (told.contains("certificate is not accepted") && told.contains(why)).then_some(())
        });
    }
    silent.set_nonblocking(true).unwrap();
    assert!(silent.accept().is_err(), "no byte went behind the certificate");
}

#[test]
fn publishers_and_players_come_by_tls_and_our_own_tls_url_stays_inside() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.flv");
    let listener = "[rtmps]\nlisten = \"127.0.0.1:0\"\ntls = \"self-signed\"\n";
    let server = Server::with(&format!("{}{listener}", confined_pingos("")));
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmps_url("livhub/726122/111"));
    let created = create(&server, &server.rtmps_url("live/t5"), "640x360", None);
    assert_eq!(created["code"], 0, "{created}");
    wait_for_state(&server, 0, "pushing");
    play_when_there(&server.rtmps_url("live/t5"), 5, &file).wait(Duration::from_secs(60));
    let pictures = Pictures::of(&file);
    assert_eq!((pictures.width, pictures.height), (640, 360));
    assert!(is_like(pictures.colour(-1, 0.5, 0.5), RED), "{:?}", pictures.colour(-1, 0.5, 0.5));
}

#[test]
fn who_shakes_no_hands_is_sent_away() {
    let listener = "[rtmps]\nlisten = \"127.0.0.1:0\"\ntls = \"self-signed\"\n";
    let server = Server::with(&format!("{}{listener}", pingos("")));
    let url = server.rtmps_url("");
    let address: std::net::SocketAddr = url["rtmps://".len()..].trim_end_matches('/').parse().unwrap();
    for (what, bytes) in [("plain RTMP", &[3_u8; 1_537][..]), ("HTTP", b"GET / HTTP/1.1\r\n\r\n"), ("nothing", b"")] {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        // An alert at most: content type 21.
        assert!(answer.is_empty() || answer[0] == 21, "{what}: {answer:?}");
    }
}
