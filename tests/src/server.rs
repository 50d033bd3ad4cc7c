//! A heliu of one's own: real binary, free ports, its own data directory, gone with the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::small_disk::SmallDisk;

/// Ten times what a start takes on a busy machine.
const START_WITHIN: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    child: Child,
    folder: TempDir,
    environment: Vec<(String, String)>,
    ports: Ports,
    disk: Option<SmallDisk>,
}

/// Where it listens.
#[derive(Debug, Clone, Copy)]
struct Ports {
    http: SocketAddr,
    admin: SocketAddr,
    rtmp: SocketAddr,
    rtmps: Option<SocketAddr>,
}

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// As received.
    pub body: String,
}

/// The project's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests live below the root").to_owned()
}

/// A program that was built beside the tests.
pub fn program(name: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("a test has a path");
    let folder = exe.parent().and_then(Path::parent).expect("target/<profile>/deps/<test>");
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing: `cargo xtask test` builds it", path.display());
    path
}

/// A component that `cargo xtask test` has built.
pub fn component(name: &str) -> PathBuf {
    let path = root().join("target/plugins").join(format!("{name}.wasm"));
    assert!(path.exists(), "{} is missing: `cargo xtask test` builds it", path.display());
    path
}

impl Server {
    /// The mixing personality alone, two workers.
    pub fn start() -> Self {
        Self::with(&pingos(""))
    }

    /// With these plugin tables (TOML) and whatever else belongs into the file.
    pub fn with(tables: &str) -> Self {
        Self::prepared(tables, &[], |_| None)
    }

    /// The same, with variables of its environment.
    pub fn with_environment(tables: &str, variables: &[(&str, &str)]) -> Self {
        Self::prepared(tables, variables, |_| None)
    }

    /// Its data directory is a disk of so many KiB; `None`: this machine mounts none.
    pub fn on_small_disk(tables: &str, kib: u32) -> Option<Self> {
        // Tried beforehand, where a refusal costs nothing.
        let folder = tempfile::tempdir().expect("a temporary folder");
        SmallDisk::mount(folder.path(), kib)?;
        Some(Self::prepared(tables, &[], |data| SmallDisk::mount(data, kib)))
    }

    fn prepared(tables: &str, variables: &[(&str, &str)], mount: impl FnOnce(&Path) -> Option<SmallDisk>) -> Self {
        let environment: Vec<(String, String)> =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let webrtc = if tables.contains("[webrtc]") { "" } else { "[webrtc]\nudp = \"127.0.0.1:0\"\n" };
        let config = format!(
            "data_dir = \"data\"\n{tables}\n{webrtc}[[http]]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[rtmp]\nlisten = \"127.0.0.1:0\"\n[media]\nworkers = 2\n"
        );
        std::fs::write(folder.path().join("heliu.toml"), config).expect("the folder is writable");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("the folder is writable");
        let disk = mount(&data);
        let (child, ports) = launch(folder.path(), disk.as_ref(), &environment, None);
        Self { child, folder, environment, ports, disk }
    }

    /// As a crash does it; nothing is said to anybody.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it was ours");
    }

    /// The same data directory and the same ports again, after [`Server::kill`].
    pub fn start_again(&mut self) {
        (self.child, self.ports) = launch(self.folder.path(), self.disk.as_ref(), &self.environment, Some(self.ports));
    }

    /// The disk of a server that was started on a small one.
    pub fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("it was started on a small disk")
    }

    /// Asks it to stop; the exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().expect("it was ours").code()
    }

    /// What an operator types: `heliu <command…>` with this server's configuration. Did it work, and what
    /// did it say?
    pub fn operate(&self, command: &[&str]) -> (bool, String) {
        let mut heliu = Command::new(program("heliu"));
        heliu.args(command).arg("--config").arg(self.folder.path().join("heliu.toml"));
        let output = heliu.env("HELIU_ADMIN__LISTEN", self.ports.admin.to_string()).output().expect("heliu starts");
        let told = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&told).into_owned())
    }

    /// Asks it to look at its components at once.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// Holds it where it is, until [`Server::go_on`].
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it run again.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill runs");
    }

    /// `rtmp://host:port/<path>`.
    pub fn rtmp_url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.ports.rtmp)
    }

    /// `rtmps://host:port/<path>`, where the configuration has such a listener.
    pub fn rtmps_url(&self, path: &str) -> String {
        format!("rtmps://{}/{path}", self.ports.rtmps.expect("there is an [rtmps] table"))
    }

    /// Where RTMP clients connect.
    pub fn rtmp(&self) -> SocketAddr {
        self.ports.rtmp
    }

    /// Where REST clients connect.
    pub fn http(&self) -> SocketAddr {
        self.ports.http
    }

    /// Where operators connect.
    pub fn admin(&self) -> SocketAddr {
        self.ports.admin
    }

    /// Of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has told so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// One request with a JSON body (empty: none).
    pub fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        call(self.ports.http, method, path, &[("content-type", "application/json")], body.as_bytes())
    }

    /// One request whose answer is JSON.
    pub fn json(&self, method: &str, path: &str, body: &str) -> Value {
        let answer = self.call(method, path, body);
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error} in {answer:?}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("---- the server's log\n{}", self.log());
        }
    }
}

