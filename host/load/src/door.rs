//! How a player gets in: the handshake and commands of RTMP, said all at once, or one HTTP request.
//!
//! Servers give a client's first stream the number 1, so nothing has to be waited for.

use anyhow::{Context, Result, bail};
use heliu_model::RtmpUrl;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HANDSHAKE_LEN: usize = 1_536;
const CHUNK_LEN: usize = 128;
const STREAM: u32 = 1;
const COMMAND: u8 = 20;

/// What is played.
#[derive(Debug, Clone)]
pub enum Target {
    /// `rtmp://…`
    Rtmp(RtmpUrl),
    /// `http://…`: host with port, and path with query.
    Http(String, String),
}

impl Target {
    /// From a URL.
    pub fn parse(url: &str) -> Result<Self> {
        match url.strip_prefix("http://") {
            Some(rest) => {
                let (host, path) = rest.split_once('/').context("an http URL needs a path")?;
                Ok(Self::Http(host.to_owned(), format!("/{path}")))
            }
            None => Ok(Self::Rtmp(RtmpUrl::parse(url)?)),
        }
    }

    /// `host:port` to connect to.
    pub fn host(&self) -> String {
        match self {
            Self::Rtmp(url) => format!("{}:{}", url.host(), url.port()),
            Self::Http(host, _) => host.clone(),
        }
    }

    /// Asks for the stream; media follows on the socket.
    pub async fn enter(&self, socket: &mut TcpStream) -> Result<()> {
        match self {
            Self::Rtmp(url) => play(url, socket).await,
            Self::Http(host, path) => {
                let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
                Ok(socket.write_all(request.as_bytes()).await?)
            }
        }
    }
}

async fn play(url: &RtmpUrl, socket: &mut TcpStream) -> Result<()> {
    let mut hello = vec![0_u8; 1 + HANDSHAKE_LEN];
    hello[0] = 3;
    socket.write_all(&hello).await?;
    let mut answer = vec![0_u8; 1 + 2 * HANDSHAKE_LEN];
    socket.read_exact(&mut answer).await.context("no handshake")?;
    if answer[0] != 3 {
        bail!("the server speaks version {}", answer[0]);
    }
    let mut said = answer[1..=HANDSHAKE_LEN].to_vec();
    let (host, port) = (url.host(), url.port());
    let connect = [
        &text("connect")[..],
        &number(1.0),
        &[3],
        &member("app", &text(url.app())),
        &member("flashVer", &text("LNX 9,0,124,2")),
        &member("tcUrl", &text(&format!("rtmp://{host}:{port}/{}", url.app()))),
        &[0, 0, 9],
    ]
    .concat();
    said.extend(command(0, &connect));
    said.extend(command(0, &[&text("createStream")[..], &number(2.0), &[5]].concat()));
    said.extend(command(
        STREAM,
        &[&text("play")[..], &number(3.0), &[5], &text(url.stream()), &number(-2_000.0)].concat(),
    ));
    Ok(socket.write_all(&said).await?)
}

fn command(stream: u32, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u32).to_be_bytes();
    let mut message = vec![3, 0, 0, 0, len[1], len[2], len[3], COMMAND];
    message.extend(stream.to_le_bytes());
    for (index, chunk) in body.chunks(CHUNK_LEN).enumerate() {
        if index > 0 {
            message.push(0xc3);
        }
        message.extend(chunk);
    }
    message
}

fn text(text: &str) -> Vec<u8> {
    [&[2][..], &(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

fn number(number: f64) -> Vec<u8> {
    [&[0][..], &number.to_be_bytes()].concat()
}

fn member(name: &str, value: &[u8]) -> Vec<u8> {
    [&(name.len() as u16).to_be_bytes(), name.as_bytes(), value].concat()
}
