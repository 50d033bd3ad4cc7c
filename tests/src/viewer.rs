//! A viewer of FLV over HTTP that looks at every tag, and may stop reading.

use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use heliu_rtmp::MediaKind;

use crate::publisher::Tag;

/// A connection whose answer has begun.
pub struct Viewer {
    stream: BufReader<TcpStream>,
    /// FLV's flags: 4 sound, 1 pictures.
    pub promised: u8,
}

impl Viewer {
    /// Asks for a file and waits for its first bytes.
    pub fn open(to: SocketAddr, path: &str) -> Self {
        let mut socket = TcpStream::connect(to).expect("the server listens");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket has a time-out");
        // HTTP/1.0 knows no chunks: what follows the head is the file itself.
        socket.write_all(format!("GET {path} HTTP/1.0\r\nhost: {to}\r\n\r\n").as_bytes()).expect("the server reads");
        let mut stream = BufReader::new(socket);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("the server answers");
            head.extend(byte);
        }
        let head = String::from_utf8(head).expect("a head is text");
        assert!(head.starts_with("HTTP/1.0 200") || head.starts_with("HTTP/1.1 200"), "{head}");
        let mut start = [0; 13];
        stream.read_exact(&mut start).expect("the file begins");
        assert_eq!(&start[..4], b"FLV\x01");
        Self { stream, promised: start[4] }
    }

    /// The next tag of sound or pictures; `None`: the file has ended where a tag may end.
    pub fn tag(&mut self) -> Option<Tag> {
        loop {
            let mut head = [0; 11];
            let mut len = 0;
            while len < head.len() {
                match self.stream.read(&mut head[len..]).expect("the file goes on or ends") {
                    0 if len == 0 => return None,
                    0 => panic!("the file breaks off within a tag"),
                    more => len += more,
                }
            }
            let len = usize::from(head[1]) << 16 | usize::from(head[2]) << 8 | usize::from(head[3]);
            let timestamp = u32::from_be_bytes([head[7], head[4], head[5], head[6]]);
            let mut body = vec![0; len + 4];
            self.stream.read_exact(&mut body).expect("a tag is whole");
            assert_eq!(body[len..], u32::try_from(11 + len).expect("24 bits").to_be_bytes());
            body.truncate(len);
            match head[0] {
                8 => return Some(Tag { kind: MediaKind::Audio, timestamp, body }),
                9 => return Some(Tag { kind: MediaKind::Video, timestamp, body }),
                _ => {}
            }
        }
    }

    /// The next picture; codec headers and sound are passed over.
    pub fn picture(&mut self) -> Option<Tag> {
        loop {
            let tag = self.tag()?;
            if tag.is_picture() {
                return Some(tag);
            }
        }
    }
}

/// A viewer that only counts bytes: cheap enough to have many of them. Gone without a goodbye when dropped.
pub struct Onlooker {
    socket: TcpStream,
    bytes: Arc<AtomicU64>,
    reader: Option<JoinHandle<()>>,
}

impl Onlooker {
    /// Connects and asks for `path`, which need not be there.
    pub fn connect(to: SocketAddr, path: &str) -> Self {
        let mut socket = TcpStream::connect(to).expect("the server listens");
        socket.write_all(format!("GET {path} HTTP/1.0\r\nhost: {to}\r\n\r\n").as_bytes()).expect("the server reads");
        let bytes = Arc::new(AtomicU64::new(0));
        let (mut stream, counter) = (socket.try_clone().expect("a second handle"), bytes.clone());
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 16 << 10];
            while let Ok(len @ 1..) = stream.read(&mut buffer) {
                counter.fetch_add(len as u64, Ordering::Relaxed);
            }
        });
        Self { socket, bytes, reader: Some(reader) }
    }

    /// Bytes that have come, the answer's head among them.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Tag {
    /// Is it a picture, and no header or end?
    pub fn is_picture(&self) -> bool {
        self.kind == MediaKind::Video && self.body.get(1) == Some(&1)
    }

    /// Is it a picture at which decoding may start?
    pub fn is_key_picture(&self) -> bool {
        self.kind == MediaKind::Video && self.body.starts_with(&[0x17, 1])
    }

    /// Is it a codec header?
    pub fn is_header(&self) -> bool {
        self.body.get(1) == Some(&0)
    }
}
