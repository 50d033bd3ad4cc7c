//! The client's side of one connection: publishes to somebody else's server, or plays from it.

use std::collections::VecDeque;

use bytes::Bytes;
use heliu_model::RtmpUrl;

use crate::amf::Value;
use crate::chunk_writer::{command, set_chunk_size, user_control};
use crate::command::Command;
use crate::error::Error;
use crate::handshake::Handshake;
use crate::link::Link;
use crate::media::Media;
use crate::message::{self, Message};

const COMMANDS: u8 = 3;
const CONNECT: f64 = 1.0;
const CREATE: f64 = 4.0;
/// What a player says it buffers; servers send at once whatever it says.
const BUFFER_MS: u32 = 1_000;
/// Live if there is such a stream (§7.2.2.1).
const LIVE: f64 = -2.0;
/// What a server says is cut here before it reaches a log.
const REASON_LEN_MAX: usize = 200;

/// What the server said.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientEvent {
    /// Media may be sent, or will come.
    Ready,
    /// What is played.
    Media(Media),
    /// It does not want us, or not any more; in its words.
    Rejected(String),
    /// It has ended the stream.
    Closed,
}

/// One connection.
#[derive(Debug)]
pub struct ClientSession {
    url: RtmpUrl,
    aim: Aim,
    link: Link,
    stage: Stage,
    stream: u32,
    events: VecDeque<ClientEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    Publish,
    Play,
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
    /// Will send media to `url`. Begins the handshake; its first bytes can be polled at once.
    #[must_use]
    pub fn publish(url: &RtmpUrl) -> Self {
        Self::new(url, Aim::Publish)
    }

    /// Will receive the media of `url`. Begins the handshake; its first bytes can be polled at once.
    #[must_use]
    pub fn play(url: &RtmpUrl) -> Self {
        Self::new(url, Aim::Play)
    }

    fn new(url: &RtmpUrl, aim: Aim) -> Self {
        // A server says itself when it wants to hear of received bytes.
        let link = Link::new(Handshake::client(), u64::MAX);
        Self { url: url.clone(), aim, link, stage: Stage::Handshake, stream: 0, events: VecDeque::new() }
    }

