//! What encoders send, byte by byte: their order of commands and their ways with chunks.
//!
//! Scripts are written by a chunk writer of their own, which knows the quirks ours does not have.

use super::*;
use crate::amf;
use crate::handshake::{Handshake, LEN};

/// Media that every script ends with: its kind, time and length.
type Item = (u8, u32, usize);

/// Bytes of one encoder.
struct Script {
    bytes: Vec<u8>,
    chunk_len: usize,
    /// In chunks that go on, as the specification has it. Some do not.
    repeats_extended: bool,
    /// 0, or AMF3's kinds with a zero before each body.
    is_amf3: bool,
}

#[test]
fn every_encoder_is_understood() {
    for (what, script, app, stream, media) in [
        ("OBS", obs(), "live", "key", vec![(9, 0x0100_0004, 5_000), (8, 0x0100_0009, 7)]),
        ("ffmpeg", ffmpeg(), "a/b", "key?k=1", vec![(9, 0, 100), (8, 21, 7)]),
        ("Flash Media Live Encoder", fmle(), "live", "key", vec![(9, 40, 300)]),
        ("Flash in a page", flash(), "live", "key", vec![(8, 0x0200_0000, 200), (8, 70, 3), (9, 73, 4)]),
        ("a hardware encoder", hardware(), "live", "key", vec![(9, 5, 300), (9, 10, 300), (9, 15, 300)]),
        ("a telephone", telephone(), "live/", "a+b/c=?token=x/y+z", vec![(8, 1, 3)]),
        ("a studio mixer", studio(), "live?token=a/b", "key", vec![(9, 0x7fff_ffff, 9)]),
        ("GStreamer", gstreamer(), "live", "key", vec![(9, 1, 3)]),
    ] {
        for step in [1, 11, 4_096, usize::MAX] {
            let mut server = ServerSession::new();
            script.bytes.chunks(step).for_each(|part| server.handle_bytes(part).unwrap());
            let Some(ServerEvent::PublishRequested(request)) = server.poll_event() else { panic!("{what}") };
            assert_eq!((request.app.as_str(), request.stream.as_str()), (app, stream), "{what}");
            server.accept_publish();
            let mut events: Vec<ServerEvent> = std::iter::from_fn(|| server.poll_event()).collect();
            assert_eq!(events.pop(), Some(ServerEvent::Ended), "{what} says goodbye");
            assert_eq!(events.iter().filter_map(item).collect::<Vec<_>>(), media, "{what} in steps of {step}");
        }
    }
}

#[test]
fn an_encoder_that_waits_for_its_answers_gets_them() {
    let mut server = ServerSession::new();
    fmle().bytes.chunks(64).for_each(|part| server.handle_bytes(part).unwrap());
    server.accept_publish();
    let told: Vec<u8> = std::iter::from_fn(|| server.poll_output()).flatten().collect();
    for answer in ["NetConnection.Connect.Success", "_result", "onFCPublish", "onStatus", "NetStream.Publish.Start"] {
        assert!(told.windows(answer.len()).any(|window| window == answer.as_bytes()), "{answer}");
    }
}

/// A fork of librtmp: plain handshake, chunks of 4096 after `connect`, extended times repeated.
fn obs() -> Script {
    Script::plain()
        .connect("live", "FMLE/3.0 (compatible; FMSc/1.0)")
        .chunk_len(4_096)
        .command("releaseStream", 2.0, &[Value::Null, Value::text("key")])
        .command("FCPublish", 3.0, &[Value::Null, Value::text("key")])
        .command("createStream", 4.0, &[Value::Null])
        .publish("key")
        .metadata("@setDataFrame")
        .media(0, 4, 9, 0x0100_0004, 5_000)
        .media(1, 4, 8, 5, 7)
        .goodbye()
}

/// A digest, long chunks from the beginning, `_checkbw` between.
fn ffmpeg() -> Script {
    Script::digest()
        .chunk_len(60_000)
        .connect("a/b", "FMLE/3.0 (compatible; Lavf59.27.100)")
        .command("releaseStream", 2.0, &[Value::Null, Value::text("key?k=1")])
        .command("FCPublish", 3.0, &[Value::Null, Value::text("key?k=1")])
        .command("_checkbw", 4.0, &[Value::Null])
        .command("createStream", 5.0, &[Value::Null])
        .publish("key?k=1")
        .metadata("@setDataFrame")
        .media(0, 6, 9, 0, 100)
        .media(0, 4, 8, 21, 7)
        .goodbye()
}

