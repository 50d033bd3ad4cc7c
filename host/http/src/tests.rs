//! The edge over real sockets, before a small fake of the personalities.
//!
//! What a test sends and expects are the bytes of HTTP/1.1 themselves.

mod flv;
mod framing;
mod pages;
mod whip;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_plugin::{Cors, Descriptor, Face, Fault, FaultShape, Request, Response, Route, Template};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::media_path;
use crate::{Config, Dispatch, Found, Personality, Place, Readiness, Server, Stats};

const SHAPE: &str = r#"{"code":5,"message":"{message}","request":"{request}"}"#;

#[tokio::test]
async fn what_is_no_plugins_is_answered_neutrally() {
    let edge = Edge::start().await;
    for (request, status, body) in [
        ("GET /nobody HTTP/1.1", 404, r#"{"error":"not found"}"#),
        ("POST /nobody HTTP/1.1", 404, r#"{"error":"not found"}"#),
        ("GET /healthz HTTP/1.1", 200, "ok\n"),
        ("POST /healthz HTTP/1.1", 405, ""),
        ("GET /readyz HTTP/1.1", 503, "not ready\n"),
    ] {
        let answer = edge.ask(request, "", "").await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{request}");
    }
    edge.readiness.set(true);
    assert_eq!(edge.ask("GET /readyz HTTP/1.1", "", "").await.status, 200);
}

#[tokio::test]
async fn the_host_answers_alone_in_the_look_of_the_owner() {
    let edge = Edge::start().await;
    for (what, request, status, message) in [
        ("no route", "GET /mixer/nothing HTTP/1.1", 404, "not found"),
        ("another method", "PUT /mixer/living HTTP/1.1", 405, "method not allowed"),
        ("a trap", "POST /mixer/trap HTTP/1.1", 503, "the plugin failed"),
        ("an answer that HTTP cannot say", "POST /mixer/unsayable HTTP/1.1", 503, "the plugin's answer is not valid"),
    ] {
        let answer = edge.ask(request, "x-reqid: r1\r\n", "").await;
        let want = SHAPE.replace("{message}", message).replace("{request}", "r1");
        assert_eq!((answer.status, answer.body), (status, want), "{what}");
        assert_eq!(answer.head.get("content-type"), Some("application/json"), "{what}");
        assert_eq!(answer.head.get("x-reqid"), Some("r1"), "{what}");
        assert_eq!(answer.head.get("x-powered-by"), Some("pictures"), "{what}");
        assert_eq!(answer.head.get("access-control-allow-origin"), Some("*"), "{what}");
    }
    let called = edge.fake.requests();
    assert!(called.iter().all(|request| request.path != "/mixer/nothing" && request.method != "PUT"), "entered");
}

#[tokio::test]
async fn methods_that_there_are_stand_in_allow() {
    let edge = Edge::start().await;
    for (what, request, status) in [
        ("refused", "PUT /mixer/living HTTP/1.1", 405),
        ("asked for where no browser may come from elsewhere", "OPTIONS /plain/living HTTP/1.1", 204),
    ] {
        let answer = edge.ask(request, "", "").await;
        assert_eq!((answer.status, answer.head.get("allow")), (status, Some("GET, HEAD, POST")), "{what}");
    }
}

#[tokio::test]
async fn a_preflight_never_enters_the_plugin() {
    let edge = Edge::start().await;
    for path in ["/mixer/living", "/mixer/nothing"] {
        let headers = "origin: https://a\r\naccess-control-request-method: POST\r\n";
        let answer = edge.ask(&format!("OPTIONS {path} HTTP/1.1"), headers, "").await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{path}");
        assert_eq!(answer.head.get("access-control-allow-methods"), Some("POST, GET"), "{path}");
        assert_eq!(answer.head.get("access-control-allow-origin"), Some("*"), "{path}");
    }
    assert!(edge.fake.requests().is_empty());
}

#[tokio::test]
async fn a_request_reaches_the_plugin_as_it_was_sent() {
    let edge = Edge::start().await;
    let headers = "X-B: 1\r\nx-a: 2\r\nX-C: \u{5de6}\r\n";
    edge.ask("POST /mixer/living?a=%2F&b=+&&a HTTP/1.1", headers, "{ }").await;
    edge.ask("GET /mixer/l%69ving/? HTTP/1.1", "", "").await;

    let requests = edge.fake.requests();
    let [first, second] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((first.path.as_str(), first.query.as_deref()), ("/mixer/living", Some("a=%2F&b=+&&a")));
    assert_eq!((second.path.as_str(), second.query.as_deref()), ("/mixer/l%69ving/", Some("")));
    assert_eq!(
        (first.authority.as_str(), first.peer.as_str(), first.scheme.as_str()),
        ("h.example:8080", "127.0.0.1", "http")
    );
    assert_eq!((first.method.as_str(), first.route.as_str(), &first.body[..]), ("POST", "living", &b"{ }"[..]));
    let sent: Vec<_> = first.headers.iter().filter(|(name, _)| name.starts_with("x-")).cloned().collect();
    let want =
        [("x-b", "1"), ("x-a", "2"), ("x-c", "\u{5de6}")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(sent, want);
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let edge = Edge::start().await;
    let get = edge.ask("GET /mixer/living HTTP/1.1", "", "").await;
    let head = edge.ask("HEAD /mixer/living HTTP/1.1", "", "").await;

    assert_eq!((get.status, get.body.as_str(), head.status, head.body.as_str()), (200, "hello", 200, ""));
    assert_eq!((get.head.get("content-length"), head.head.get("content-length")), (Some("5"), Some("5")));
    assert_eq!(edge.fake.requests().iter().map(|request| request.method.as_str()).collect::<Vec<_>>(), ["GET", "GET"]);
}

#[tokio::test]
async fn a_body_is_bounded_by_its_route() {
    let edge = Edge::start().await;
    for (len, chunked, status) in
        [(64, false, 200), (65, false, 413), (64, true, 200), (65, true, 413), (300_000, false, 413)]
    {
        let body = "x".repeat(len);
        let answer = if chunked {
            let framed = format!("{len:x}\r\n{body}\r\n0\r\n\r\n");
            edge.send(format!("POST /mixer/living HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{framed}")).await
        } else {
            edge.ask("POST /mixer/living HTTP/1.1", "", &body).await
        };
        assert_eq!(answer.status, status, "{len} bytes, chunked: {chunked}");
        assert!(status == 200 || answer.body.contains("body too large"), "{}", answer.body);
    }
}

#[tokio::test]
async fn what_a_plugin_says_wins_over_its_face_but_not_over_the_connection() {
    let edge = Edge::start().await;
    let answer = edge.ask("GET /mixer/living HTTP/1.1", "", "").await;
    assert_eq!(answer.head.get("x-powered-by"), Some("the route"));
    assert_eq!(answer.head.get("set-cookie"), Some("a=1"));
    assert_eq!(answer.head.all("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(answer.head.get("content-length"), Some("5"));
    assert_eq!(answer.head.get("transfer-encoding"), None);
}

#[tokio::test]
async fn bytes_that_are_no_http_hurt_nobody() {
    let edge = Edge::start().await;
    let endless = format!("GET / HTTP/1.1\r\nhost: h\r\nx-long: {}\r\n\r\n", "x".repeat(200_000));
    for (what, bytes, statuses) in [
        ("noise", "\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), [400, 400]),
        ("an unknown version", "GET / HTTP/9.9\r\n\r\n".to_owned(), [400, 505]),
        (
            "two lengths",
            "POST /mixer/living HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_owned(),
            [400, 400],
        ),
        ("an endless head", endless, [431, 400]),
    ] {
        // A client that is cut while it writes may see the cut before the answer: status 0.
        let status = edge.send(bytes).await.status;
        assert!(status == 0 || statuses.contains(&status), "{what}: {status}");
        assert_eq!(edge.ask("GET /healthz HTTP/1.1", "", "").await.status, 200, "after {what}");
    }
}

#[tokio::test]
async fn who_says_nothing_or_stops_in_the_middle_is_cut() {
    let config = Config {
        head_time_max: Duration::from_millis(50),
        body_time_max: Duration::from_millis(50),
        ..Config::default()
    };
    let edge = Edge::start_with(config).await;
    for (what, bytes, status) in [
        ("nothing", "", 0),
        ("half a head", "POST /mixer/living HTTP/1.1\r\nhost:", 0),
        ("half a body", "POST /mixer/living HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nabc", 408),
    ] {
        assert_eq!(edge.send_and_wait(bytes).await.status, status, "{what}");
    }
}

#[tokio::test]
async fn one_client_that_takes_its_share_keeps_nobody_else_out() {
    let edge = Edge::start_with(Config { connections_per_peer_max: 2, ..Config::default() }).await;
    let request = b"GET /healthz HTTP/1.1\r\nhost: h\r\n\r\n";
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(edge.address()).await.unwrap();
        stream.write_all(request).await.unwrap();
        stream.readable().await.unwrap();
        idle.push(stream);
    }
    assert_eq!(edge.ask("GET /healthz HTTP/1.1", "", "").await.status, 0, "one too many is closed");
    let other = TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = other.connect(edge.address()).await.unwrap();
    other.write_all(request).await.unwrap();
    let mut byte = [0];
    other.read_exact(&mut byte).await.unwrap();
    assert_eq!(edge.stats.crowded(), [("full", 0), ("peer", 1)]);

    drop(idle);
    while edge.ask("GET /healthz HTTP/1.1", "", "").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_stop_lets_an_answer_end_and_cuts_what_hangs() {
    for (what, path, body) in
        [("an answer under way", "/mixer/slow", "hello"), ("one that never comes", "/mixer/hangs", "")]
    {
        let edge = Edge::start().await;
        let mut stream = TcpStream::connect(edge.address()).await.unwrap();
        stream.write_all(format!("POST {path} HTTP/1.1\r\nhost: h\r\n\r\n").as_bytes()).await.unwrap();
        edge.fake.called.notified().await;

        edge.server.stop(Duration::from_millis(300)).await;
        assert_eq!(Answer::read(&mut stream).await.body, body, "{what}");
        assert!(TcpStream::connect(edge.fake_address).await.is_err(), "{what}: nobody listens");
    }
}

#[tokio::test]
async fn a_taken_port_is_told_in_one_sentence() {
    let edge = Edge::start().await;
    let config = Config { listen: vec![edge.address()], ..Config::default() };
    let personalities = Arc::new(FakePersonalities(Arc::default()));
    let media = Arc::new(flv::FakeMedia::default());
    let started = Server::start(config, personalities, media, None, Readiness::default(), Stats::default()).await;
    let error = started.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot listen on http://{}: Address already in use", edge.address())),
        "{error}"
    );
    assert!(!error.contains('\n'));
}

/// A server of one listener before the fake.
struct Edge {
    server: Server,
    readiness: Readiness,
    stats: Stats,
    fake: Arc<Fake>,
    media: Arc<flv::FakeMedia>,
    sessions: Arc<whip::FakeSessions>,
    fake_address: SocketAddr,
}

impl Edge {
    async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    async fn start_with(config: Config) -> Self {
        Self::start_fully(config, true).await
    }

    async fn start_without_sessions() -> Self {
        Self::start_fully(Config::default(), false).await
    }

    async fn start_fully(config: Config, has_sessions: bool) -> Self {
        let (fake, readiness) = (Arc::new(Fake::default()), Readiness::default());
        let config = Config { listen: vec![([127, 0, 0, 1], 0).into()], ..config };
        let personalities = Arc::new(FakePersonalities(fake.clone()));
        let media = Arc::new(flv::FakeMedia::default());
        let stats = Stats::default();
        let sessions = Arc::new(whip::FakeSessions::default());
        let offered = has_sessions.then(|| sessions.clone() as Arc<dyn crate::Negotiate>);
        let server = Server::start(config, personalities, media.clone(), offered, readiness.clone(), stats.clone())
            .await
            .unwrap();
        let fake_address = server.addresses()[0];
        Self { server, readiness, stats, fake, media, sessions, fake_address }
    }

    fn address(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    /// One exchange on a connection of its own.
    async fn ask(&self, request: &str, headers: &str, body: &str) -> Answer {
        let len = body.len();
        let close = "connection: close";
        self.send(format!(
            "{request}\r\nHost: h.example:8080\r\n{headers}{close}\r\ncontent-length: {len}\r\n\r\n{body}"
        ))
        .await
    }

    async fn send(&self, bytes: String) -> Answer {
        self.send_bytes(bytes.as_bytes()).await
    }

    async fn send_bytes(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        let _ = stream.write_all(bytes).await;
        Answer::read(&mut stream).await
    }

    /// Sends and keeps its own side open.
    async fn send_and_wait(&self, bytes: &str) -> Answer {
        self.send(bytes.to_owned()).await
    }
}

/// What came back until the connection ended.
struct Answer {
    /// 0: nothing came.
    status: u16,
    head: Headers,
    body: String,
}

struct Headers(Vec<(String, String)>);

impl Headers {
    fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }
}

impl Answer {
    async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Self { status, head: Headers(headers), body: body.to_owned() }
    }
}

/// Owns `/mixer` with CORS and faults, and `/plain` without.
struct Fake {
    descriptor: Descriptor,
    seen: Mutex<Vec<Request>>,
    called: tokio::sync::Notify,
}

struct FakePersonalities(Arc<Fake>);

impl Default for Fake {
    fn default() -> Self {
        let face = Face {
            path: "/".to_owned(),
            headers: vec![("x-powered-by".to_owned(), "pictures".to_owned())],
            cors: Some(Cors {
                origins: vec!["*".to_owned()],
                methods: vec!["POST".to_owned(), "GET".to_owned()],
                headers: vec!["content-type".to_owned()],
                expose: vec![],
                credentials: false,
                max_age_s: 600,
                status: 204,
            }),
            faults: [(0, 503), (404, 404), (405, 405), (413, 413)]
                .map(|(when, status)| FaultShape {
                    when,
                    status,
                    content_type: "application/json".to_owned(),
                    body: SHAPE.to_owned(),
                })
                .to_vec(),
        };
        let plain = Face { path: "/plain".to_owned(), headers: vec![], cors: None, faults: vec![] };
        let descriptor = Descriptor {
            name: "fake".to_owned(),
            version: "1".to_owned(),
            sdk: "none".to_owned(),
            routes: ["living", "trap", "unsayable", "slow", "hangs"].map(route).to_vec(),
            faces: vec![face, plain],
            request_id: Some("x-reqid".to_owned()),
            apps: vec![],
            events: vec![],
            config_schema: None,
            openapi: None,
        };
        Self { descriptor, seen: Mutex::default(), called: tokio::sync::Notify::new() }
    }
}

fn route(id: &str) -> Route {
    Route {
        id: id.to_owned(),
        method: "POST".to_owned(),
        template: Template::parse("/mixer/living").unwrap(),
        serialize: vec![],
        headers: None,
        body_len_max: 64,
        time_ms_max: None,
        openapi: None,
    }
}

impl Fake {
    fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

impl Dispatch for FakePersonalities {
    fn find(&self, _: SocketAddr, method: &str, path: &str) -> Found {
        if let Some(address) =
            media_path::flv_address(path).filter(|address| ["live", "plain"].contains(&address.app()))
        {
            return Found::Flv { owner: self.0.clone(), address };
        }
        let Some(name) = path.strip_prefix("/mixer/").or(path.strip_prefix("/plain/")) else {
            return Found::Nobody;
        };
        let name = name.trim_end_matches('/').replace("%69", "i");
        let place = match (self.0.descriptor.route(&name), method) {
            (None, _) => Place::Nothing,
            (Some(_), "GET" | "POST") => Place::Route { id: name, params: vec![] },
            (Some(_), _) => Place::OtherMethods(vec!["POST".to_owned(), "GET".to_owned()]),
        };
        Found::Owned { owner: self.0.clone(), place }
    }
}

impl Personality for Fake {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn face(&self, path: &str) -> &Face {
        self.descriptor.face(path)
    }

    fn handle_request(&self, request: Request) -> BoxFuture<'_, Result<Response, Fault>> {
        let route = request.route.clone();
        self.seen.lock().unwrap().push(request);
        self.called.notify_one();
        async move {
            match route.as_str() {
                "trap" => return Err(Fault::Trap),
                "slow" => tokio::time::sleep(Duration::from_millis(20)).await,
                "hangs" => std::future::pending().await,
                _ => {}
            }
            let broken = if route == "unsayable" { "a\r\nb" } else { "the route" };
            let headers = [
                ("x-powered-by", broken),
                ("set-cookie", "a=1"),
                ("set-cookie", "b=2"),
                ("content-length", "99"),
                ("transfer-encoding", "chunked"),
            ];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
            Ok(Response { status: 200, headers, body: b"hello".to_vec() })
        }
        .boxed()
    }
}
