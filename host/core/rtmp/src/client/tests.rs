//! Both sides of a session against each other, bytes cut anywhere.

use proptest::prelude::*;

use super::*;
use crate::{MediaKind, Metadata, SERVER_STREAM_ID, ServerEvent, ServerSession, media_message, metadata_message};

#[test]
fn a_push_reaches_a_server_however_the_bytes_are_cut() {
    for step in [1, 13, 1_460, usize::MAX] {
        let mut wire = Wire::publishing("rtmp://h/a/b/key?k=1", step);
        wire.run();
        let asked = wire.server.poll_event();
        let Some(ServerEvent::PublishRequested(request)) = asked else { panic!("{asked:?}") };
        let authority = request.authority();
        assert_eq!(
            (request.app.as_str(), request.stream.as_str(), authority.as_deref()),
            ("a/b", "key?k=1", Some("h"))
        );
        wire.server.accept_publish();
        wire.run();
        assert_eq!(wire.client.poll_event(), Some(ClientEvent::Ready));
        let stream = wire.client.stream_id();
        stream_messages(stream, true).iter().for_each(|bytes| wire.feed_server(bytes));
        wire.client.close();
        wire.run();
        let events: Vec<_> = std::iter::from_fn(|| wire.server.poll_event()).collect();
        let media = stream_media().map(ServerEvent::Media);
        assert_eq!(events[..3], media);
        assert_eq!(events[3..], [ServerEvent::Ended]);
    }
}

#[test]
fn a_player_gets_what_the_server_sends_however_the_bytes_are_cut() {
    for step in [1, 13, 1_460, usize::MAX] {
        let mut wire = Wire::playing("rtmp://h/a/b/key?k=1", step);
        wire.run();
        let asked = wire.server.poll_event();
        let Some(ServerEvent::PlayRequested(request)) = asked else { panic!("{asked:?}") };
        assert_eq!((request.app.as_str(), request.stream.as_str()), ("a/b", "key?k=1"));
        wire.server.accept_play();
        wire.run();
        assert_eq!(wire.client.poll_event(), Some(ClientEvent::Ready));
        stream_messages(SERVER_STREAM_ID, false).iter().for_each(|bytes| wire.feed_client(bytes));
        let events: Vec<_> = std::iter::from_fn(|| wire.client.poll_event()).collect();
        assert_eq!(events, stream_media().map(ClientEvent::Media));
        wire.client.close();
        wire.run();
        assert_eq!(wire.server.poll_event(), Some(ServerEvent::Ended));
    }
}

#[test]
fn a_player_is_told_how_its_stream_ended() {
    type Act = fn(&mut ServerSession);
    let not_found = ClientEvent::Rejected("NetStream.Play.StreamNotFound no such stream".to_owned());
    for (what, act, want) in [
        (
            "the publisher left",
            (|server| {
                server.accept_play();
                server.end_play();
            }) as Act,
            vec![ClientEvent::Ready, ClientEvent::Closed],
        ),
        ("there was none", |server| server.refuse_play_not_found("no such stream"), vec![not_found]),
    ] {
        let mut wire = Wire::playing("rtmp://h/a/x", usize::MAX);
        wire.run();
        act(&mut wire.server);
        wire.run();
        let events: Vec<_> = std::iter::from_fn(|| wire.client.poll_event()).collect();
        assert_eq!(events, want, "{what}");
        assert_eq!(wire.client.handle_bytes(&[0xc4]), Ok(()), "what follows is not read");
    }
}

#[test]
fn servers_end_a_stream_in_several_ways() {
    let status = |code: &str| {
        let member = |name: &str, text: &str| (name.to_owned(), Value::text(text));
        let information = Value::Object(vec![member("level", "status"), member("code", code)]);
        command(COMMANDS, SERVER_STREAM_ID, &[Value::text("onStatus"), Value::Number(0.0), Value::Null, information])
    };
    for (what, bytes, want) in [
        ("end of file", user_control(message::STREAM_EOF, &[0, 0, 0, 1]), Some(ClientEvent::Closed)),
        ("unpublished", status("NetStream.Play.UnpublishNotify"), Some(ClientEvent::Closed)),
        ("stopped", status("NetStream.Play.Stop"), Some(ClientEvent::Closed)),
        ("closed", command(COMMANDS, 0, &[Value::text("close")]), Some(ClientEvent::Closed)),
        ("a dry stream goes on", user_control(2, &[0, 0, 0, 1]), None),
        ("another status", status("NetStream.Play.PublishNotify"), None),
    ] {
        let mut wire = Wire::playing("rtmp://h/a/x", usize::MAX);
        wire.run();
        wire.server.accept_play();
        wire.run();
        assert_eq!(wire.client.poll_event(), Some(ClientEvent::Ready));
        wire.feed_client(&bytes);
        assert_eq!(wire.client.poll_event(), want, "{what}");
    }
}