/// The model of the others: short chunks, and it waits for `onFCPublish`.
fn fmle() -> Script {
    Script::digest()
        .connect("live", "FMLE/3.0 (compatible; FMSc/1.0)")
        .command("releaseStream", 2.0, &[Value::Null, Value::text("key")])
        .command("FCPublish", 3.0, &[Value::Null, Value::text("key")])
        .command("createStream", 4.0, &[Value::Null])
        .command("_checkbw", 5.0, &[Value::Null])
        .publish("key")
        .metadata("@setDataFrame")
        .media(0, 7, 9, 40, 300)
        .goodbye()
}

/// AMF3's kinds, no FMLE commands, extended times not repeated, tags in aggregates.
fn flash() -> Script {
    let mut script = Script::plain();
    (script.is_amf3, script.repeats_extended) = (true, false);
    let aggregate = [&tag(8, 1_000, b"abc")[..], &tag(9, 1_003, b"defg"), &tag(18, 1_003, &[2, 0, 1, b'x'])].concat();
    script
        .connect("live", "WIN 11,2,202,235")
        .command("createStream", 2.0, &[Value::Null])
        .publish("key")
        .metadata("onMetaData")
        .media(0, 4, 8, 0x0200_0000, 200)
        .message(0, 5, message::AGGREGATE, 70, &aggregate)
        .goodbye()
}

/// `createStream` first, an old stream deleted, windows told, high chunk streams, short headers.
fn hardware() -> Script {
    Script::plain()
        .message(0, 2, message::WINDOW_SIZE, 0, &2_500_000_u32.to_be_bytes())
        .connect("live", "")
        .message(0, 2, message::WINDOW_SIZE, 0, &2_500_000_u32.to_be_bytes())
        .message(0, 2, message::ACKNOWLEDGEMENT, 0, &3_073_u32.to_be_bytes())
        .command("createStream", 2.0, &[Value::Null])
        .command("deleteStream", 0.0, &[Value::Null, Value::Number(0.0)])
        .command("releaseStream", 3.0, &[Value::Null, Value::text("key")])
        .command("FCPublish", 4.0, &[Value::Null, Value::text("key")])
        .publish("key")
        .metadata("onMetaData")
        .media(0, 300, 9, 5, 300)
        .media(2, 300, 9, 5, 300)
        .media(3, 300, 9, 5, 300)
        .goodbye()
}

/// No `releaseStream`; a slash behind the app, a key that is no word.
fn telephone() -> Script {
    Script::digest()
        .connect("live/", "Larix/1.0")
        .command("FCPublish", 2.0, &[Value::Null, Value::text("a+b/c=?token=x/y+z")])
        .command("createStream", 3.0, &[Value::Null])
        .publish("a+b/c=?token=x/y+z")
        .media(0, 4, 8, 1, 3)
        .goodbye()
}

/// A token in the app, the longest chunks there are, the last time but one half.
fn studio() -> Script {
    Script::plain()
        .connect("live?token=a/b", "FMLE/3.0 (compatible; vMix)")
        .chunk_len(0x7fff_ffff)
        .command("releaseStream", 2.0, &[Value::Null, Value::text("key")])
        .command("FCPublish", 3.0, &[Value::Null, Value::text("key")])
        .command("getStreamLength", 4.0, &[Value::Null, Value::text("key")])
        .command("createStream", 5.0, &[Value::Null])
        .publish("key")
        .media(0, 4, 9, 0x7fff_ffff, 9)
        .goodbye()
}

/// All FMLE commands before any answer, then `publish`.
fn gstreamer() -> Script {
    Script::plain()
        .connect("live", "LNX 10,0,32,18")
        .command("releaseStream", 2.0, &[Value::Null, Value::text("key")])
        .command("FCPublish", 3.0, &[Value::Null, Value::text("key")])
        .command("createStream", 4.0, &[Value::Null])
        .publish("key")
        .message(0, 2, message::USER_CONTROL, 0, &[0, 3, 0, 0, 0, 1, 0, 0, 11, 0xb8])
        .metadata("@setDataFrame")
        .media(0, 4, 9, 1, 3)
        .goodbye()
}

fn item(event: &ServerEvent) -> Option<Item> {
    match event {
        ServerEvent::Media(Media::Audio { timestamp, body }) => Some((8, *timestamp, body.len())),
        ServerEvent::Media(Media::Video { timestamp, body }) => Some((9, *timestamp, body.len())),
        ServerEvent::Media(Media::Metadata(metadata)) => {
            assert_eq!(metadata.width, Some(640.0));
            None
        }
        other => panic!("{other:?}"),
    }
}

fn tag(kind: u8, time: u32, body: &[u8]) -> Vec<u8> {
    let [high, time @ ..] = time.to_be_bytes();
    let len = u32::try_from(body.len()).unwrap();
    let head = [&[kind], &len.to_be_bytes()[1..], &time, &[high, 0, 0, 0]].concat();
    [&head[..], body, &(len + 11).to_be_bytes()].concat()
}

