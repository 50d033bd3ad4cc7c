//! WHIP and WHEP over HTTP: what the media plane is asked, and how its answers look.

use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_media::{Negotiated, NegotiationError, OfferRequest, SessionId, Trickle, Trickled};
use heliu_model::{Direction, Refusal};

use super::{Answer, Edge};
use crate::{Config, IceServer, Negotiate};

const SDP: &str = "content-type: application/sdp\r\n";
const FRAGMENT: &str = "content-type: application/trickle-ice-sdpfrag\r\n";

#[tokio::test]
async fn an_offer_is_answered_with_a_session() {
    let servers = [IceServer::new("stun:s", None), IceServer::new("turn:t", Some(("u", "p")))];
    let ice_servers = servers.into_iter().map(Result::unwrap).collect();
    let edge = Edge::start_with(Config { ice_servers, ..Config::default() }).await;
    let answer =
        edge.ask("POST /whip/live/a%20b?key=%2F HTTP/1.1", &format!("{SDP}Authorization: Bearer t\r\n"), "v=0").await;

    assert_eq!((answer.status, answer.body.as_str()), (201, "answer to v=0"));
    let session = edge.sessions.session();
    for (name, want) in [
        ("content-type", "application/sdp"),
        ("location", format!("/whip-session/{session}").as_str()),
        ("etag", "\"tag1\""),
        ("accept-patch", "application/trickle-ice-sdpfrag"),
        ("access-control-allow-origin", "*"),
    ] {
        assert_eq!(answer.head.get(name), Some(want), "{name}");
    }
    let turn = "<turn:t>; rel=\"ice-server\"; username=\"u\"; credential=\"p\"; credential-type=\"password\"";
    assert_eq!(answer.head.all("link"), ["<stun:s>; rel=\"ice-server\"", turn]);
    let readable = answer.head.get("access-control-expose-headers").unwrap();
    for name in ["accept-patch", "etag", "link", "location", "retry-after"] {
        assert!(readable.split(", ").any(|known| known == name), "{name}");
    }

    let offers = edge.sessions.offers.lock().unwrap();
    let [request] = &offers[..] else { panic!("{offers:?}") };
    assert_eq!((request.direction, request.protocol), (Direction::Publish, "whip"));
    assert_eq!((request.address.as_str(), request.query.as_deref()), ("live/a b", Some("key=%2F")));
    assert_eq!((request.authority.as_deref(), request.peer.as_str()), (Some("h.example:8080"), "127.0.0.1"));
    assert!(request.headers.contains(&("authorization".to_owned(), "Bearer t".to_owned())), "{:?}", request.headers);
}

#[tokio::test]
async fn a_viewer_offers_too() {
    let edge = Edge::start().await;
    let answer =
        edge.ask("POST /whep/live/a HTTP/1.1", "content-type: Application/SDP; charset=utf-8\r\n", "v=0").await;
    assert_eq!((answer.status, answer.head.get("link")), (201, None));
    let offers = edge.sessions.offers.lock().unwrap();
    assert_eq!((offers[0].direction, offers[0].protocol, &offers[0].query), (Direction::Play, "whep", &None));
}

#[tokio::test]
async fn what_is_no_offer_never_reaches_the_media_plane() {
    let edge = Edge::start().await;
    let long = "x".repeat(64 * 1024 + 1);
    for (what, request, headers, body, status) in [
        ("no type", "POST /whip/live/a HTTP/1.1", "", "v=0", 415),
        ("another type", "POST /whip/live/a HTTP/1.1", "content-type: application/json\r\n", "{}", 415),
        ("a fragment", "POST /whip/live/a HTTP/1.1", FRAGMENT, "a=x", 415),
        ("too long", "POST /whip/live/a HTTP/1.1", SDP, long.as_str(), 413),
        ("no name", "POST /whip/live HTTP/1.1", SDP, "v=0", 404),
        ("a name that is none", "POST /whip/live/%ff HTTP/1.1", SDP, "v=0", 404),
        ("no address", "POST /whip HTTP/1.1", SDP, "v=0", 404),
        ("a trickle without a condition", "PATCH /whip-session/1 HTTP/1.1", FRAGMENT, "a=x", 404),
        ("a trickle of another type", "PATCH /whip-session/1 HTTP/1.1", SDP, "v=0", 415),
        ("no session's name", "DELETE /whip-session/1 HTTP/1.1", "", "", 404),
    ] {
        let answer = edge.ask(request, headers, body).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert_eq!(answer.head.get("content-type"), Some("application/json"), "{what}");
        assert!(answer.head.get("x-request-id").is_some(), "{what}");
    }
    let bytes = format!("POST /whip/live/a HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{SDP}content-length: 1\r\n\r\n");
    let answer = edge.send_bytes(&[bytes.as_bytes(), b"\xff"].concat()).await;
    assert_eq!(answer.status, 400, "not UTF-8");
    assert!(edge.sessions.offers.lock().unwrap().is_empty());
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let edge = Edge::start().await;
    let session = format!("/whip-session/{}", SessionId::random());
    for (method, path, allow) in [
        ("GET", "/whip/live/a", "OPTIONS, POST"),
        ("HEAD", "/whip/live/a", "OPTIONS, POST"),
        ("PUT", "/whip/live/a", "OPTIONS, POST"),
        ("DELETE", "/whip/live/a", "OPTIONS, POST"),
        ("GET", "/whep/live/a", "OPTIONS, POST"),
        ("GET", session.as_str(), "DELETE, OPTIONS, PATCH"),
        ("HEAD", session.as_str(), "DELETE, OPTIONS, PATCH"),
        ("PUT", session.as_str(), "DELETE, OPTIONS, PATCH"),
        ("POST", session.as_str(), "DELETE, OPTIONS, PATCH"),
    ] {
        let answer = edge.ask(&format!("{method} {path} HTTP/1.1"), SDP, "").await;
        assert_eq!((answer.status, answer.head.get("allow")), (405, Some(allow)), "{method} {path}");
    }
}

