//! The client's side of one connection that publishes to somebody else's server.

use std::collections::VecDeque;

use bytes::Bytes;
use heliu_model::RtmpUrl;

use crate::acknowledgement::Acknowledgement;
use crate::amf::{self, Value};
use crate::chunk_reader::ChunkReader;
use crate::chunk_writer::{command, set_chunk_size, user_control};
use crate::error::Error;
use crate::handshake::Handshake;
use crate::message::{self, Message};

const COMMANDS: u8 = 3;
const CONNECT: f64 = 1.0;
const CREATE: f64 = 4.0;
/// What a server says is cut here before it reaches a log.
const REASON_LEN_MAX: usize = 200;

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// Media may be sent.
    Ready,
    /// It does not want us, or not any more; in its words.
    Rejected(String),
    /// It has ended the stream.
    Closed,
}

/// One connection.
#[derive(Debug)]
pub struct ClientSession {
    url: RtmpUrl,
    handshake: Handshake,
    reader: ChunkReader,
    stage: Stage,
    stream: u32,
    acknowledgement: Acknowledgement,
    events: VecDeque<ClientEvent>,
    output: VecDeque<Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Handshake,
    Connecting,
    Creating,
    Asking,
    Ready,
    Over,
}

impl ClientSession {
    /// Begins the handshake; its first bytes can be polled at once.
    #[must_use]
    pub fn new(url: &RtmpUrl) -> Self {
        let mut handshake = Handshake::client();
        let hello = Bytes::from(handshake.take_output());
        Self {
            url: url.clone(),
            handshake,
            reader: ChunkReader::default(),
            stage: Stage::Handshake,
            stream: 0,
            acknowledgement: Acknowledgement::every(u64::MAX),
            events: VecDeque::new(),
            output: VecDeque::from([hello]),
        }
    }