/// The plugin table of the mixing personality, with more lines for it. Each call has a fresh instance.
pub fn pingos(more: &str) -> String {
    pingos_with("fresh", more)
}

/// The same with instances that are `reuse` or `fresh`. It may push to this machine, where a test's
/// targets are.
pub fn pingos_with(instances: &str, more: &str) -> String {
    pingos_table(instances, &format!("egress_allow = [\"127.0.0.0/8\"]\n{more}"))
}

/// The same, pushing to public addresses only.
pub fn confined_pingos(more: &str) -> String {
    pingos_table("fresh", more)
}

fn pingos_table(instances: &str, more: &str) -> String {
    let component = component("pingos");
    format!(
        "[plugins.pingos]\ncomponent = \"{}\"\napps = [\"*\"]\ninstances = \"{instances}\"\n{more}\n",
        component.display()
    )
}

/// The plugin table of the one that misbehaves.
pub fn rogue(name: &str, instances: &str) -> String {
    let component = component("rogue");
    format!(
        "[plugins.{name}]\ncomponent = \"{}\"\nbase = \"/{name}\"\ninstances = \"{instances}\"\n",
        component.display()
    )
}

/// One request over a connection of its own.
pub fn call(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() || method == "POST" {
        head += &format!("content-length: {}\r\n", body.len());
    }
    let mut socket = TcpStream::connect(to).expect("the server listens");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket has a time-out");
    socket.write_all(format!("{head}\r\n").as_bytes()).expect("the server reads");
    // A server may answer before it has read the whole body.
    let _ = socket.write_all(body);
    let mut bytes = Vec::new();
    let _ = socket.read_to_end(&mut bytes);
    parse(&String::from_utf8_lossy(&bytes))
}

/// Waits until `look` finds something; ten times the bound is up to the caller.
pub fn wait_for<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < within, "waited {within:?} for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Answer { status: status.unwrap_or_else(|| panic!("no status: {head:?}")), headers, body: body.to_owned() }
}

fn launch(
    folder: &Path,
    disk: Option<&SmallDisk>,
    environment: &[(String, String)],
    ports: Option<Ports>,
) -> (Child, Ports) {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).expect("a log file");
    let heliu = program("heliu");
    let mut command = disk.map_or_else(|| Command::new(&heliu), |disk| disk.command(&heliu));
    command.args(["run", "--config"]).arg(folder.join("heliu.toml"));
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    if let Some(Ports { http, admin, rtmp, .. }) = ports {
        let listeners = [("HELIU_HTTP__0__LISTEN", http), ("HELIU_ADMIN__LISTEN", admin), ("HELIU_RTMP__LISTEN", rtmp)];
        command.envs(listeners.map(|(name, address)| (name, address.to_string())));
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("heliu starts");
    let stdout = child.stdout.take().expect("it is piped");
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let start = Instant::now();
    while let Ok(line) = lines.recv_timeout(START_WITHIN.saturating_sub(start.elapsed())) {
        let Some(json) = line.strip_prefix("ready ") else { continue };
        let ready: Value = serde_json::from_str(json).expect("the ready line is JSON");
        let address = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).expect("an address");
        let [http, admin, rtmp] = [&ready["http"][0], &ready["admin"], &ready["rtmp"]].map(address);
        let rtmps = ready["rtmps"].as_str().map(|text| text.parse().expect("an address"));
        return (child, Ports { http, admin, rtmp, rtmps });
    }
    let _ = child.kill();
    let _ = child.wait();
    panic!("heliu did not start:\n{}", std::fs::read_to_string(folder.join("log")).unwrap_or_default());
}
