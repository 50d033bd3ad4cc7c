//! heliu as a process: what it says, where, and with which exit code.
//!
//! No plugins here; those stories are told in the package `heliu-tests`.

mod compiling;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

const LISTENERS: &str =
    "[[http]]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[rtmp]\nlisten = \"127.0.0.1:0\"\n";

#[test]
fn what_keeps_it_from_starting_is_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.wasm");
    std::fs::write(&garbage, "no wasm").unwrap();
    let plugin = |component: &Path| format!("[plugins.a]\ncomponent = \"{}\"\n", component.display());
    let secret = format!("{}secrets = {{ key = {{ env = \"NO_SUCH_VARIABLE\" }} }}\n", plugin(&garbage));

    for (what, config, want) in [
        ("an unknown key", "[http2]\n".to_owned(), "heliu.toml line 1: unknown field `http2`"),
        ("a taken port for HTTP", format!("[[http]]\nlisten = \"127.0.0.1:{port}\"\n"), "Address already in use"),
        ("a taken port for operators", format!("[admin]\nlisten = \"127.0.0.1:{port}\"\n"), "Address already in use"),
        ("a taken port for RTMP", format!("[rtmp]\nlisten = \"127.0.0.1:{port}\"\n"), "Address already in use"),
        (
            "a certificate that is not there",
            "[rtmps]\nlisten = \"127.0.0.1:0\"\ntls = { cert = \"no.pem\", key = \"no.key\" }\n".to_owned(),
            "cannot read a certificate from",
        ),
        ("a missing component", plugin(Path::new("nothing.wasm")), "nothing.wasm cannot be read: No such file"),
        ("a component that is none", plugin(&garbage), "garbage.wasm is no WebAssembly component"),
        ("a secret that is not there", secret, "plugins.a.secrets.key: the variable NO_SUCH_VARIABLE"),
        ("a data_dir that cannot be", "data_dir = \"/dev/null/x\"\n".to_owned(), "cannot make the data_dir"),
        ("a level that is none", "[log]\nlevel = \"a=b=c\"\n".to_owned(), "log.level"),
    ] {
        let output = end_of("run", &config);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{what}: {told}");
        assert!(told.starts_with("heliu: ") && told.contains(want), "{what}: {told}");
        assert_eq!((told.lines().count(), output.stdout.len()), (1, 0), "{what}: {told}");
    }
}

#[test]
fn check_says_whether_run_would_take_the_file() {
    let good = end_of("check", LISTENERS);
    assert_eq!(good.status.code(), Some(0));
    assert!(String::from_utf8(good.stdout).unwrap().ends_with("heliu.toml is ok\n"));

    let certificate = "[rtmps]\nlisten = \"127.0.0.1:0\"\ntls = { cert = \"no.pem\", key = \"no.key\" }\n";
    for (config, want) in [
        ("[plugins.a]\ncomponent = \"nothing.wasm\"\n", "nothing.wasm cannot be read"),
        (certificate, "cannot read a certificate from"),
        ("data_dir = \"heliu.toml\"\n", "heliu.toml is no folder"),
    ] {
        let bad = end_of("check", config);
        assert_eq!(bad.status.code(), Some(1));
        assert!(String::from_utf8(bad.stderr).unwrap().contains(want), "{want}");
    }
}

#[test]
fn it_tells_real_ports_and_ends_politely() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let mut heliu = Running::start(folder.path(), LISTENERS);
        let http = heliu.ready["http"][0].as_str().unwrap().to_owned();
        let admin = heliu.ready["admin"].as_str().unwrap().to_owned();
        let rtmp = heliu.ready["rtmp"].as_str().unwrap().to_owned();

        for (path, status) in [("/healthz", "200"), ("/readyz", "200"), ("/", "404")] {
            assert_eq!(status_of(&http, path), status, "{path}");
            assert_eq!(status_of(&admin, path), status, "{path} for operators");
        }
        assert!(TcpStream::connect(&rtmp).is_ok());

        assert_eq!(heliu.end(signal), Some(0), "{signal}");
        for address in [http, admin] {
            assert!(TcpStream::connect(&address).is_err(), "{signal}: nobody listens");
        }
    }
}

#[test]
fn one_data_dir_has_one_heliu() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Running::start(folder.path(), LISTENERS);
    let second = command("run", folder.path()).output().unwrap();
    let told = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(told.contains("in use by another process"), "{told}");
}

#[test]
fn the_bound_of_open_files_is_raised_and_a_low_one_told() {
    for (limits, want, is_told) in [("ulimit -Sn 64; ", None, false), ("ulimit -n 300; ", Some("300"), true)] {
        let folder = tempfile::tempdir().unwrap();
        let plain = command("run", folder.path());
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("{limits}exec \"$0\" \"$@\"")]).arg(plain.get_program()).args(plain.get_args());
        let heliu = Running::start_by(limited, folder.path(), LISTENERS);
        let table = std::fs::read_to_string(format!("/proc/{}/limits", heliu.child.id())).unwrap();
        let line = table.lines().find(|line| line.starts_with("Max open files")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[3], words[4], "the soft bound is the hard one: {line}");
        assert!(want.is_none_or(|want| words[3] == want), "{line}");
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        assert!(!is_told || log.contains("fewer open files than connections"), "{log}");
    }
}

#[test]
fn what_it_keeps_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let _heliu = Running::start(folder.path(), &format!("data_dir = \"kept\"\n{LISTENERS}"));
    for (name, want) in [("kept", 0o700), ("kept/heliu.redb", 0o600)] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, want, "{name}");
    }
}

#[test]
fn the_log_may_be_json() {
    let folder = tempfile::tempdir().unwrap();
    let mut heliu = Running::start(folder.path(), &format!("{LISTENERS}[log]\nformat = \"json\"\n"));
    heliu.end("-TERM");
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.iter().any(|line| line["fields"]["message"] == "ready"), "{log}");
}

/// A heliu of this test, gone with it.
struct Running {
    child: Child,
    /// What stands behind `ready`.
    ready: Value,
    _output: BufReader<ChildStdout>,
}

impl Running {
    fn start(folder: &Path, config: &str) -> Self {
        Self::start_by(command("run", folder), folder, config)
    }

    fn start_by(mut command: Command, folder: &Path, config: &str) -> Self {
        std::fs::write(folder.join("heliu.toml"), config).expect("the folder is writable");
        let log = std::fs::File::create(folder.join("log")).expect("the folder is writable");
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("heliu was built");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("heliu writes UTF-8");
        let ready = line.strip_prefix("ready ").unwrap_or_else(|| panic!("{line:?}"));
        Self { child, ready: serde_json::from_str(ready).expect("JSON follows"), _output: output }
    }

    fn end(&mut self, signal: &str) -> Option<i32> {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        self.child.wait().expect("it is our child").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command that ends by itself.
fn end_of(verb: &str, config: &str) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("heliu.toml"), config).expect("the folder is writable");
    command(verb, folder.path()).output().expect("heliu was built")
}

fn command(verb: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heliu"));
    command.args([verb, "--config"]).arg(folder.join("heliu.toml"));
    command
}

fn status_of(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("heliu listens");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").expect("heliu reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("heliu answers");
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}
