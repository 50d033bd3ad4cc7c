//! An RTMP player that only counts: cheap enough to have many of them.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use heliu_model::RtmpUrl;
use heliu_rtmp::{ClientEvent, ClientSession};

/// A connected player; gone without a goodbye when dropped.
pub struct Player {
    socket: TcpStream,
    frames: Arc<AtomicU64>,
    reader: Option<JoinHandle<()>>,
}

impl Player {
    /// Connects and asks for `path`; what comes is counted until the server ends it.
    pub fn connect(to: SocketAddr, path: &str) -> Self {
        let url = RtmpUrl::parse(&format!("rtmp://{to}/{path}")).expect("a URL");
        let socket = TcpStream::connect(to).expect("the server listens");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket has a time-out");
        let frames = Arc::new(AtomicU64::new(0));
        let (mut stream, counter) = (socket.try_clone().expect("a second handle"), frames.clone());
        let reader = std::thread::spawn(move || {
            // A server that ends the connection ends the count.
            let _ = read(&mut stream, &url, &counter);
        });
        Self { socket, frames, reader: Some(reader) }
    }

    /// Frames that have come.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

fn read(stream: &mut TcpStream, url: &RtmpUrl, frames: &AtomicU64) -> std::io::Result<()> {
    let mut session = ClientSession::play(url);
    let mut buffer = [0; 16 << 10];
    loop {
        while let Some(bytes) = session.poll_output() {
            stream.write_all(&bytes)?;
        }
        while let Some(event) = session.poll_event() {
            match event {
                ClientEvent::Ready => {}
                ClientEvent::Media(_) => _ = frames.fetch_add(1, Ordering::Relaxed),
                ClientEvent::Rejected(_) | ClientEvent::Closed => return Ok(()),
            }
        }
        let len = stream.read(&mut buffer)?;
        if len == 0 || session.handle_bytes(&buffer[..len]).is_err() {
            return Ok(());
        }
    }
}
