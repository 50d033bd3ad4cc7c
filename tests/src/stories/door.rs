//! The doors themselves: starts that must not succeed, and strangers who speak something else.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::server::{Server, call, component, pingos, program, wait_for};

#[test]
fn what_cannot_start_says_why_in_one_sentence() {
    let running = Server::start();
    let plugin = pingos("");
    let listen = "[[http]]\nlisten = \"127.0.0.1:0\"\n";
    for (what, config, want) in [
        ("an unknown key", format!("{plugin}{listen}flavour = 1\n"), "flavour"),
        ("a taken HTTP port", format!("{plugin}[[http]]\nlisten = \"{}\"\n", running.http()), "listen"),
        ("a taken RTMP port", format!("{plugin}{listen}[rtmp]\nlisten = \"{}\"\n", running.rtmp()), "listen"),
        ("a missing component", format!("{listen}[plugins.x]\ncomponent = \"nowhere.wasm\"\n"), "nowhere.wasm"),
        ("no component at all", format!("{listen}[plugins.x]\ncomponent = \"heliu.toml\"\n"), "heliu.toml"),
        (
            "an import that is not granted",
            format!("{listen}{}", pingos("grants = [\"store\", \"egresses\", \"addresses\", \"status\", \"alarms\"]")),
            "mixers",
        ),
        (
            "two owners of one app",
            format!(
                "{listen}[plugins.a]\ncomponent = \"{0}\"\napps = [\"live\"]\n[plugins.b]\ncomponent = \"{0}\"\napps = [\"live\"]\n",
                component("pingos").display()
            ),
            "live",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("heliu.toml"), format!("data_dir = \"data\"\n{config}")).unwrap();
        let output = Command::new(program("heliu"))
            .args(["run", "--config"])
            .arg(folder.path().join("heliu.toml"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{what}: {said}");
        assert!(said.contains(want), "{what}: {said}");
        assert!(!said.contains("panicked") && !said.contains("backtrace"), "{what}: {said}");
        assert!(output.stdout.is_empty(), "{what}: it never was ready");
    }
}

#[test]
fn strangers_who_speak_something_else_cost_nothing() {
    let server = Server::start();
    let noise: Vec<u8> = (0..100_000_u32).map(|n| ((n * 7919) >> 3) as u8).collect();
    let handshake = [&[3][..], &[0; 1536], &[0; 1536]].concat();
    for (what, bytes) in [
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("another version", vec![6; 2_000]),
        ("noise", noise.clone()),
        ("a handshake, then noise", [&handshake[..], &noise].concat()),
        (
            "a handshake, then a message of 16 MiB",
            [&handshake[..], &[4, 0, 0, 0, 255, 255, 255, 20, 0, 0, 0, 0]].concat(),
        ),
        ("a handshake, then AMF that nests", [&handshake[..], &nested()].concat()),
    ] {
        let mut socket = TcpStream::connect(server.rtmp()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let _ = socket.write_all(&bytes);
        // Closed, not answered for ever.
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest);
        assert!(rest.len() < 10_000, "{what}");
    }
    assert_eq!(server.json("GET", "/mixer/living", "")["code"], 0);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn the_hosts_own_pages_tell_that_it_lives() {
    let server = Server::start();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(call(server.http(), "GET", path, &[], b"").status, 200, "{path}");
    }
}

#[test]
fn sigterm_ends_it_cleanly() {
    let mut server = Server::start();
    assert_eq!(server.terminate(), Some(0), "{}", server.log());
    wait_for("the port", Duration::from_secs(30), || TcpStream::connect(server.http()).is_err().then_some(()));
}

fn nested() -> Vec<u8> {
    let mut amf = vec![2, 0, 1, b'x', 0, 0, 0, 0, 0, 0, 0, 0, 0];
    (0..20).for_each(|_| amf.extend([3, 0, 1, b'a']));
    let len = u8::try_from(amf.len()).unwrap();
    [&[3, 0, 0, 0, 0, 0, len, 20, 0, 0, 0, 0][..], &amf].concat()
}
