//! What a component costs per request:
//! `cargo bench -p heliu-http -- ../../target/plugins/NAME.wasm /path`.
//!
//! A GET through the whole edge, with fresh and with kept instances and no ceiling of computing, beside
//! an axum route that answers the same bytes. Each server is a process of its own; prints its computing
//! time per request, as the system counts it, and the ratio to axum's.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use heliu_http::{Config, Play, PluginRoutes, Readiness, Server, Stats, Stream};
use heliu_media::ViewRequest;
use heliu_model::{Address, Job, Namespace, Noun, Refusal, Status};
use heliu_plugin::{Compiler, HostLimits, Plane, PluginConfig, Plugins, Reuse, Workshop};
use heliu_store::Store;

const CONNECTIONS: usize = 4;
const WARM_UP: usize = 500;
const REQUESTS: usize = 10_000;
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", "axum", path, body] => serve(serve_natively(path, body.to_owned())),
        ["serve", "fresh", _, component] => serve(serve_component(component.as_ref(), Reuse::Fresh)),
        ["serve", "reuse", _, component] => serve(serve_component(component.as_ref(), Reuse::Reuse)),
        [component, path] => compare(component, path),
        _ => println!("which component, and which path?"),
    }
}

fn compare(component: &str, path: &str) {
    let body = Peer::start("fresh", path, component).body();
    println!("GET {path}: {} bytes, {ROUNDS} rounds of {} requests", body.len(), CONNECTIONS * REQUESTS);
    for round in 1..=ROUNDS {
        let [axum, fresh, reuse] = [("axum", body.as_str()), ("fresh", component), ("reuse", component)]
            .map(|(kind, what)| Peer::start(kind, path, what).micros_per_request());
        println!(
            "{round}: axum {axum:.1} us, fresh {fresh:.1} us = {:.2} x, reuse {reuse:.1} us = {:.2} x",
            fresh / axum,
            reuse / axum
        );
    }
}

/// A server in a process of its own.
struct Peer {
    child: Child,
    address: SocketAddr,
    path: String,
}

impl Peer {
    fn start(kind: &str, path: &str, what: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["serve", kind, path, what]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().parse().unwrap(), path: path.to_owned() }
    }

    fn body(&self) -> String {
        let mut client = Client::connect(self.address);
        client.exchange(&self.path);
        client.answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    fn micros_per_request(&self) -> f64 {
        self.load(WARM_UP);
        let before = self.ticks();
        self.load(REQUESTS);
        let ticks = self.ticks() - before;
        // A tick of the process accounting is 10 ms on every Linux.
        ticks as f64 * 10_000.0 / (CONNECTIONS * REQUESTS) as f64
    }

    fn load(&self, requests: usize) {
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    let mut client = Client::connect(self.address);
                    (0..requests).for_each(|_| client.exchange(&self.path));
                });
            }
        });
    }

    /// User and system time: the 14th and 15th field of proc's `stat`; the second one ends with `)`.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection that is kept.
struct Client {
    socket: TcpStream,
    answer: String,
}

impl Client {
    fn connect(to: SocketAddr) -> Self {
        let socket = TcpStream::connect(to).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket, answer: String::new() }
    }

    fn exchange(&mut self, path: &str) {
        self.socket.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).unwrap();
        self.answer.clear();
        let mut buffer = [0; 16_384];
        while !is_whole(&self.answer) {
            let len = self.socket.read(&mut buffer).unwrap();
            assert!(len > 0, "the server closed the connection: {}", self.answer);
            self.answer += std::str::from_utf8(&buffer[..len]).unwrap();
        }
        assert!(self.answer.starts_with("HTTP/1.1 200"), "{}", self.answer);
    }
}

fn is_whole(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let len = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    body.len() >= len.parse().unwrap()
}

/// Serves until the process is killed.
fn serve(server: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(server);
}

async fn serve_natively(path: &str, body: String) {
    let answer = move || {
        let body = body.clone();
        // The headers of the other answer; the rest comes from hyper, there as well.
        async { ([("content-type", "application/json"), ("x-request-id", "0123456789abcdef0123456789abcdef")], body) }
    };
    let router = axum::Router::new().route(path, axum::routing::get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}

async fn serve_component(component: &Path, reuse: Reuse) {
    let mut config = PluginConfig::new("mix".parse().unwrap(), component.to_owned());
    config.apps = Some(vec!["*".into()]);
    config.limits.cpu_percent_max = 0;
    config.limits.reuse = reuse;
    let workshop = Workshop::new(Compiler::InProcess, None);
    let plugins = Plugins::load(vec![config], Store::in_memory(), Arc::new(Nothing), workshop).await.unwrap();
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let routes = Arc::new(PluginRoutes::new(&plugins, &listen));
    let config = Config { listen, ..Config::default() };
    let server =
        Server::start(config, routes, Arc::new(Nothing), None, Readiness::default(), Stats::default()).await.unwrap();
    println!("{}", server.addresses()[0]);
    std::future::pending::<()>().await;
}

/// A host on which nothing happens.
struct Nothing;

impl Play for Nothing {
    fn play_flv(&self, _: ViewRequest) -> BoxFuture<'static, Result<Stream, Refusal>> {
        Box::pin(async { Err(Refusal { status: 404, reason: "nothing is here".to_owned() }) })
    }
}

impl Plane for Nothing {
    fn status(&self) -> Arc<Status> {
        Arc::default()
    }

    fn job(&self, _: &Namespace, _: Noun, _: &str) -> Option<Job> {
        None
    }

    fn wait(&self, _: Namespace, _: Noun, _: String, _: Duration) -> BoxFuture<'static, Option<Job>> {
        Box::pin(async { None })
    }

    fn locate(&self, _: &str) -> Option<Address> {
        None
    }

    fn urls(&self, _: &Address, _: Option<&str>) -> Vec<(String, String)> {
        Vec::new()
    }

    fn host_run(&self) -> String {
        "run".to_owned()
    }

    fn limits(&self) -> HostLimits {
        HostLimits { mixers_max: 1, mixer_pixels_per_second_max: 1, egresses_max: 1 }
    }
}