    /// Takes bytes from the socket; ignored once the session is over.
    ///
    /// # Errors
    /// The server broke the protocol; the session is over.
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.stage == Stage::Over {
            return Ok(());
        }
        self.link.count(bytes.len());
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
        self.link.poll_output()
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
        if self.aim == Aim::Publish {
            self.command(0, "FCUnpublish", 6.0, [Value::text(self.url.stream())]);
        }
        self.command(0, "deleteStream", 7.0, [Value::Number(f64::from(self.stream))]);
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        loop {
            let message = self.link.read(&mut rest)?;
            if self.stage == Stage::Handshake && self.link.is_open() {
                self.connect();
            }
            match message {
                // What follows the end is not read.
                Some(message) if self.stage != Stage::Over => self.handle_message(message)?,
                Some(_) | None => return Ok(()),
            }
        }
    }

    fn connect(&mut self) {
        self.stage = Stage::Connecting;
        self.link.send(set_chunk_size());
        let member = |name: &str, value: Value| (name.to_owned(), value);
        let mut members = vec![member("app", Value::text(self.url.app()))];
        members.extend(match self.aim {
            Aim::Publish => vec![
                member("type", Value::text("nonprivate")),
                member("flashVer", Value::text("FMLE/3.0 (compatible; heliu)")),
            ],
            Aim::Play => vec![
                member("flashVer", Value::text("LNX 9,0,124,2")),
                member("fpad", Value::Boolean(false)),
                // All codecs, and no seeking by picture.
                member("audioCodecs", Value::Number(4_071.0)),
                member("videoCodecs", Value::Number(252.0)),
                member("videoFunction", Value::Number(0.0)),
            ],
        });
        members.push(member("tcUrl", Value::text(&self.url.tc_url())));
        let values = [Value::text("connect"), Value::Number(CONNECT), Value::Object(members)];
        self.link.send(command(COMMANDS, 0, &values));
    }

    fn handle_message(&mut self, message: Message) -> Result<(), Error> {
        match message.kind {
            message::COMMAND | message::COMMAND_AMF3 => self.handle_command(&Command::read(&message)?),
            message::USER_CONTROL => {
                let is_end = message.body.starts_with(&message::STREAM_EOF.to_be_bytes());
                if is_end && self.aim == Aim::Play && self.stage == Stage::Ready {
                    self.end(ClientEvent::Closed);
                }
            }
            _ => self.handle_media(message),
        }
        Ok(())
    }

    fn handle_media(&mut self, message: Message) {
        if self.aim == Aim::Play && matches!(self.stage, Stage::Asking | Stage::Ready) {
            Media::read(message, &mut |media| self.events.push_back(ClientEvent::Media(media)));
        }
    }

    fn handle_command(&mut self, command: &Command) {
        let is_answer = |transaction: f64| command.transaction == transaction;
        match (command.name.as_str(), self.stage) {
            ("_result", Stage::Connecting) if is_answer(CONNECT) => self.create_stream(),
            ("_result", Stage::Creating) if is_answer(CREATE) => self.ask(command.arguments.get(1)),
            ("_error", Stage::Connecting) => self.reject(command),
            ("_error", Stage::Creating) if is_answer(CREATE) => self.reject(command),
            ("onStatus", Stage::Asking | Stage::Ready) => self.handle_status(command),
            ("close", _) => self.end(ClientEvent::Closed),
            _ => {}
        }
    }

    fn create_stream(&mut self) {
        self.stage = Stage::Creating;
        if self.aim == Aim::Publish {
            let stream = Value::text(self.url.stream());
            self.command(0, "releaseStream", 2.0, [stream.clone()]);
            self.command(0, "FCPublish", 3.0, [stream]);
        }
        self.command(0, "createStream", CREATE, []);
    }

    fn ask(&mut self, id: Option<&Value>) {
        self.stage = Stage::Asking;
        self.stream = id.and_then(Value::as_number).map_or(1, |number| number as u32);
        let stream = Value::text(self.url.stream());
        match self.aim {
            Aim::Publish => self.command(self.stream, "publish", 5.0, [stream, Value::text("live")]),
            Aim::Play => {
                self.link.allow_media();
                self.command(self.stream, "play", 0.0, [stream, Value::Number(LIVE)]);
                let buffer = [self.stream.to_be_bytes(), BUFFER_MS.to_be_bytes()].concat();
                self.link.send(user_control(message::SET_BUFFER, &buffer));
            }
        }
    }

    fn handle_status(&mut self, status: &Command) {
        match (status.information("code"), status.information("level")) {
            (Some("NetStream.Publish.Start"), _) if self.is_asking_to(Aim::Publish) => self.ready(),
            (Some("NetStream.Play.Start"), _) if self.is_asking_to(Aim::Play) => self.ready(),
            (Some("NetStream.Unpublish.Success" | "NetStream.Play.UnpublishNotify" | "NetStream.Play.Stop"), _) => {
                self.end(ClientEvent::Closed);
            }
            (_, Some("error")) => self.reject(status),
            _ => {}
        }
    }

    fn is_asking_to(&self, aim: Aim) -> bool {
        self.stage == Stage::Asking && self.aim == aim
    }

    fn ready(&mut self) {
        self.stage = Stage::Ready;
        self.events.push_back(ClientEvent::Ready);
    }

    fn reject(&mut self, refusal: &Command) {
        if refusal.is_redirect() {
            // Where it leads nobody has admitted, and nobody has ordered.
            self.end(ClientEvent::Rejected("it redirects elsewhere, which is not followed".to_owned()));
            return;
        }
        let text = |member: &str| refusal.information(member).unwrap_or_default();
        let reason = format!("{} {}", text("code"), text("description"));
        let reason: String = reason.chars().filter(|c| !c.is_control()).take(REASON_LEN_MAX).collect();
        self.end(ClientEvent::Rejected(reason.trim().to_owned()));
    }

    fn end(&mut self, event: ClientEvent) {
        self.stage = Stage::Over;
        self.events.push_back(event);
    }

    fn command<const N: usize>(&mut self, stream: u32, name: &str, transaction: f64, arguments: [Value; N]) {
        let mut values = vec![Value::text(name), Value::Number(transaction), Value::Null];
        values.extend(arguments);
        self.link.send(command(COMMANDS, stream, &values));
    }
}

#[cfg(test)]
mod tests;
