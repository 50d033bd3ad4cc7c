//! FLV over HTTP: whose answers they are, and what the media plane is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use heliu_media::{Cut, ViewRequest};
use heliu_model::Refusal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::Edge;
use crate::Config;
use crate::play::{Play, Stream};

#[tokio::test]
async fn a_viewer_gets_a_stream_without_length() {
    let edge = Edge::start().await;
    let answer = edge.ask("GET /live/a%20b+c.flv?key=%2F+ HTTP/1.1", "Authorization: Bearer t\r\n", "").await;

    assert_eq!((answer.status, answer.body.as_str()), (200, "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
    for (name, want) in [
        ("content-type", Some("video/x-flv")),
        ("cache-control", Some("no-store")),
        ("connection", Some("close")),
        ("transfer-encoding", Some("chunked")),
        ("content-length", None),
        ("access-control-allow-origin", Some("*")),
        ("x-powered-by", Some("pictures")),
    ] {
        assert_eq!(answer.head.get(name), want, "{name}");
    }
    let asked = edge.media.asked.lock().unwrap();
    let [request] = &asked[..] else { panic!("{}", asked.len()) };
    assert_eq!(
        (request.address.as_str(), request.query.as_deref(), request.authority.as_deref(), request.peer.as_str()),
        ("live/a b+c", Some("key=%2F+"), Some("h.example:8080"), "127.0.0.1")
    );
    assert!(request.headers.contains(&("authorization".to_owned(), "Bearer t".to_owned())), "{:?}", request.headers);
}

#[tokio::test]
async fn what_is_no_get_never_asks_the_media_plane() {
    let edge = Edge::start().await;
    let origin = "origin: https://a\r\naccess-control-request-method: GET\r\n";
    for (what, request, headers, status, header, want) in [
        ("a post", "POST /live/x.flv HTTP/1.1", "", 405, "allow", Some("GET, HEAD")),
        ("its look", "POST /live/x.flv HTTP/1.1", "", 405, "x-powered-by", Some("pictures")),
        (
            "a preflight as the owner says",
            "OPTIONS /live/x.flv HTTP/1.1",
            origin,
            204,
            "access-control-max-age",
            Some("600"),
        ),
        (
            "a preflight where it says nothing",
            "OPTIONS /plain/x.flv HTTP/1.1",
            origin,
            204,
            "access-control-allow-origin",
            Some("*"),
        ),
        (
            "the methods of it",
            "OPTIONS /plain/x.flv HTTP/1.1",
            origin,
            204,
            "access-control-allow-methods",
            Some("GET, HEAD, OPTIONS"),
        ),
        ("an app that nobody owns", "GET /other/x.flv HTTP/1.1", "", 404, "x-powered-by", None),
        ("no name", "GET /live.flv HTTP/1.1", "", 404, "x-powered-by", None),
    ] {
        let answer = edge.ask(request, headers, "").await;
        assert_eq!((answer.status, answer.head.get(header)), (status, want), "{what}");
    }
    assert!(edge.media.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refusal_keeps_its_status_in_the_owners_look() {
    let edge = Edge::start().await;
    for (request, status, body) in [
        ("GET /live/403.flv HTTP/1.1", 403, r#"{"code":5,"message":"no \"entry\"","request":"r1"}"#),
        ("GET /live/401.flv HTTP/1.1", 401, r#"{"code":5,"message":"no \"entry\"","request":"r1"}"#),
        ("GET /live/404.flv HTTP/1.1", 404, r#"{"code":5,"message":"no \"entry\"","request":"r1"}"#),
        ("GET /live/503.flv HTTP/1.1", 503, r#"{"code":5,"message":"no \"entry\"","request":"r1"}"#),
        ("GET /plain/404.flv HTTP/1.1", 404, r#"{"error":"no \"entry\""}"#),
        ("HEAD /live/404.flv HTTP/1.1", 404, ""),
        ("HEAD /live/x.flv HTTP/1.1", 200, ""),
    ] {
        let answer = edge.ask(request, "x-reqid: r1\r\n", "").await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{request}");
        assert_eq!(answer.head.get("access-control-allow-origin"), Some("*"), "{request}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_no_whole_answer() {
    let edge = Edge::start().await;
    let answer = edge.ask("GET /live/broken.flv HTTP/1.1", "", "").await;
    assert!(!answer.body.ends_with("0\r\n\r\n"), "the last chunk: {:?}", answer.body);
}

#[tokio::test]
async fn an_endless_answer_ends_with_the_server() {
    let edge = Edge::start().await;
    let mut viewer = TcpStream::connect(edge.address()).await.unwrap();
    viewer.write_all(b"GET /live/endless.flv HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    let mut text = String::new();
    while !text.contains("one") {
        let mut buffer = [0; 1024];
        let len = viewer.read(&mut buffer).await.unwrap();
        text += std::str::from_utf8(&buffer[..len]).unwrap();
    }
    // Far more than any test waits.
    edge.server.stop(Duration::from_secs(3600)).await;
    viewer.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("\r\n0\r\n\r\n"), "{text}");
}

#[tokio::test]
async fn viewers_leave_the_places_to_others() {
    let edge = Edge::start_with(Config { connections_max: 1, ..Config::default() }).await;
    let mut viewers = Vec::new();
    for _ in 0..3 {
        let mut viewer = TcpStream::connect(edge.address()).await.unwrap();
        viewer.write_all(b"GET /live/endless.flv HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
        let mut byte = [0];
        viewer.read_exact(&mut byte).await.unwrap();
        viewers.push(viewer);
    }
    let answer = edge.ask("GET /healthz HTTP/1.1", "", "").await;
    assert_eq!((answer.status, edge.stats.crowded()), (200, [("full", 0), ("peer", 0)]));
}

#[tokio::test]
async fn little_waits_in_the_system_for_who_does_not_read() {
    let edge = Edge::start().await;
    let viewer = TcpSocket::new_v4().unwrap();
    viewer.set_recv_buffer_size(4 << 10).unwrap();
    let mut viewer = viewer.connect(edge.address()).await.unwrap();
    viewer.write_all(b"GET /live/flood.flv HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    viewer.readable().await.unwrap();
    let poured = || edge.media.poured.load(Ordering::Relaxed);
    loop {
        let before = poured();
        tokio::time::sleep(Duration::from_millis(200)).await;
        if poured() == before {
            break;
        }
    }
    // What the edge itself has in hand is in it.
    assert!(poured() <= 256 << 10, "{} bytes", poured());
}

/// Streams by the name that is asked for.
#[derive(Default)]
pub struct FakeMedia {
    asked: Mutex<Vec<ViewRequest>>,
    /// Bytes of `flood` that were taken.
    poured: Arc<AtomicUsize>,
}

impl Play for FakeMedia {
    fn play_flv(&self, request: ViewRequest) -> BoxFuture<'static, Result<Stream, Refusal>> {
        let name = request.address.name().to_owned();
        self.asked.lock().unwrap().push(request);
        let [one, two] = ["one", "two"].map(|text| Ok(Bytes::from(text)));
        let answer = match name.as_str() {
            "broken" => Ok(stream::iter([one, Err(Cut)]).boxed()),
            "flood" => {
                let poured = self.poured.clone();
                let pour = move |chunk: &Bytes| _ = poured.fetch_add(chunk.len(), Ordering::Relaxed);
                Ok(stream::repeat(Bytes::from(vec![0; 1 << 10])).inspect(pour).map(Ok).boxed())
            }
            "endless" => Ok(stream::iter([one]).chain(stream::pending()).boxed()),
            name => match name.parse() {
                Ok(status) => Err(Refusal { status, reason: "no \"entry\"".to_owned() }),
                Err(_) => Ok(stream::iter([one, two]).boxed()),
            },
        };
        async { answer }.boxed()
    }
}
