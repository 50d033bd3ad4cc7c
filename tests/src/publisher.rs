//! An RTMP publisher that may send what no encoder would: tags of a file, one by one, with times of
//! its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use heliu_container::flv::TagReader;
use heliu_model::{Kind, RtmpUrl};
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
    let mut reader = TagReader::new();
    reader.handle_bytes(&std::fs::read(file).expect("the file is there"));
    let tags = std::iter::from_fn(|| reader.poll().expect("it is FLV"));
    let media = tags.filter_map(|tag| {
        let kind = match tag.kind? {
            Kind::Audio => MediaKind::Audio,
            Kind::Video => MediaKind::Video,
        };
        Some(Tag { kind, timestamp: tag.timestamp_ms, body: tag.body.into() })
    });
    media.collect()
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
