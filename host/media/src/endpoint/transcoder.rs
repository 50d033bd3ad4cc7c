//! A track of a publication made into another form, once for all who need it so.
//!
//! Receives the track like anybody, what is kept of it first, and hands what it makes back to the room.
//! Runs on the room's thread and never waits there: decoders and encoders are actors on the codec
//! threads, their answers are polled when they wake the transcoder's task.

mod pictures;
mod sound;

use std::rc::Rc;
use std::sync::Arc;

use heliu_codec::{AudioCodec, Pool, Wake};
use heliu_model::{EndpointId, Frame, Kind, PublicationId, Totals};
use heliu_room::{Accepts, Patience, Rendition, View, Wish};
use tokio::sync::Notify;

use self::pictures::Pictures;
use self::sound::Sound;
use crate::clock::RoomClock;
use crate::worker::RoomCell;

/// Makes one rendition.
pub struct Transcoder {
    publication: PublicationId,
    rendition: Rendition,
    work: Work,
    clock: RoomClock,
    made: u64,
    wake: Arc<Notify>,
}

enum Work {
    Sound(Sound),
    Pictures(Box<Pictures>),
}

impl Transcoder {
    /// And what wakes its task.
    ///
    /// # Errors
    /// There is no such encoder, in words.
    pub fn new(
        publication: &PublicationId,
        rendition: Rendition,
        clock: RoomClock,
        pool: &Pool,
    ) -> Result<(Self, Arc<Notify>), String> {
        let wake = Arc::new(Notify::new());
        let waker = waker(&wake);
        let work = match rendition {
            Rendition::Aac => Work::Sound(Sound::new(pool, AudioCodec::Aac, &waker)?),
            Rendition::Opus => Work::Sound(Sound::new(pool, AudioCodec::Opus, &waker)?),
            Rendition::WithoutBPictures => Work::Pictures(Box::new(Pictures::new(pool, waker))),
        };
        let made = Self { publication: publication.clone(), rendition, work, clock, made: 0, wake: wake.clone() };
        Ok((made, wake))
    }

    /// Of what.
    pub fn publication(&self) -> &PublicationId {
        &self.publication
    }

    /// Into what.
    pub fn rendition(&self) -> Rendition {
        self.rendition
    }

    /// What it receives.
    pub fn wish(&self, endpoint: EndpointId) -> Wish {
        let kind = self.rendition.kind();
        Wish {
            endpoint,
            publication: self.publication.clone(),
            audio: kind == Kind::Audio,
            video: kind == Kind::Video,
            accepts: Accepts::default(),
            is_sound_early: true,
            wait: Patience::No,
            hold: Patience::No,
            is_viewer: false,
            view: View::Frames,
        }
    }

    /// A frame of its track.
    pub fn deliver(&mut self, frame: &Frame) {
        match &mut self.work {
            Work::Sound(sound) => sound.submit(frame),
            Work::Pictures(pictures) => pictures.submit(frame, &self.clock),
        }
    }

    /// All that was kept has been delivered.
    pub fn go_live(&mut self) {
        match &mut self.work {
            Work::Sound(_) => {}
            Work::Pictures(pictures) => pictures.go_live(),
        }
    }

    /// The next picture is one that a viewer can begin with.
    pub fn force_keyframe(&mut self) {
        match &mut self.work {
            Work::Sound(_) => {}
            Work::Pictures(pictures) => pictures.force_keyframe(),
        }
    }

    /// What has been made since the last time.
    ///
    /// # Errors
    /// Nothing will be made any more, in words.
    pub fn drive(&mut self) -> Result<Vec<Frame>, String> {
        let frames = match &mut self.work {
            Work::Sound(sound) => sound.drive(),
            Work::Pictures(pictures) => pictures.drive(&self.clock),
        }?;
        self.made += frames.len() as u64;
        Ok(frames)
    }

    /// Adds what it has done so far.
    pub fn add_totals(&self, totals: &mut Totals) {
        let (busy, dropped) = match &self.work {
            Work::Sound(sound) => (sound.busy(), sound.dropped()),
            Work::Pictures(pictures) => (pictures.busy(), pictures.dropped()),
        };
        totals.transcoded.frames += self.made;
        totals.transcoded.frames_dropped += dropped;
        totals.transcoded.busy_us += u64::try_from(busy.as_micros()).unwrap_or(u64::MAX);
    }
}

impl Drop for Transcoder {
    /// Its task finds it gone, and ends.
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}

/// Drives one transcoder until it is gone, whenever a codec thread has an answer.
pub async fn drive_transcoder(room: Rc<RoomCell>, endpoint: EndpointId, wake: Arc<Notify>) {
    while room.turn(|shell| shell.drive_transcoder(endpoint)) == Some(true) {
        wake.notified().await;
    }
}

fn waker(notify: &Arc<Notify>) -> Wake {
    let notify = notify.clone();
    Arc::new(move || notify.notify_one())
}

#[cfg(test)]
mod tests;
