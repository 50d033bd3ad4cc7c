//! The server's side of one connection: one client that publishes or plays.
//!
//! What a client asks for comes out as an event; the caller decides in its own time and says so with
//! `accept_*` or `refuse_*`. One request per connection.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::amf::Value;
use crate::chunk_writer::{command, control, set_chunk_size, user_control};
use crate::command::Command;
use crate::error::Error;
use crate::handshake::Handshake;
use crate::link::Link;
use crate::media::Media;
use crate::message::{self, Message};

/// The message stream every client of ours gets.
pub const SERVER_STREAM_ID: u32 = 1;

const WINDOW: u32 = 2_500_000;
const COMMANDS: u8 = 3;
const STATUS: u8 = 5;
/// Commands before a request is made; a client needs about ten.
const COMMANDS_MAX: u32 = 200;
/// Bytes behind a request that is not decided; a caller that stops reading meanwhile holds one read.
const HELD_LEN_MAX: usize = 1 << 20;

/// What a client asks for. Holds stream keys: not for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamRequest {
    /// `connect`'s app, as sent.
    pub app: String,
    /// `connect`'s tcUrl, as sent; may be empty.
    pub tc_url: String,
    /// The stream name with its query, as sent.
    pub stream: String,
}

/// What became of the client's bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerEvent {
    /// It wants to send; answer with `accept_publish` or `refuse_publish`.
    PublishRequested(StreamRequest),
    /// It wants to receive; answer with `accept_play`, `refuse_play` or `refuse_play_not_found`.
    PlayRequested(StreamRequest),
    /// From an accepted publisher.
    Media(Media),
    /// The client has said goodbye.
    Ended,
}

/// One connection.
#[derive(Debug)]
pub struct ServerSession {
    link: Link,
    stage: Stage,
    app: String,
    tc_url: String,
    commands: u32,
    /// Live encoders of Adobe's kind wait to hear of it.
    has_fc_publish: bool,
    events: VecDeque<ServerEvent>,
    /// What came behind a request that is not decided.
    held: BytesMut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing is asked for.
    Idle,
    Asked,
    Publishing,
    Playing,
    Over,
}

impl StreamRequest {
    /// Host and port the client meant, from its tcUrl.
    #[must_use]
    pub fn authority(&self) -> Option<String> {
        let (_, rest) = self.tc_url.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        (!authority.is_empty()).then(|| authority.to_owned())
    }
}

impl std::fmt::Debug for StreamRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StreamRequest(…)")
    }
}

impl Default for ServerSession {
    fn default() -> Self {
        Self::new()
    }
}

impl ServerSession {
    /// Awaits a handshake.
    #[must_use]
    pub fn new() -> Self {
        Self {
            link: Link::new(Handshake::server(), u64::from(WINDOW)),
            stage: Stage::Idle,
            app: String::new(),
            tc_url: String::new(),
            commands: 0,
            has_fc_publish: false,
            events: VecDeque::new(),
            held: BytesMut::new(),
        }
    }

    /// Takes bytes from the socket; ignored once the session is over.
    ///
    /// # Errors
    /// The client broke the protocol; the session is over.
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