#[test]
fn a_refusal_is_told_in_the_servers_words() {
    let mut wire = Wire::publishing("rtmp://h/a/x", usize::MAX);
    wire.run();
    assert!(matches!(wire.server.poll_event(), Some(ServerEvent::PublishRequested(_))));
    wire.server.refuse_publish("taken");
    wire.run();
    let want = ClientEvent::Rejected("NetStream.Publish.BadName taken".to_owned());
    assert_eq!(wire.client.poll_event(), Some(want));
    assert_eq!(wire.client.handle_bytes(&[0xc4]), Ok(()), "what follows is not read");
}

#[test]
fn a_redirect_is_not_followed() {
    let mut wire = Wire::publishing("rtmp://h/a/x", usize::MAX);
    let hello = wire.client.poll_output().unwrap();
    wire.feed_server(&hello);
    let answer = wire.server.poll_output().unwrap();
    wire.feed_client(&answer);
    let member = |name: &str, value: Value| (name.to_owned(), value);
    let place = Value::text("rtmp://10.0.0.1/a");
    let extra = Value::Object(vec![member("code", Value::Number(302.0)), member("redirect", place)]);
    let code = Value::text("NetConnection.Connect.Rejected");
    let information = vec![member("level", Value::text("error")), member("code", code), member("ex", extra)];
    let values = [Value::text("_error"), Value::Number(CONNECT), Value::Null, Value::Object(information)];
    wire.feed_client(&set_chunk_size());
    wire.feed_client(&command(COMMANDS, 0, &values));
    let event = wire.client.poll_event();
    assert!(matches!(&event, Some(ClientEvent::Rejected(reason)) if reason.contains("redirects")), "{event:?}");
}

#[test]
fn a_command_of_a_name_alone_is_passed_over() {
    let mut wire = Wire::publishing("rtmp://h/a/x", usize::MAX);
    wire.run();
    let bare = command(COMMANDS, 0, &[Value::text("onFCPublish")]);
    assert_eq!(wire.client.handle_bytes(&bare), Ok(()));
    wire.server.accept_publish();
    wire.run();
    assert_eq!(wire.client.poll_event(), Some(ClientEvent::Ready));
}

#[test]
fn media_of_an_impatient_client_waits_for_acceptance() {
    let mut wire = Wire::publishing("rtmp://h/a/x", usize::MAX);
    wire.run();
    wire.server.poll_event();
    wire.feed_server(&media_message(MediaKind::Audio, 7, 1, &[b"x"]));
    assert_eq!(wire.server.poll_event(), None);
    wire.server.accept_publish();
    let body = Bytes::from_static(b"x");
    assert_eq!(wire.server.poll_event(), Some(ServerEvent::Media(Media::Audio { timestamp: 7, body })));
}

proptest! {
    #[test]
    fn no_bytes_break_a_session(noise in proptest::collection::vec(any::<u8>(), 0..300), accept: bool) {
        let mut wire = Wire::publishing("rtmp://h/a/x", usize::MAX);
        wire.run();
        if accept {
            wire.server.accept_publish();
            wire.run();
        }
        let _ = wire.server.handle_bytes(&noise);
        let _ = wire.client.handle_bytes(&noise);
        let _ = ServerSession::new().handle_bytes(&noise);
    }
}

struct Wire {
    client: ClientSession,
    server: ServerSession,
    step: usize,
}

impl Wire {
    fn publishing(url: &str, step: usize) -> Self {
        Self::new(ClientSession::publish(&RtmpUrl::parse(url).unwrap()), step)
    }

    fn playing(url: &str, step: usize) -> Self {
        Self::new(ClientSession::play(&RtmpUrl::parse(url).unwrap()), step)
    }

    fn new(client: ClientSession, step: usize) -> Self {
        Self { client, server: ServerSession::new(), step }
    }

    fn run(&mut self) {
        loop {
            let there: Vec<Bytes> = std::iter::from_fn(|| self.client.poll_output()).collect();
            let back: Vec<Bytes> = std::iter::from_fn(|| self.server.poll_output()).collect();
            if there.is_empty() && back.is_empty() {
                return;
            }
            there.iter().for_each(|bytes| self.feed_server(bytes));
            back.iter().for_each(|bytes| self.feed_client(bytes));
        }
    }

    fn feed_server(&mut self, bytes: &[u8]) {
        bytes.chunks(self.step).for_each(|part| self.server.handle_bytes(part).unwrap());
    }

    fn feed_client(&mut self, bytes: &[u8]) {
        bytes.chunks(self.step).for_each(|part| self.client.handle_bytes(part).unwrap());
    }
}

fn stream_messages(stream: u32, is_push: bool) -> [Bytes; 3] {
    let told = Metadata { width: Some(640.0), ..Metadata::default() };
    [
        metadata_message(&told, stream, is_push),
        media_message(MediaKind::Video, 40, stream, &[b"\x17\x00", &[7; 70_000]]),
        media_message(MediaKind::Audio, 41, stream, &[b"\xaf\x01x"]),
    ]
}

fn stream_media() -> [Media; 3] {
    let video = [&b"\x17\x00"[..], &[7; 70_000]].concat();
    [
        Media::Metadata(Metadata { width: Some(640.0), ..Metadata::default() }),
        Media::Video { timestamp: 40, body: video.into() },
        Media::Audio { timestamp: 41, body: Bytes::from_static(b"\xaf\x01x") },
    ]
}
