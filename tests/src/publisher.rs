//! An RTMP publisher that may send what no encoder would: tags of a file, one by one, with times of
//! its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use heliu_model::RtmpUrl;
use heliu_rtmp::{ClientEvent, ClientSession, MediaKind, media_message};

/// One tag of an FLV file.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// Sound or pictures.
    pub kind: MediaKind,
    /// Milliseconds.
    pub timestamp: u32,
    /// FLV tag body.
    pub body: Vec<u8>,
}

/// A connected publisher that was told to send.
pub struct Publisher {
    socket: TcpStream,
    session: ClientSession,
}

/// Sound and pictures of an FLV file, codec headers first.
pub fn tags(file: &Path) -> Vec<Tag> {
    let bytes = std::fs::read(file).expect("the file is there");
    let mut rest = &bytes[13..];
    let mut tags = Vec::new();
    while rest.len() > 11 {
        let len = usize::from(rest[1]) << 16 | usize::from(rest[2]) << 8 | usize::from(rest[3]);
        let timestamp = u32::from_be_bytes([rest[7], rest[4], rest[5], rest[6]]);
        let kind = match rest[0] {
            8 => Some(MediaKind::Audio),
            9 => Some(MediaKind::Video),
            _ => None,
        };
        let body = rest[11..11 + len].to_vec();
        tags.extend(kind.map(|kind| Tag { kind, timestamp, body }));
        rest = &rest[11 + len + 4..];
    }
    tags
}

impl Publisher {
    /// Connects and waits until it may send.
    pub fn connect(to: SocketAddr, path: &str) -> Self {
        let url = RtmpUrl::parse(&format!("rtmp://{to}/{path}")).expect("a URL");
        let socket = TcpStream::connect(to).expect("the server listens");
        socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket has a time-out");
        let mut publisher = Self { socket, session: ClientSession::publish(&url) };
        let mut buffer = [0; 4_096];
        loop {
            while let Some(bytes) = publisher.session.poll_output() {
                publisher.socket.write_all(&bytes).expect("the server reads");
            }
            match publisher.session.poll_event() {
                Some(ClientEvent::Ready) => return publisher,
                Some(event) => panic!("not accepted: {event:?}"),
                None => {}
            }
            let len = publisher.socket.read(&mut buffer).expect("the server answers");
            publisher.session.handle_bytes(&buffer[..len]).expect("the server speaks RTMP");
        }
    }

    /// Sends one tag under a time of the caller's. False: the server has closed the connection.
    pub fn send(&mut self, tag: &Tag, timestamp: u32) -> bool {
        let bytes = media_message(tag.kind, timestamp, self.session.stream_id(), &[&tag.body]);
        self.socket.write_all(&bytes).is_ok()
    }

    /// Has the server closed the connection within that time?
    pub fn is_closed_within(&mut self, span: Duration) -> bool {
        self.socket.set_read_timeout(Some(span)).expect("a socket has a time-out");
        let mut buffer = [0; 4_096];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
            }
        }
    }
}
