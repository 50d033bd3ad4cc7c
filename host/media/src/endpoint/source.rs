//! A source of our own in its room: the built-in pattern, encoded.
//!
//! Runs on the room's thread like a mixer: what is due is handed to encoders on the codec threads, and
//! their frames are polled when they wake the source's task. A picture that finds its encoder busy is
//! given up.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use heliu_codec::{
    AudioCodec, AudioEncoder, AudioEncoderConfig, Pool, VideoEncoded, VideoEncoder, VideoEncoderConfig, Wake,
};
use heliu_model::{Attempt, EndpointId, Frame, Grant, LeaveReason, MediaTime, PublicationId, SourceStatus, Takeover};
use heliu_pattern::{Generator, Item, Pattern};
use heliu_room::Offer;
use tokio::sync::{Notify, oneshot};

use crate::clock::RoomClock;
use crate::worker::{RoomCell, Worker};

use super::Endpoint;

const KEYFRAME_MS: u32 = 2_000;
const AUDIO_KBPS: u32 = 128;
/// The least the picture encoder can be asked for.
const VIDEO_KBPS_MIN: u32 = 16;

/// A granted source on its way to its room.
pub struct Sourced {
    /// What was asked.
    pub attempt: Attempt,
    /// What was answered.
    pub grant: Grant,
    /// What it shows.
    pub pattern: Pattern,
    /// Told once, when it is over; dropped if its room is.
    pub ended: oneshot::Sender<Ended>,
}

/// Why a source is over.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The room would not have it.
    #[error("{0}")]
    Refused(#[from] heliu_room::Error),
    /// No encoder, or it died; in words.
    #[error("{0}")]
    Encoder(String),
    /// By the room.
    #[error("{}", words(*.0))]
    Left(LeaveReason),
}

/// One running source.
pub struct SourceEndpoint {
    publication: PublicationId,
    generator: Generator,
    video: VideoEncoder,
    audio: AudioEncoder,
    until: Option<Instant>,
    ended: oneshot::Sender<Ended>,
}

impl SourceEndpoint {
    /// Is over.
    pub fn end(self, why: Ended) {
        let SourceStatus { pictures_dropped, ticks_skipped } = self.status();
        tracing::info!(publication = %self.publication, pictures_dropped, ticks_skipped, "source ended");
        // Nobody waits for it while the host stops.
        let _ = self.ended.send(why);
    }

    /// What it makes.
    pub fn publication(&self) -> &PublicationId {
        &self.publication
    }

    /// What it could not make in time.
    pub fn status(&self) -> SourceStatus {
        SourceStatus { pictures_dropped: self.video.stats().overflowed, ticks_skipped: self.generator.skipped() }
    }

    /// Has its grant run out?
    pub fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// When [`SourceEndpoint::drive`] has something to do at the latest.
    pub fn poll_timeout(&self) -> MediaTime {
        self.generator.poll_timeout()
    }

    /// Does all that is due. The answer: finished frames, in order per track.
    ///
    /// # Errors
    /// An encoder died.
    pub fn drive(&mut self, now: MediaTime) -> Result<Vec<Frame>, Ended> {
        while let Some(item) = self.generator.poll(now) {
            match item {
                // Busy: the tick is dropped, and its encoder has counted it.
                Item::Picture(composition) => drop(self.video.submit(composition, false)),
                Item::Samples { pts, samples } => self.audio.submit(pts, samples),
            }
        }
        let mut frames: Vec<Frame> = std::iter::from_fn(|| self.audio.poll()).collect();
        if self.audio.is_dead() {
            return Err(Ended::Encoder("the sound encoder crashed".to_owned()));
        }
        while let Some(encoded) = self.video.poll() {
            match encoded {
                VideoEncoded::Frame(frame) => frames.push(frame),
                VideoEncoded::Dead(reason) => return Err(Ended::Encoder(reason.to_string())),
            }
        }
        Ok(frames)
    }
}

/// Lets a granted source into its room and keeps it going there.
pub fn attach_source(worker: &Rc<Worker>, sourced: Sourced) {
    let room = worker.room(&sourced.grant.room);
    let id = worker.next_endpoint();
    let wake = Arc::new(Notify::new());
    let let_in = room.turn(|shell| {
        let offer = offer(id, &sourced);
        let endpoint = endpoint(sourced, shell.clock(), &worker.pool, &wake)?;
        shell.publish(offer, Endpoint::Source(Box::new(endpoint))).map_err(|(error, endpoint)| {
            if let Endpoint::Source(source) = endpoint {
                source.end(error.into());
            }
        })
    });
    if let Some(Ok(())) = let_in {
        tokio::task::spawn_local(drive(room, id, wake));
    }
}

fn offer(id: EndpointId, sourced: &Sourced) -> Offer {
    let grant = &sourced.grant;
    Offer {
        endpoint: id,
        publication: grant.publication.clone(),
        participant: Some(grant.participant.clone()),
        address: Some(sourced.attempt.address.clone()),
        protocol: sourced.attempt.protocol,
        audio: grant.audio,
        video: grant.video,
        peer: None,
        // Whatever the grant says: two publishers of one name that both come back would fight for ever.
        takeover: Takeover::Refuse,
    }
}

fn endpoint(sourced: Sourced, clock: RoomClock, pool: &Pool, wake: &Arc<Notify>) -> Result<SourceEndpoint, ()> {
    let Sourced { grant, pattern, ended, .. } = sourced;
    let video = VideoEncoder::new(pool, video_config(&pattern, &grant), waker(wake));
    let audio =
        AudioEncoder::new(pool, AudioEncoderConfig { codec: AudioCodec::Aac, bitrate_kbps: AUDIO_KBPS }, waker(wake));
    let (video, audio) = match (video, audio) {
        (Ok(video), Ok(audio)) => (video, audio),
        (Err(error), _) | (_, Err(error)) => {
            let _ = ended.send(Ended::Encoder(error.to_string()));
            return Err(());
        }
    };
    Ok(SourceEndpoint {
        publication: grant.publication,
        generator: Generator::new(&pattern, clock.now()),
        video,
        audio,
        until: grant.time_max.map(|span| Instant::now() + span),
        ended,
    })
}

/// At most what the grant leaves beside the sound.
fn video_config(pattern: &Pattern, grant: &Grant) -> VideoEncoderConfig {
    let granted = grant.bitrate_kbps_max.map_or(u32::MAX, |most| most.saturating_sub(AUDIO_KBPS));
    VideoEncoderConfig {
        size: pattern.size,
        frame_rate: pattern.frame_rate,
        bitrate_kbps: pattern.bitrate_kbps.min(granted).max(VIDEO_KBPS_MIN),
        keyframe_ms: KEYFRAME_MS,
    }
}

/// At its times, and whenever a codec thread has an answer.
async fn drive(room: Rc<RoomCell>, id: EndpointId, wake: Arc<Notify>) {
    while let Some(Some(next)) = room.turn(|shell| shell.drive_source(id)) {
        let deadline = tokio::time::Instant::from_std(next.max(Instant::now()));
        let _ = tokio::time::timeout_at(deadline, wake.notified()).await;
    }
}

fn waker(notify: &Arc<Notify>) -> Wake {
    let notify = notify.clone();
    Arc::new(move || notify.notify_one())
}

fn words(reason: LeaveReason) -> &'static str {
    match reason {
        LeaveReason::Replaced => "another publisher took the name",
        LeaveReason::Closed => "this host ended it",
        LeaveReason::Left | LeaveReason::Lost => "its room is over",
    }
}