    /// Takes bytes from the socket; ignored once the session is over.
    ///
    /// # Errors
    /// The server broke the protocol; the session is over.
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.stage == Stage::Over {
            return Ok(());
        }
        self.output.extend(self.acknowledgement.count(bytes.len()));
        let outcome = self.read(bytes);
        if outcome.is_err() {
            self.stage = Stage::Over;
        }
        outcome
    }

    /// What the server said.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// Bytes for the socket.
    pub fn poll_output(&mut self) -> Option<Bytes> {
        self.output.pop_front()
    }

    /// The message stream for media; known once it is ready.
    #[must_use]
    pub fn stream_id(&self) -> u32 {
        self.stream
    }

    /// Says goodbye.
    pub fn close(&mut self) {
        if self.stage != Stage::Ready {
            return;
        }
        self.stage = Stage::Over;
        let stream = Value::text(self.url.stream());
        self.command(0, &[Value::text("FCUnpublish"), Value::Number(6.0), Value::Null, stream]);
        let id = Value::Number(f64::from(self.stream));
        self.command(0, &[Value::text("deleteStream"), Value::Number(7.0), Value::Null, id]);
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        if !self.handshake.is_done() {
            rest = self.handshake.handle_bytes(bytes)?;
            let answer = self.handshake.take_output();
            if !answer.is_empty() {
                self.output.push_back(answer.into());
            }
            if self.handshake.is_done() {
                self.connect();
            }
        }
        while let Some(message) = self.reader.read(&mut rest)? {
            self.handle_message(&message)?;
        }
        Ok(())
    }

    fn connect(&mut self) {
        self.stage = Stage::Connecting;
        self.output.push_back(set_chunk_size());
        let member = |name: &str, text: &str| (name.to_owned(), Value::text(text));
        let members = vec![
            member("app", self.url.app()),
            member("type", "nonprivate"),
            member("flashVer", "FMLE/3.0 (compatible; heliu)"),
            member("tcUrl", &self.url.tc_url()),
        ];
        self.command(0, &[Value::text("connect"), Value::Number(CONNECT), Value::Object(members)]);
    }

    fn handle_message(&mut self, message: &Message) -> Result<(), Error> {
        match message.kind {
            message::COMMAND => self.handle_command(&message.body),
            message::COMMAND_AMF3 => self.handle_command(message.body.get(1..).unwrap_or_default()),
            message::WINDOW_SIZE => {
                self.acknowledgement.set_window(&message.body);
                Ok(())
            }
            message::USER_CONTROL => {
                if message.body.starts_with(&message::PING.to_be_bytes()) && message.body.len() >= 6 {
                    self.output.push_back(user_control(message::PONG, &message.body[2..6]));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn handle_command(&mut self, body: &[u8]) -> Result<(), Error> {
        let values = amf::read_all(body)?;
        let [name, rest @ ..] = values.as_slice() else { return Err(Error::Command) };
        // ffmpeg's server sends `onFCPublish` with nothing behind it.
        let transaction = rest.first().and_then(Value::as_number).unwrap_or(0.0);
        let arguments = rest.get(1..).unwrap_or_default();
        match (name.as_str().ok_or(Error::Command)?, self.stage) {
            ("_result", Stage::Connecting) if transaction == CONNECT => self.create_stream(),
            ("_result", Stage::Creating) if transaction == CREATE => self.publish(arguments.get(1)),
            ("_error", Stage::Connecting) => self.reject(arguments.get(1)),
            ("_error", Stage::Creating) if transaction == CREATE => self.reject(arguments.get(1)),
            ("onStatus", Stage::Asking | Stage::Ready) => self.handle_status(arguments.get(1)),
            ("close", _) => self.end(ClientEvent::Closed),
            _ => {}
        }
        Ok(())
    }

    fn create_stream(&mut self) {
        self.stage = Stage::Creating;
        let stream = Value::text(self.url.stream());
        self.command(0, &[Value::text("releaseStream"), Value::Number(2.0), Value::Null, stream.clone()]);
        self.command(0, &[Value::text("FCPublish"), Value::Number(3.0), Value::Null, stream]);
        self.command(0, &[Value::text("createStream"), Value::Number(CREATE), Value::Null]);
    }

    fn publish(&mut self, id: Option<&Value>) {
        self.stage = Stage::Asking;
        self.stream = id.and_then(Value::as_number).map_or(1, |number| number as u32);
        let stream = Value::text(self.url.stream());
        let values = [Value::text("publish"), Value::Number(5.0), Value::Null, stream, Value::text("live")];
        self.command(self.stream, &values);
    }

    fn handle_status(&mut self, information: Option<&Value>) {
        let text = |name: &str| information.and_then(|object| object.get(name)).and_then(Value::as_str);
        match (text("code"), text("level")) {
            (Some("NetStream.Publish.Start"), _) if self.stage == Stage::Asking => {
                self.stage = Stage::Ready;
                self.events.push_back(ClientEvent::Ready);
            }
            (Some("NetStream.Unpublish.Success"), _) => self.end(ClientEvent::Closed),
            (_, Some("error")) => self.reject(information),
            _ => {}
        }
    }

    fn reject(&mut self, information: Option<&Value>) {
        let text = |name: &str| information.and_then(|object| object.get(name)).and_then(Value::as_str);
        let reason = format!("{} {}", text("code").unwrap_or_default(), text("description").unwrap_or_default());
        let reason: String = reason.chars().filter(|c| !c.is_control()).take(REASON_LEN_MAX).collect();
        self.end(ClientEvent::Rejected(reason.trim().to_owned()));
    }

    fn end(&mut self, event: ClientEvent) {
        self.stage = Stage::Over;
        self.events.push_back(event);
    }

    fn command(&mut self, stream: u32, values: &[Value]) {
        self.output.push_back(command(COMMANDS, stream, values));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{MediaKind, Metadata, ServerEvent, ServerSession, media_message, metadata_message};

    #[test]
    fn a_push_reaches_a_server_however_the_bytes_are_cut() {
        for step in [1, 13, 1_460, usize::MAX] {
            let mut wire = Wire::new("rtmp://h/a/b/key?k=1", step);
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
            let told = Metadata { width: Some(640.0), ..Metadata::default() };
            for bytes in [
                metadata_message(&told, stream, true),
                media_message(MediaKind::Video, 40, stream, &[b"\x17\x00", &[7; 70_000]]),
                media_message(MediaKind::Audio, 41, stream, &[b"\xaf\x01x"]),
            ] {
                wire.feed_server(&bytes);
            }
            wire.client.close();
            wire.run();
            let events: Vec<_> = std::iter::from_fn(|| wire.server.poll_event()).collect();
            assert!(matches!(&events[0], ServerEvent::Metadata(metadata) if metadata.width == Some(640.0)));
            assert!(matches!(&events[1], ServerEvent::Video { timestamp: 40, body } if body.len() == 70_002));
            assert!(matches!(&events[2], ServerEvent::Audio { timestamp: 41, body } if body.len() == 3));
            assert_eq!(events[3..], [ServerEvent::Ended]);
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        let mut wire = Wire::new("rtmp://h/a/x", usize::MAX);
        wire.run();
        assert!(matches!(wire.server.poll_event(), Some(ServerEvent::PublishRequested(_))));
        wire.server.refuse_publish("taken");
        wire.run();
        let want = ClientEvent::Rejected("NetStream.Publish.BadName taken".to_owned());
        assert_eq!(wire.client.poll_event(), Some(want));
        assert_eq!(wire.client.handle_bytes(&[0xc4]), Ok(()), "what follows is not read");
    }

    #[test]
    fn a_command_of_a_name_alone_is_passed_over() {
        let mut wire = Wire::new("rtmp://h/a/x", usize::MAX);
        wire.run();
        let bare = command(COMMANDS, 0, &[Value::text("onFCPublish")]);
        assert_eq!(wire.client.handle_bytes(&bare), Ok(()));
        wire.server.accept_publish();
        wire.run();
        assert_eq!(wire.client.poll_event(), Some(ClientEvent::Ready));
    }

    #[test]
    fn media_of_an_impatient_client_waits_for_acceptance() {
        let mut wire = Wire::new("rtmp://h/a/x", usize::MAX);
        wire.run();
        wire.server.poll_event();
        wire.feed_server(&media_message(MediaKind::Audio, 7, 1, &[b"x"]));
        assert_eq!(wire.server.poll_event(), None);
        wire.server.accept_publish();
        let body = Bytes::from_static(b"x");
        assert_eq!(wire.server.poll_event(), Some(ServerEvent::Audio { timestamp: 7, body }));
    }

    proptest! {
        #[test]
        fn no_bytes_break_a_session(noise in proptest::collection::vec(any::<u8>(), 0..300), accept: bool) {
            let mut wire = Wire::new("rtmp://h/a/x", usize::MAX);
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
        fn new(url: &str, step: usize) -> Self {
            let url = RtmpUrl::parse(url).unwrap();
            Self { client: ClientSession::new(&url), server: ServerSession::new(), step }
        }

        fn run(&mut self) {
            loop {
                let there: Vec<Bytes> = std::iter::from_fn(|| self.client.poll_output()).collect();
                let back: Vec<Bytes> = std::iter::from_fn(|| self.server.poll_output()).collect();
                if there.is_empty() && back.is_empty() {
                    return;
                }
                there.iter().for_each(|bytes| self.feed_server(bytes));
                for bytes in back {
                    bytes.chunks(self.step).for_each(|part| self.client.handle_bytes(part).unwrap());
                }
            }
        }

        fn feed_server(&mut self, bytes: &[u8]) {
            bytes.chunks(self.step).for_each(|part| self.server.handle_bytes(part).unwrap());
        }
    }
}
