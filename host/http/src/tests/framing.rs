//! Requests whose bytes say two things, or none (RFC 9112): refused before anybody behind them is asked.

use super::Edge;

#[tokio::test]
async fn a_request_names_its_host_once() {
    let edge = Edge::start().await;
    for (what, head, status) in [
        ("one", "GET /healthz HTTP/1.1\r\nhost: h", 200),
        ("none", "GET /healthz HTTP/1.1", 400),
        ("none, for a plugin", "GET /mixer/living HTTP/1.1", 400),
        ("two", "GET /mixer/living HTTP/1.1\r\nhost: a\r\nhost: b", 400),
        ("the same twice", "GET /healthz HTTP/1.1\r\nhost: a\r\nhost: a", 400),
        ("an invalid one", "GET /mixer/living HTTP/1.1\r\nhost: a/b", 400),
        ("none, which HTTP/1.0 need not", "GET /healthz HTTP/1.0", 200),
    ] {
        let answer = edge.send(format!("{head}\r\nconnection: close\r\n\r\n")).await;
        assert_eq!(answer.status, status, "{what}");
    }
    assert!(edge.fake.requests().is_empty());
}

#[tokio::test]
async fn a_body_in_broken_chunks_is_a_bad_request() {
    let edge = Edge::start().await;
    for (what, body) in [
        ("a size that is none", "zz\r\nab\r\n0\r\n\r\n"),
        ("no size", "\r\nab\r\n0\r\n\r\n"),
        ("an endless size", "fffffffffffffffff\r\nab\r\n0\r\n\r\n"),
        ("more than was told", "2\r\nabcd\r\n0\r\n\r\n"),
        ("less than was told", "5\r\nab\r\n0\r\n\r\n"),
        ("a sign", "-1\r\nab\r\n0\r\n\r\n"),
    ] {
        let head = "POST /mixer/living HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
        let answer = edge.send(format!("{head}{body}")).await;
        assert_eq!(answer.status, 400, "{what}");
        assert!(answer.body.contains("the body is broken"), "{what}: {}", answer.body);
    }
    assert!(edge.fake.requests().is_empty());
}