impl Script {
    fn plain() -> Self {
        Self::after(&[&[3], &[0; 8][..], &[7; LEN - 8]].concat())
    }

    fn digest() -> Self {
        Self::after(&Handshake::client().take_output())
    }

    /// C2 repeats what nobody compares.
    fn after(hello: &[u8]) -> Self {
        let bytes = [hello, &[0; LEN]].concat();
        Self { bytes, chunk_len: 128, repeats_extended: true, is_amf3: false }
    }

    fn chunk_len(self, len: u32) -> Self {
        let mut script = self.message(0, 2, message::SET_CHUNK_SIZE, 0, &len.to_be_bytes());
        script.chunk_len = usize::try_from(len).unwrap();
        script
    }

    fn connect(self, app: &str, version: &str) -> Self {
        let member = |name: &str, text: &str| (name.to_owned(), Value::text(text));
        let url = format!("rtmp://media.example:1935/{app}");
        let members = vec![
            member("app", app),
            member("type", "nonprivate"),
            member("flashVer", version),
            member("swfUrl", &url),
            member("tcUrl", &url),
            ("objectEncoding".to_owned(), Value::Number(if self.is_amf3 { 3.0 } else { 0.0 })),
        ];
        // AMF3 is for what follows.
        let body = amf::write_all(&[Value::text("connect"), Value::Number(1.0), Value::Object(members)]);
        self.message(0, 3, message::COMMAND, 0, &body)
    }

    fn command(self, name: &str, transaction: f64, arguments: &[Value]) -> Self {
        let body = amf::write_all(&[&[Value::text(name), Value::Number(transaction)], arguments].concat());
        let (kind, body) =
            if self.is_amf3 { (message::COMMAND_AMF3, [&[0], &body[..]].concat()) } else { (message::COMMAND, body) };
        self.message(0, 3, kind, 0, &body)
    }

    fn publish(self, stream: &str) -> Self {
        self.command("publish", 0.0, &[Value::Null, Value::text(stream), Value::text("live")])
    }

    /// Its members in an ECMA array, as nearly all send them.
    fn metadata(self, name: &str) -> Self {
        let mut body = amf::write_all(&[Value::text("onMetaData")]);
        if name == "@setDataFrame" {
            body.splice(0..0, amf::write_all(&[Value::text(name)]));
        }
        let members = amf::write_all(&[Value::Object(vec![("width".to_owned(), Value::Number(640.0))])]);
        body.extend([&[8, 0, 0, 0, 1], &members[1..]].concat());
        let (kind, body) =
            if self.is_amf3 { (message::DATA_AMF3, [&[0], &body[..]].concat()) } else { (message::DATA, body) };
        self.message(0, 4, kind, 0, &body)
    }

    fn media(self, format: u8, chunk_stream: u32, kind: u8, time: u32, len: usize) -> Self {
        self.message(format, chunk_stream, kind, time, &vec![0xc5; len])
    }

    fn goodbye(self) -> Self {
        self.command("FCUnpublish", 6.0, &[Value::Null, Value::text("key")]).command(
            "deleteStream",
            7.0,
            &[Value::Null, Value::Number(1.0)],
        )
    }

    fn message(mut self, format: u8, chunk_stream: u32, kind: u8, time: u32, body: &[u8]) -> Self {
        let extended = if time >= 0x00ff_ffff { time.to_be_bytes().to_vec() } else { Vec::new() };
        self.head(format, chunk_stream);
        let len = u32::try_from(body.len()).unwrap().to_be_bytes();
        if format < 3 {
            self.bytes.extend(&time.min(0x00ff_ffff).to_be_bytes()[1..]);
        }
        if format < 2 {
            self.bytes.extend([&len[1..], &[kind]].concat());
        }
        if format == 0 {
            self.bytes.extend([1, 0, 0, 0]);
        }
        self.bytes.extend(&extended);
        for (number, part) in body.chunks(self.chunk_len).enumerate() {
            if number > 0 {
                self.head(3, chunk_stream);
                if self.repeats_extended {
                    self.bytes.extend(&extended);
                }
            }
            self.bytes.extend(part);
        }
        self
    }

    /// The basic header (§5.3.1.1).
    fn head(&mut self, format: u8, chunk_stream: u32) {
        let head = format << 6;
        match chunk_stream {
            2..64 => self.bytes.push(head | u8::try_from(chunk_stream).unwrap()),
            64..320 => self.bytes.extend([head, u8::try_from(chunk_stream - 64).unwrap()]),
            _ => panic!("no script uses it"),
        }
    }
}
