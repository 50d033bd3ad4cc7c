//! Bytes and files that mean harm or nothing: each has an answer, and the next caller is served.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::publisher::Publisher;
use crate::server::{Server, pingos, program, wait_for};

/// Undecided RTMP connections of one address.
const UNDECIDED_MAX: usize = 64;
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn strange_requests_are_answered_and_the_next_one_too() {
    let server = Server::start();
    let chunked =
        |body: &str| format!("POST /mixer/living HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n{body}");
    let get = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nhost: h\r\n{more}\r\n");
    let headers = |count: u32| (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
    let long = "x".repeat(60_000);
    for (what, request, status) in [
        ("three thousand headers", get("/mixer/living", &headers(3_000)), 431),
        ("a header without end", get("/mixer/living", &format!("x: {long}{long}\r\n")), 431),
        ("a long path", get(&format!("/{long}"), ""), 404),
        ("a path of no characters", get("/mixer/living/%ff", ""), 404),
        ("a cut percent sign", get("/mixer/living/%", ""), 404),
        ("a zero byte", get("/mixer/living", "x: a\0b\r\n"), 400),
        ("a folded header", get("/mixer/living", "x: a\r\n b\r\n"), 400),
        ("an encoding without chunks", get("/mixer/living", "transfer-encoding: gzip\r\n"), 400),
        ("a length beyond numbers", get("/mixer/living", "content-length: 99999999999999999999\r\n"), 400),
        ("a length beyond the route", get("/mixer/living", "content-length: 9999999999\r\n"), 413),
        ("no host", "GET /mixer/living HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("two hosts", get("/mixer/living", "host: i\r\n"), 400),
        ("a chunk of negative length", chunked("-1\r\n{}\r\n0\r\n\r\n"), 400),
        ("a chunk with a novel", chunked(&format!("2;{long}\r\n{{}}\r\n0\r\n\r\n")), 400),
        ("a body in crumbs", chunked(&format!("{}0\r\n\r\n", "1\r\n \r\n".repeat(70_000))), 413),
        ("JSON that nests", chunked(&format!("8000\r\n{}\r\n0\r\n\r\n", "[".repeat(0x8000))), 200),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n".to_owned(), 400),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 0),
    ] {
        // Cut while it still writes, a client may see the cut before the answer: status 0.
        let got = status_of(&server, request.as_bytes());
        assert!(got == 0 || got == status, "{what}: {got}");
        assert_eq!(server.json("GET", "/mixer/living", "")["code"], 0, "after {what}");
    }
    let bytes = b"GET /mixer/\xff\xfe HTTP/1.1\r\n\r\n";
    assert_eq!(status_of(&server, bytes), 400, "a path of bytes");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn one_address_holds_so_many_silent_connections_and_no_more() {
    let server = Server::start();
    let silent: Vec<TcpStream> = (0..UNDECIDED_MAX).map(|_| TcpStream::connect(server.rtmp()).unwrap()).collect();
    // Those before it may still be on their way in.
    wait_for("the bound", PATIENCE, || is_dismissed(&server).then_some(()));
    drop(silent);
    let bytes = handshake();
    wait_for("a place", PATIENCE, || (!is_dismissed(&server)).then_some(()));
    // Handshakes of every length, left in the middle.
    for len in (0..bytes.len()).step_by(97) {
        let mut socket = TcpStream::connect(server.rtmp()).unwrap();
        let _ = socket.write_all(&bytes[..len]);
    }
    wait_for("a place again", PATIENCE, || (!is_dismissed(&server)).then_some(()));
    let publisher = Publisher::connect(server.rtmp(), "livhub/726122/111");
    drop(publisher);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn a_strange_configuration_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heliu.toml");
    let listen = "[[http]]\nlisten = \"127.0.0.1:0\"\n";
    let numbers = |key: &str| format!("{listen}{key} = 99999999999999999999\n");
    for (what, text) in [
        ("not characters", b"data_dir = \"\xff\"".to_vec()),
        ("a zero byte", b"data_dir = \"a\0b\"\n\0".to_vec()),
        ("a number beyond numbers", numbers("[limits]\nmixers_max").into()),
        ("a number beyond its type", b"[limits]\nmixers_max = 4294967296\n".to_vec()),
        ("more workers than any machine", b"[media]\nworkers = 9223372036854775807\n".to_vec()),
        ("a text for a number", b"[media]\nworkers = \"two\"\n".to_vec()),
        ("a table for a list", b"[http]\nlisten = \"127.0.0.1:0\"\n".to_vec()),
        ("a port that is none", b"[rtmp]\nlisten = \"127.0.0.1:70000\"\n".to_vec()),
        ("a list that nests", [b"a = ".to_vec(), vec![b'['; 10_000]].concat()),
        ("one key twice", b"data_dir = \"a\"\ndata_dir = \"b\"\n".to_vec()),
        ("an unknown grant", format!("{listen}{}", pingos("grants = [\"root\"]")).into()),
        ("a mistake in the plugin's own table", format!("{listen}{}", pingos("config = { plain = 3 }")).into()),
    ] {
        std::fs::write(&file, text).unwrap();
        let output = Command::new(program("heliu")).args(["check", "--config"]).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{what}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{what}: {said}");
        assert!(said.starts_with("heliu: "), "{what}: {said}");
    }
}

/// Of the first answer; 0: none.
fn status_of(server: &Server, request: &[u8]) -> u16 {
    let mut socket = TcpStream::connect(server.http()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = socket.write_all(request);
    let mut answer = [0; 12];
    match socket.read_exact(&mut answer) {
        Ok(()) => String::from_utf8_lossy(&answer[9..]).parse().unwrap_or_default(),
        Err(error) => {
            assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "neither answered nor closed");
            0
        }
    }
}

/// Is one more connection closed before it says anything?
fn is_dismissed(server: &Server) -> bool {
    let mut socket = TcpStream::connect(server.rtmp()).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    match socket.read(&mut [0]) {
        Ok(len) => len == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}

fn handshake() -> Vec<u8> {
    [&[3][..], &[0; 1536], &[0; 1536]].concat()
}