#[tokio::test]
async fn a_browser_may_ask_from_anywhere() {
    let edge = Edge::start().await;
    let origin = "origin: https://a\r\naccess-control-request-method: POST\r\n";
    for (path, methods, accepts, media_type) in [
        ("/whip/live/a", "OPTIONS, POST", "accept-post", "application/sdp"),
        ("/whep/live/a", "OPTIONS, POST", "accept-post", "application/sdp"),
        ("/whip-session/x", "DELETE, OPTIONS, PATCH", "accept-patch", "application/trickle-ice-sdpfrag"),
    ] {
        let answer = edge.ask(&format!("OPTIONS {path} HTTP/1.1"), origin, "").await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{path}");
        for (name, want) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", methods),
            ("access-control-allow-headers", "authorization, content-type, if-match"),
            ("allow", methods),
            (accepts, media_type),
        ] {
            assert_eq!(answer.head.get(name), Some(want), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn what_the_media_plane_refuses_has_its_status() {
    let edge = Edge::start().await;
    for (name, status, body, header) in [
        ("garbage", 400, "line 1", None),
        ("unmet", 422, "no H.264", None),
        ("401", 401, "no entry", Some(("www-authenticate", "Bearer"))),
        ("403", 403, "no entry", None),
        ("404", 404, "no entry", None),
        ("429", 429, "no entry", Some(("retry-after", "5"))),
        ("200", 403, "no entry", None),
        ("nothing", 404, "not found", None),
        ("taken", 409, "somebody publishes there", None),
        ("full", 503, "too many sessions", Some(("retry-after", "5"))),
        ("stopping", 503, "no WebRTC here", Some(("retry-after", "5"))),
    ] {
        let answer = edge.ask(&format!("POST /whip/live/{name} HTTP/1.1"), SDP, "v=0").await;
        let want = format!("{{\"error\":\"{body}\"}}");
        assert_eq!((answer.status, answer.body), (status, want), "{name}");
        assert_eq!(answer.head.get("access-control-allow-origin"), Some("*"), "{name}");
        for known in ["www-authenticate", "retry-after"] {
            let want = header.filter(|(name, _)| *name == known).map(|(_, value)| value);
            assert_eq!(answer.head.get(known), want, "{name} {known}");
        }
    }
}

#[tokio::test]
async fn a_session_goes_on_under_its_tag() {
    let edge = Edge::start().await;
    edge.ask("POST /whip/live/a HTTP/1.1", SDP, "v=0").await;
    let path = format!("/whip-session/{}", edge.sessions.session());
    for (what, condition, body, status, etag, told) in [
        ("candidates", "if-match: \"tag1\"\r\n", "a=candidate", 204, None, ""),
        ("candidates of another generation", "if-match: \"tag0\"\r\n", "a=candidate", 412, None, ""),
        ("a weak tag", "if-match: W/\"tag1\"\r\n", "a=candidate", 412, None, ""),
        ("without a condition", "", "a=candidate", 428, None, ""),
        ("garbage", "if-match: \"tag1\"\r\n", "garbage", 400, None, ""),
        ("ICE anew", "if-match: *\r\n", "a=ice-ufrag", 200, Some("\"tag2\""), "anew"),
    ] {
        let answer = edge.ask(&format!("PATCH {path} HTTP/1.1"), &format!("{FRAGMENT}{condition}"), body).await;
        assert_eq!((answer.status, answer.head.get("etag")), (status, etag), "{what}");
        if status < 400 {
            assert_eq!(answer.body, told, "{what}");
        }
        assert_eq!(answer.head.get("content-type") == Some("application/trickle-ice-sdpfrag"), status == 200, "{what}");
    }
    let other = format!("PATCH /whip-session/{} HTTP/1.1", SessionId::random());
    assert_eq!(edge.ask(&other, &format!("{FRAGMENT}if-match: *\r\n"), "a=x").await.status, 404, "another session");
}

#[tokio::test]
async fn a_session_ends_once() {
    let edge = Edge::start().await;
    edge.ask("POST /whep/live/a HTTP/1.1", SDP, "v=0").await;
    let end = format!("DELETE /whip-session/{} HTTP/1.1", edge.sessions.session());
    for want in [200, 404] {
        assert_eq!(edge.ask(&end, "", "").await.status, want);
    }
}

#[tokio::test]
async fn without_webrtc_offers_are_turned_away() {
    let edge = Edge::start_without_sessions().await;
    let answer: Answer = edge.ask("POST /whip/live/a HTTP/1.1", SDP, "v=0").await;
    assert_eq!((answer.status, answer.body.as_str()), (503, r#"{"error":"no WebRTC here"}"#));
    assert_eq!(edge.ask("OPTIONS /whip/live/a HTTP/1.1", "", "").await.status, 204);
}

#[tokio::test]
async fn no_plugin_is_asked_about_the_hosts_paths() {
    let edge = Edge::start().await;
    for path in ["/whip/mixer/living", "/whip", "/whep/", "/-/", "/-/mixer/living", "/whip-session/x.flv"] {
        assert_ne!(edge.ask(&format!("POST {path} HTTP/1.1"), "", "").await.status, 200, "{path}");
    }
    assert!(edge.fake.requests().is_empty());
}

/// Sessions by the name that is asked for.
#[derive(Default)]
pub struct FakeSessions {
    pub offers: Mutex<Vec<OfferRequest>>,
    living: Mutex<Vec<SessionId>>,
}

impl FakeSessions {
    fn session(&self) -> SessionId {
        self.living.lock().unwrap()[0]
    }

    fn check(&self, session: SessionId) -> Result<(), NegotiationError> {
        match self.living.lock().unwrap().contains(&session) {
            true => Ok(()),
            false => Err(NegotiationError::NotFound),
        }
    }

    fn next(&self, request: OfferRequest) -> Result<Negotiated, NegotiationError> {
        let name = request.address.name().to_owned();
        let sdp = format!("answer to {}", request.sdp);
        self.offers.lock().unwrap().push(request);
        if let Ok(status) = name.parse() {
            return Err(NegotiationError::Refused(Refusal { status, reason: "no entry".to_owned() }));
        }
        match name.as_str() {
            "garbage" => Err(NegotiationError::Garbage("line 1".to_owned())),
            "unmet" => Err(NegotiationError::Unmet("no H.264".to_owned())),
            "nothing" => Err(NegotiationError::NotFound),
            "taken" => Err(NegotiationError::Taken),
            "full" => Err(NegotiationError::Full),
            "stopping" => Err(NegotiationError::Unavailable),
            _ => {
                let session = SessionId::random();
                self.living.lock().unwrap().push(session);
                Ok(Negotiated { session, etag: "tag1".to_owned(), sdp })
            }
        }
    }

    fn take(&self, session: SessionId, trickle: &Trickle) -> Result<Trickled, NegotiationError> {
        self.check(session)?;
        match (trickle.etag.as_deref(), trickle.fragment.as_str()) {
            (_, "garbage") => Err(NegotiationError::Garbage("line 1".to_owned())),
            (None, _) => Ok(Trickled::Restarted { etag: "tag2".to_owned(), fragment: "anew".to_owned() }),
            (Some("tag1"), _) => Ok(Trickled::Noted),
            (Some(_), _) => Err(NegotiationError::Stale),
        }
    }
}

impl Negotiate for FakeSessions {
    fn offer(&self, request: OfferRequest) -> BoxFuture<'static, Result<Negotiated, NegotiationError>> {
        let answer = self.next(request);
        async { answer }.boxed()
    }

    fn trickle(&self, session: SessionId, trickle: Trickle) -> BoxFuture<'static, Result<Trickled, NegotiationError>> {
        let answer = self.take(session, &trickle);
        async { answer }.boxed()
    }

    fn end(&self, session: SessionId) -> BoxFuture<'static, Result<(), NegotiationError>> {
        let answer = self.check(session);
        self.living.lock().unwrap().retain(|known| *known != session);
        async { answer }.boxed()
    }
}
