//! One player: reads for ever, or stops reading behind the first picture.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Result, bail};
use tokio::net::{TcpSocket, TcpStream};

use crate::chunks::{Chunks, Found};
use crate::door::Target;
use crate::stamp::Stamp;
use crate::tags::FlvAnswer;
use crate::tally::Tally;

const READ_LEN: usize = 64 << 10;
const SOUND: u8 = 8;
const PICTURES: u8 = 9;
/// FLV's first byte of an H.264 keyframe.
const KEY: u8 = 0x17;

/// How a player reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As fast as it can.
    Reads,
    /// Not at all, once its first picture has come.
    Stalls,
}

enum Reader {
    Rtmp(Chunks),
    Flv(FlvAnswer),
}

/// What one player knows.
#[derive(Default)]
struct Seen {
    has_started: bool,
    last: Option<u64>,
}

/// Plays until the connection ends.
pub async fn play(target: &Target, to: SocketAddr, manner: Manner, tally: &Rc<RefCell<Tally>>) {
    let outcome = read(target, to, manner, tally).await;
    let mut tally = tally.borrow_mut();
    tally.ended += 1;
    let reason = outcome.err().map_or_else(|| "the server closed".to_owned(), |error| format!("{error:#}"));
    tally.reason.get_or_insert(reason);
}

async fn read(target: &Target, to: SocketAddr, manner: Manner, tally: &RefCell<Tally>) -> Result<()> {
    let began = Instant::now();
    let mut socket = connect(to, manner).await?;
    target.enter(&mut socket).await?;
    let mut reader = match target {
        Target::Rtmp(_) => Reader::Rtmp(Chunks::default()),
        Target::Http(..) => Reader::Flv(FlvAnswer::default()),
    };
    let mut seen = Seen::default();
    loop {
        // A buffer of its own for each player would be most of the memory of this program.
        socket.readable().await?;
        let mut buffer = [0; READ_LEN];
        let len = match socket.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => len,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        };
        let found = &mut |found: Found<'_>| seen.note(found, began, &mut tally.borrow_mut());
        match &mut reader {
            Reader::Rtmp(chunks) => chunks.handle_bytes(&buffer[..len], found),
            Reader::Flv(answer) => {
                if let Err(refused) = answer.handle_bytes(&buffer[..len], found) {
                    bail!("{}", refused.0);
                }
            }
        }
        if manner == Manner::Stalls && seen.has_started {
            std::future::pending::<()>().await;
        }
    }
}

async fn connect(to: SocketAddr, manner: Manner) -> Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if manner == Manner::Stalls {
        // What the kernel holds for it is no part of the measurement.
        socket.set_recv_buffer_size(32 << 10)?;
    }
    Ok(socket.connect(to).await?)
}

impl Seen {
    fn note(&mut self, found: Found<'_>, began: Instant, tally: &mut Tally) {
        match found.kind {
            SOUND => tally.sound(),
            PICTURES => {
                let Some(stamp) = Stamp::find(found.head) else { return };
                if !self.has_started && found.head.first() == Some(&KEY) {
                    self.has_started = true;
                    tally.start(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
                }
                tally.picture(stamp, self.last);
                self.last = Some(stamp.number);
            }
            _ => {}
        }
    }
}
