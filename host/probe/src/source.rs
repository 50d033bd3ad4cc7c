//! Where tags come from: a file, HTTP-FLV, RTMP.
//!
//! Everything blocks, with deadlines: a probe does one thing. What a stranger sends is bounded by the
//! tag reader, the RTMP session and the head of an HTTP answer.

use std::time::Duration;

use bytes::Bytes;
use heliu_container::flv::{Tag, TagError};
use heliu_model::{Kind, RtmpUrl, UrlError};

mod connection;
mod flv;
mod http;
mod rtmp;

use flv::FlvSource;
use rtmp::RtmpSource;

/// For a connection, and for each piece of the stream.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Why nothing can be told about a stream.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a file nor a scheme that is read.
    #[error("only files and rtmp://, rtmps://, http://, https:// URLs are read")]
    Scheme,
    /// An RTMP URL that is none.
    #[error(transparent)]
    RtmpUrl(#[from] UrlError),
    /// An HTTP URL that is none.
    #[error("the URL names no host, or holds characters it must not")]
    HttpUrl,
    /// The file itself.
    #[error("cannot read the file: {0}")]
    File(std::io::Error),
    /// No address, or nobody there.
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    /// TLS itself cannot be used.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// No name a certificate can be for.
    #[error("the host is no name for TLS")]
    TlsName,
    /// Usually: the certificate is not trusted.
    #[error("TLS came to nothing: {0}")]
    TlsHandshake(std::io::Error),
    /// While the stream was being asked for.
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    /// The server speaks another protocol.
    #[error("the server speaks no RTMP: {0}")]
    Rtmp(#[from] heliu_rtmp::Error),
    /// The server does not want to, in its words.
    #[error("the server refused: {0}")]
    Refused(String),
    /// The answer's head breaks HTTP.
    #[error("the server speaks no HTTP/1.1")]
    Http,
    /// No stream behind that URL.
    #[error("the server answers with status {0}")]
    Status(u16),
    /// It is something else.
    #[error(transparent)]
    Flv(#[from] TagError),
    /// The system gives none to the decoders.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// Connected, or opened, but there was neither a picture nor a sound in it.
    #[error("no media came")]
    NoMedia,
}

/// An open stream.
pub(crate) enum Source {
    Flv(Box<FlvSource>),
    Rtmp(Box<RtmpSource>),
}

/// What a stream has next.
pub(crate) enum Next {
    Media {
        kind: Kind,
        timestamp_ms: u32,
        body: Bytes,
    },
    /// Not media, or not yet.
    Nothing,
    Over,
    /// Nothing came in time.
    Silent,
}

impl Source {
    /// Connects, asks, and waits for the first answer.
    pub(crate) fn open(place: &str) -> Result<Self, Error> {
        match place.split_once("://") {
            Some(("rtmp" | "rtmps", _)) => Ok(Self::Rtmp(Box::new(RtmpSource::open(&RtmpUrl::parse(place)?)?))),
            Some(("http" | "https", _)) => Ok(Self::Flv(Box::new(FlvSource::new(http::get(place)?)))),
            Some(_) => Err(Error::Scheme),
            None => {
                let file = std::fs::File::open(place).map_err(Error::File)?;
                Ok(Self::Flv(Box::new(FlvSource::new(Box::new(file)))))
            }
        }
    }

    /// Is it there as fast as it is read?
    pub(crate) fn is_file(place: &str) -> bool {
        !place.contains("://")
    }

    pub(crate) fn next(&mut self) -> Result<Next, Error> {
        match self {
            Self::Flv(source) => source.next(),
            Self::Rtmp(source) => source.next(),
        }
    }
}

impl From<Tag> for Next {
    fn from(Tag { kind, timestamp_ms, body }: Tag) -> Self {
        kind.map_or(Self::Nothing, |kind| Self::Media { kind, timestamp_ms, body })
    }
}

/// What an error of a read means for a stream that runs.
fn broken(error: std::io::Error) -> Result<Next, Error> {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(Next::Silent),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => Ok(Next::Over),
        _ => Err(error.into()),
    }
}
