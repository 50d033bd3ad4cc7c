//! One publisher: pictures of equal size at an even pace, each with its stamp, and sound between them.

use std::time::Duration;

use anyhow::{Result, bail};
use bytes::Bytes;
use heliu_model::RtmpUrl;
use heliu_rtmp::{ClientEvent, ClientSession, MediaKind, media_message};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::resolve;
use crate::stamp::Stamp;

/// `AVCDecoderConfigurationRecord` of 1280×720, constrained baseline.
const RECORD: &[u8] = &[
    0x01, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0x00, 0x17, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xec, 0x04, 0x40,
    0x00, 0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x0c, 0x83, 0xc6, 0x0c, 0xa8, 0x01, 0x00, 0x04, 0x68, 0xce, 0x0f, 0xc8,
];
/// AAC-LC, 48 kHz, stereo.
const AAC: &[u8] = &[0xaf, 0, 0x11, 0x90];
const SOUND_LEN: usize = 340;
/// 1 024 samples at 48 kHz.
const SOUND_EVERY: Duration = Duration::from_nanos(21_333_333);

/// What to publish.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// `rtmp://host[:port]/app/name`
    url: String,
    /// Of the pictures.
    #[arg(long, default_value_t = 2_500)]
    kbps: usize,
    /// Pictures a second.
    #[arg(long, default_value_t = 25)]
    fps: u32,
    /// Seconds between keyframes.
    #[arg(long, default_value_t = 2)]
    gop: u32,
    /// How long; for ever if not given.
    #[arg(long)]
    seconds: Option<u64>,
}

/// Publishes until its time is over.
pub async fn run(options: Options) -> Result<Value> {
    let url = RtmpUrl::parse(&options.url)?;
    let mut socket = TcpStream::connect(resolve(&format!("{}:{}", url.host(), url.port()))?).await?;
    socket.set_nodelay(true)?;
    let mut session = ClientSession::publish(&url);
    open(&mut socket, &mut session).await?;
    let stream = session.stream_id();
    let (mut reader, mut writer) = socket.split();
    let ended = async {
        let mut buffer = [0; 4_096];
        while reader.read(&mut buffer).await? > 0 {}
        anyhow::Ok(())
    };
    let mut sent = 0_u64;
    let send = send(&options, stream, &mut writer, &mut sent);
    let span = options.seconds.map_or(Duration::MAX, Duration::from_secs);
    tokio::select! {
        outcome = send => outcome?,
        outcome = ended => { outcome?; bail!("the server closed"); }
        () = tokio::time::sleep(span) => {}
    }
    Ok(json!({ "pictures": sent }))
}

async fn open(socket: &mut TcpStream, session: &mut ClientSession) -> Result<()> {
    let mut buffer = [0; 4_096];
    loop {
        while let Some(bytes) = session.poll_output() {
            socket.write_all(&bytes).await?;
        }
        match session.poll_event() {
            Some(ClientEvent::Ready) => return Ok(()),
            Some(event) => bail!("not accepted: {event:?}"),
            None => {}
        }
        let len = socket.read(&mut buffer).await?;
        if len == 0 {
            bail!("the server closed");
        }
        session.handle_bytes(&buffer[..len])?;
    }
}

async fn send(options: &Options, stream: u32, writer: &mut (impl AsyncWriteExt + Unpin), sent: &mut u64) -> Result<()> {
    let header = [&[0x17, 0, 0, 0, 0][..], RECORD].concat();
    writer.write_all(&media_message(MediaKind::Video, 0, stream, &[&header])).await?;
    writer.write_all(&media_message(MediaKind::Audio, 0, stream, &[AAC])).await?;
    let len = options.kbps * 1_000 / 8 / options.fps as usize;
    let keyframe_every = u64::from(options.fps * options.gop);
    let sound = [&[0xaf, 1][..], &vec![0x55; SOUND_LEN]].concat();
    let began = Instant::now();
    let (mut pictures, mut sounds) = (interval(Duration::from_secs(1) / options.fps), interval(SOUND_EVERY));
    pictures.set_missed_tick_behavior(MissedTickBehavior::Burst);
    sounds.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        let message = tokio::select! {
            at = pictures.tick() => {
                let body = picture(*sent, sent.is_multiple_of(keyframe_every), len);
                *sent += 1;
                media_message(MediaKind::Video, millis(at - began), stream, &[&body])
            }
            at = sounds.tick() => media_message(MediaKind::Audio, millis(at - began), stream, &[&sound]),
        };
        writer.write_all(&message).await?;
    }
}

/// A tag body: the stamp, then a slice of noise.
fn picture(number: u64, is_key: bool, len: usize) -> Bytes {
    let (prefix, nal) = if is_key { (0x17, 0x65) } else { (0x27, 0x41) };
    let mut body = vec![prefix, 1, 0, 0, 0];
    body.extend(Stamp::new(number).nal_unit());
    let slice_len = len.saturating_sub(body.len() + 4).max(16);
    body.extend((slice_len as u32).to_be_bytes());
    body.push(nal);
    body.extend((1..slice_len).map(|at| 0x80 | (at as u8).wrapping_mul(29)));
    body.into()
}

fn millis(span: Duration) -> u32 {
    span.as_millis() as u32
}
