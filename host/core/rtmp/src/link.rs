//! What both sides of a connection share: handshake, chunks, acknowledgements, pings, and the bytes
//! that wait for the socket.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::acknowledgement::Acknowledgement;
use crate::chunk_reader::ChunkReader;
use crate::chunk_writer::user_control;
use crate::error::Error;
use crate::handshake::Handshake;
use crate::message::{self, Message};

/// Bytes to messages and back.
#[derive(Debug)]
pub struct Link {
    handshake: Handshake,
    reader: ChunkReader,
    acknowledgement: Acknowledgement,
    output: VecDeque<Bytes>,
}

impl Link {
    /// Acknowledges every `window` bytes, until the other side wishes otherwise.
    pub fn new(handshake: Handshake, window: u64) -> Self {
        let mut link = Self {
            handshake,
            reader: ChunkReader::default(),
            acknowledgement: Acknowledgement::every(window),
            output: VecDeque::new(),
        };
        link.send_handshake();
        link
    }

    /// Media may follow: longer messages are taken.
    pub fn allow_media(&mut self) {
        self.reader.allow_media();
    }

    /// Is the handshake over?
    pub fn is_open(&self) -> bool {
        self.handshake.is_done()
    }

    /// Counts bytes that came from the socket.
    pub fn count(&mut self, len: usize) {
        self.output.extend(self.acknowledgement.count(len));
    }

    /// Takes bytes off the front until there is a message for the session. `None`: all are taken.
    pub fn read(&mut self, bytes: &mut &[u8]) -> Result<Option<Message>, Error> {
        if !self.is_open() {
            *bytes = self.handshake.handle_bytes(bytes)?;
            self.send_handshake();
        }
        while let Some(message) = self.reader.read(bytes)? {
            match message.kind {
                message::WINDOW_SIZE => self.acknowledgement.set_window(&message.body),
                message::USER_CONTROL if message.body.starts_with(&message::PING.to_be_bytes()) => {
                    self.answer_ping(&message.body);
                }
                // Chunk size and abort are the reader's; the rest tells nothing we use.
                message::SET_CHUNK_SIZE | message::ABORT | message::ACKNOWLEDGEMENT | message::PEER_BANDWIDTH => {}
                _ => return Ok(Some(message)),
            }
        }
        Ok(None)
    }

    /// Queues bytes for the socket.
    pub fn send(&mut self, bytes: Bytes) {
        self.output.push_back(bytes);
    }

    /// Bytes for the socket.
    pub fn poll_output(&mut self) -> Option<Bytes> {
        self.output.pop_front()
    }

    fn answer_ping(&mut self, body: &[u8]) {
        if let Some(time) = body.get(2..6) {
            self.output.push_back(user_control(message::PONG, time));
        }
    }

    fn send_handshake(&mut self) {
        let bytes = self.handshake.take_output();
        if !bytes.is_empty() {
            self.output.push_back(bytes.into());
        }
    }
}
