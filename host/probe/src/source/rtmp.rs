//! An RTMP server's stream, played.

use std::io::{Read, Write};

use heliu_model::{Kind, RtmpUrl};
use heliu_rtmp::{ClientEvent, ClientSession, Media};

use super::connection::Connection;
use super::{Error, Next, broken};

const READ_LEN: usize = 64 << 10;

pub(crate) struct RtmpSource {
    socket: Connection,
    session: ClientSession,
    buffer: Vec<u8>,
}

impl RtmpSource {
    /// Connects and asks; media may be a while in coming.
    pub(crate) fn open(url: &RtmpUrl) -> Result<Self, Error> {
        let socket = Connection::open(url.host(), url.port(), url.is_tls())?;
        let mut source = Self { socket, session: ClientSession::play(url), buffer: vec![0; READ_LEN] };
        source.flush()?;
        Ok(source)
    }

    pub(crate) fn next(&mut self) -> Result<Next, Error> {
        match self.session.poll_event() {
            Some(ClientEvent::Media(media)) => return Ok(media.into()),
            Some(ClientEvent::Ready) => return Ok(Next::Nothing),
            Some(ClientEvent::Rejected(words)) => return Err(Error::Refused(words)),
            Some(ClientEvent::Closed) => return Ok(Next::Over),
            None => {}
        }
        match self.socket.read(&mut self.buffer) {
            Ok(0) => Ok(Next::Over),
            Ok(len) => {
                self.session.handle_bytes(&self.buffer[..len])?;
                self.flush()?;
                Ok(Next::Nothing)
            }
            Err(error) => broken(error),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        while let Some(bytes) = self.session.poll_output() {
            self.socket.write_all(&bytes)?;
        }
        Ok(())
    }
}

impl From<Media> for Next {
    fn from(media: Media) -> Self {
        match media {
            Media::Audio { timestamp, body } => Self::Media { kind: Kind::Audio, timestamp_ms: timestamp, body },
            Media::Video { timestamp, body } => Self::Media { kind: Kind::Video, timestamp_ms: timestamp, body },
            Media::Metadata(_) => Self::Nothing,
        }
    }
}