    /// What became of the bytes.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        self.events.pop_front()
    }

    /// Bytes for the socket.
    pub fn poll_output(&mut self) -> Option<Bytes> {
        self.link.poll_output()
    }

    /// Lets the publisher send.
    pub fn accept_publish(&mut self) {
        if self.stage != Stage::Asked {
            return;
        }
        self.stage = Stage::Publishing;
        self.link.allow_media();
        self.link.send(user_control(message::STREAM_BEGIN, &SERVER_STREAM_ID.to_be_bytes()));
        if self.has_fc_publish {
            self.tell("onFCPublish", "status", "NetStream.Publish.Start", "publishing");
        }
        self.status("status", "NetStream.Publish.Start", "publishing");
        // A client may send its headers without waiting for the answer.
        self.read_held();
    }

    /// Refuses a publisher, or ends one that was accepted.
    pub fn refuse_publish(&mut self, reason: &str) {
        self.status("error", "NetStream.Publish.BadName", reason);
        self.stage = Stage::Over;
    }

    /// Lets the player receive; media follows.
    pub fn accept_play(&mut self) {
        if self.stage != Stage::Asked {
            return;
        }
        self.stage = Stage::Playing;
        self.link.send(user_control(message::STREAM_BEGIN, &SERVER_STREAM_ID.to_be_bytes()));
        self.status("status", "NetStream.Play.Reset", "reset");
        self.status("status", "NetStream.Play.Start", "playing");
        self.read_held();
    }

    /// Refuses a player.
    pub fn refuse_play(&mut self, reason: &str) {
        self.status("error", "NetStream.Play.Failed", reason);
        self.stage = Stage::Over;
    }

    /// Refuses a player because there is no such stream.
    pub fn refuse_play_not_found(&mut self, reason: &str) {
        self.status("error", "NetStream.Play.StreamNotFound", reason);
        self.stage = Stage::Over;
    }

    /// Tells a player that the stream has ended.
    pub fn end_play(&mut self) {
        self.link.send(user_control(message::STREAM_EOF, &SERVER_STREAM_ID.to_be_bytes()));
        self.status("status", "NetStream.Play.UnpublishNotify", "the publisher has left");
        self.status("status", "NetStream.Play.Stop", "stopped");
        self.stage = Stage::Over;
    }

    fn read_held(&mut self) {
        let held = self.held.split().freeze();
        if self.read(&held).is_err() {
            self.stage = Stage::Over;
            self.events.push_back(ServerEvent::Ended);
        }
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        if self.stage == Stage::Asked {
            return self.hold(rest);
        }
        while let Some(message) = self.link.read(&mut rest)? {
            self.handle_message(message)?;
            if self.stage == Stage::Asked {
                return self.hold(rest);
            }
        }
        Ok(())
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.held.len() + bytes.len() > HELD_LEN_MAX {
            return Err(Error::TooLarge);
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    fn handle_message(&mut self, message: Message) -> Result<(), Error> {
        match message.kind {
            message::COMMAND | message::COMMAND_AMF3 => self.handle_command(&Command::read(&message)?)?,
            _ if self.stage == Stage::Publishing => {
                Media::read(message, &mut |media| self.events.push_back(ServerEvent::Media(media)));
            }
            // Media of a client that was not let in.
            _ => {}
        }
        Ok(())
    }

    fn handle_command(&mut self, command: &Command) -> Result<(), Error> {
        self.commands += 1;
        if self.commands > COMMANDS_MAX && self.stage == Stage::Idle {
            return Err(Error::Command);
        }
        let Command { name, transaction, arguments } = command;
        match name.as_str() {
            "connect" => self.connect(*transaction, arguments.first()),
            "createStream" => self.result(*transaction, Value::Number(f64::from(SERVER_STREAM_ID))),
            "publish" | "play" => self.request(name, arguments),
            "closeStream" | "deleteStream" | "FCUnpublish" => self.end(),
            "releaseStream" | "FCSubscribe" | "_checkbw" => self.result(*transaction, Value::Undefined),
            "FCPublish" => {
                self.has_fc_publish = true;
                self.result(*transaction, Value::Undefined);
            }
            "getStreamLength" => self.result(*transaction, Value::Number(0.0)),
            // pause, seek, onBWDone and their like need no answer.
            _ => {}
        }
        Ok(())
    }

    fn connect(&mut self, transaction: f64, members: Option<&Value>) {
        let text =
            |name: &str| members.and_then(|m| m.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned();
        (self.app, self.tc_url) = (text("app"), text("tcUrl"));
        let encoding = members.and_then(|m| m.get("objectEncoding")).and_then(Value::as_number).unwrap_or(0.0);
        self.link.send(control(message::WINDOW_SIZE, &WINDOW.to_be_bytes()));
        // 2: dynamic.
        self.link.send(control(message::PEER_BANDWIDTH, &[&WINDOW.to_be_bytes()[..], &[2]].concat()));
        self.link.send(set_chunk_size());
        let member = |name: &str, value: Value| (name.to_owned(), value);
        let properties =
            vec![member("fmsVer", Value::text("FMS/3,0,1,123")), member("capabilities", Value::Number(31.0))];
        let information = vec![
            member("level", Value::text("status")),
            member("code", Value::text("NetConnection.Connect.Success")),
            member("description", Value::text("connected")),
            member("objectEncoding", Value::Number(encoding)),
        ];
        let values =
            [Value::text("_result"), Value::Number(transaction), Value::Object(properties), Value::Object(information)];
        self.link.send(command(COMMANDS, 0, &values));
    }

    fn request(&mut self, name: &str, arguments: &[Value]) {
        let stream = arguments.get(1).and_then(Value::as_str).unwrap_or_default().to_owned();
        if self.stage != Stage::Idle {
            let code = if name == "publish" { "NetStream.Publish.BadName" } else { "NetStream.Play.Failed" };
            self.status("error", code, "one stream per connection");
            return;
        }
        self.stage = Stage::Asked;
        let request = StreamRequest { app: self.app.clone(), tc_url: self.tc_url.clone(), stream };
        self.events.push_back(match name {
            "publish" => ServerEvent::PublishRequested(request),
            _ => ServerEvent::PlayRequested(request),
        });
    }

    fn end(&mut self) {
        match self.stage {
            // Encoders delete streams they have not used.
            Stage::Idle | Stage::Over => {}
            Stage::Asked | Stage::Publishing | Stage::Playing => {
                self.stage = Stage::Over;
                self.events.push_back(ServerEvent::Ended);
            }
        }
    }

    fn result(&mut self, transaction: f64, value: Value) {
        let values = [Value::text("_result"), Value::Number(transaction), Value::Null, value];
        self.link.send(command(COMMANDS, 0, &values));
    }

    fn status(&mut self, level: &str, code: &str, description: &str) {
        self.tell("onStatus", level, code, description);
    }

    fn tell(&mut self, name: &str, level: &str, code: &str, description: &str) {
        let member = |name: &str, text: &str| (name.to_owned(), Value::text(text));
        let information = vec![member("level", level), member("code", code), member("description", description)];
        let values = [Value::text(name), Value::Number(0.0), Value::Null, Value::Object(information)];
        self.link.send(command(STATUS, SERVER_STREAM_ID, &values));
    }
}

#[cfg(test)]
mod encoders;
