//! Headless Chromium as publisher and viewer: somebody else's WebRTC at the other end.
//!
//! It opens a page of ours, served by the test itself, which publishes and plays what its address says and
//! tells what it sees: sizes, colours at points, tones, the browser's own statistics.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const SCRIPT: &str = include_str!("browser/page.js");
const PAGE: &str = "<!doctype html><title>heliu</title><body><script src=\"/page.js\"></script>";
/// A camera and a microphone that nobody is asked for.
const OPTIONS: [&str; 8] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--no-first-run",
];

/// A running browser with one page, killed when dropped: its tab is closed without a word.
pub struct Browser {
    child: Child,
    reports: Receiver<Value>,
    _profile: TempDir,
}

impl Browser {
    /// Opens the page with this query: `publish=<url>`, `play=<url>`, and what `page.js` knows beside.
    pub fn open(query: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
        let address = listener.local_addr().expect("it is bound");
        let (sender, reports) = channel();
        std::thread::spawn(move || serve(&listener, &sender));
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut chromium = Command::new("chromium");
        chromium.args(OPTIONS).arg(format!("--user-data-dir={}", profile.path().display()));
        chromium.arg(page(address, query)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = chromium.spawn().expect("chromium is installed: `cargo xtask test` does it");
        Self { child, reports, _profile: profile }
    }

    /// Waits until a report is as wanted.
    pub fn wait_for(&self, what: &str, within: Duration, is_it: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        let mut last = Value::Null;
        while let Ok(report) = self.reports.recv_timeout(within.saturating_sub(start.elapsed())) {
            assert!(report["error"].is_null(), "{what}: {report}");
            if is_it(&report) {
                return report;
            }
            last = report;
        }
        panic!("waited {within:?} for {what}; the last report: {last}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a report of a player says of a colour: red, green and blue at the point of that index.
pub fn colour(report: &Value, point: usize) -> [u8; 3] {
    let parts = report["colours"][point].as_array().map(Vec::as_slice).unwrap_or_default();
    let part = |index: usize| parts.get(index).and_then(Value::as_u64).map_or(0, |part| part as u8);
    [part(0), part(1), part(2)]
}

/// Does a player's report name a tone near that one, in Hz?
pub fn hears(report: &Value, tone: u64) -> bool {
    let tones = report["tones"].as_array().map(Vec::as_slice).unwrap_or_default();
    tones.iter().filter_map(|peak| peak[0].as_u64()).any(|hertz| hertz.abs_diff(tone) <= 12)
}

/// A number of the browser's own statistics of one kind of media.
pub fn stat(report: &Value, kind: &str, name: &str) -> u64 {
    let all = report["stats"].as_array().map(Vec::as_slice).unwrap_or_default();
    let its = all.iter().find(|stats| stats["kind"] == kind);
    its.and_then(|stats| stats[name].as_u64()).unwrap_or_default()
}

fn page(address: SocketAddr, query: &str) -> String {
    format!("http://{address}/?{query}")
}

fn serve(listener: &TcpListener, reports: &Sender<Value>) {
    for stream in listener.incoming().map_while(Result::ok) {
        let reports = reports.clone();
        std::thread::spawn(move || answer(stream, &reports));
    }
}

/// One request per connection.
fn answer(stream: TcpStream, reports: &Sender<Value>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request).ok()?;
    let mut len = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            len = value.trim().parse().ok()?;
        }
    }
    let (kind, body) = match request.split(' ').nth(1)? {
        "/report" => {
            let mut report = vec![0; len];
            reader.read_exact(&mut report).ok()?;
            let _ = reports.send(serde_json::from_slice(&report).ok()?);
            ("text/plain", "")
        }
        "/page.js" => ("text/javascript", SCRIPT),
        _ => ("text/html", PAGE),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    reader.get_mut().write_all(format!("{head}{body}").as_bytes()).ok()
}
