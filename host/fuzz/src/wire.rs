//! RTMP sessions in the states that targets begin with, and what they make of bytes.

use bytes::Bytes;
use heliu_model::RtmpUrl;
use heliu_rtmp::{ClientSession, Media, ServerEvent, ServerSession};

use crate::script::pieces;

/// Protocol control, commands and media all fit into one chunk of this length, which a session of ours
/// announces.
const CHUNK_LEN: usize = 64 << 10;
const OUTPUT_MAX: usize = 8 << 10;
/// The most expensive answer per byte is that to a bare `connect`.
const OUTPUT_PER_BYTE_MAX: usize = 64;

/// What a server session made of bytes.
#[derive(Debug, Default, PartialEq)]
pub struct Heard {
    /// `Ended` is left out: a session may end by error or by event, depending on how bytes were cut.
    pub events: Vec<ServerEvent>,
    pub is_over: bool,
}

/// How requests are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Accept,
    Refuse,
    NotFound,
}

impl Answer {
    pub fn of(byte: u8) -> Self {
        match byte & 3 {
            0 => Self::Refuse,
            1 => Self::NotFound,
            _ => Self::Accept,
        }
    }
}

/// A client that has asked to publish or to play, and a server that has not decided.
pub fn asked(make: fn(&RtmpUrl) -> ClientSession) -> (ClientSession, ServerSession) {
    let url = RtmpUrl::parse("rtmp://h/live/key?k=1").expect("a URL");
    let (mut client, mut server) = (make(&url), ServerSession::new());
    exchange(&mut client, &mut server);
    let asked = server.poll_event();
    let has_asked = matches!(asked, Some(ServerEvent::PublishRequested(_) | ServerEvent::PlayRequested(_)));
    assert!(has_asked, "the client has asked: {asked:?}");
    (client, server)
}

/// A server whose publisher was accepted.
pub fn publishing() -> ServerSession {
    let (mut client, mut server) = asked(ClientSession::publish);
    server.accept_publish();
    exchange(&mut client, &mut server);
    server
}

/// Feeds bytes at once and in pieces: both mean the same. Returns what they mean.
pub fn hear(make: impl Fn() -> ServerSession, bytes: &[u8], seed: u8, answer: Answer) -> Heard {
    let whole = feed(&mut make(), &[bytes], answer);
    let parts = feed(&mut make(), &pieces(bytes, seed), answer);
    assert_eq!(whole, parts, "the same bytes in other pieces");
    whole
}

/// Feeds pieces and answers whatever is asked for.
pub fn feed(session: &mut ServerSession, parts: &[&[u8]], answer: Answer) -> Heard {
    let mut heard = Heard::default();
    let mut output = 0;
    for part in parts {
        heard.is_over |= session.handle_bytes(part).is_err();
        while let Some(event) = session.poll_event() {
            heard.note(session, event, answer);
        }
        output += std::iter::from_fn(|| session.poll_output()).map(|bytes| bytes.len()).sum::<usize>();
    }
    let len: usize = parts.iter().map(|part| part.len()).sum();
    assert!(output <= OUTPUT_MAX + OUTPUT_PER_BYTE_MAX * len, "{output} bytes in answer to {len}");
    let held: usize = heard.events.iter().map(body_len).sum();
    assert!(held <= len, "{held} bytes of media out of {len}");
    heard
}

/// A message in one chunk with a full header; longer bodies than a chunk are cut.
pub fn message(kind: u8, timestamp: u32, stream: u32, body: &[u8]) -> Bytes {
    let body = &body[..body.len().min(CHUNK_LEN)];
    let mut out = vec![3];
    out.extend(&timestamp.min(0x00ff_ffff).to_be_bytes()[1..]);
    out.extend(&u32::try_from(body.len()).expect("a chunk").to_be_bytes()[1..]);
    out.push(kind);
    out.extend(stream.to_le_bytes());
    if timestamp >= 0x00ff_ffff {
        out.extend(timestamp.to_be_bytes());
    }
    out.extend(body);
    out.into()
}

impl Heard {
    fn note(&mut self, session: &mut ServerSession, event: ServerEvent, answer: Answer) {
        match (&event, answer) {
            (ServerEvent::PublishRequested(_), Answer::Accept) => session.accept_publish(),
            (ServerEvent::PublishRequested(_), Answer::Refuse | Answer::NotFound) => session.refuse_publish("no"),
            (ServerEvent::PlayRequested(_), Answer::Accept) => session.accept_play(),
            (ServerEvent::PlayRequested(_), Answer::Refuse) => session.refuse_play("no"),
            (ServerEvent::PlayRequested(_), Answer::NotFound) => session.refuse_play_not_found("no"),
            (ServerEvent::Ended, _) => {
                self.is_over = true;
                return;
            }
            (ServerEvent::Media(_), _) => {}
        }
        self.events.push(event);
    }
}

fn exchange(client: &mut ClientSession, server: &mut ServerSession) {
    loop {
        let there: Vec<Bytes> = std::iter::from_fn(|| client.poll_output()).collect();
        let back: Vec<Bytes> = std::iter::from_fn(|| server.poll_output()).collect();
        if there.is_empty() && back.is_empty() {
            return;
        }
        there.iter().for_each(|bytes| server.handle_bytes(bytes).expect("a client of ours"));
        back.iter().for_each(|bytes| client.handle_bytes(bytes).expect("a server of ours"));
    }
}

fn body_len(event: &ServerEvent) -> usize {
    match event {
        ServerEvent::Media(Media::Audio { body, .. } | Media::Video { body, .. }) => body.len(),
        ServerEvent::Media(Media::Metadata(_))
        | ServerEvent::PublishRequested(_)
        | ServerEvent::PlayRequested(_)
        | ServerEvent::Ended => 0,
    }
}
