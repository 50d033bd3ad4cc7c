//! A mixer in its room: feeds `heliu_mixer::Mixer` through decoders and makes frames of what it says.
//!
//! Runs on the room's thread and never waits there: decoders and encoders are actors on the codec
//! threads, their answers are polled when they wake the mixer's task. A picture that finds its encoder
//! busy is given up and counted.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heliu_codec::{
    AudioCodec, AudioDecoder, AudioEncoder, AudioEncoderConfig, AudioOutput, Pool, Stats, VideoDecoder, VideoEncoded,
    VideoEncoder, VideoEncoderConfig, VideoOutput, Wake,
};
use heliu_mixer::{Input, Mixer, Output};
use heliu_model::{
    EndpointId, Frame, InputStatus, Kind, MediaTime, MixerId, MixerIntent, MixerStatus, ParticipantId, PublicationId,
    Size, Takeover, Totals,
};
use heliu_room::Offer;
use tokio::sync::Notify;

use crate::clock::RoomClock;
use crate::worker::RoomCell;

/// A decoder's answer is wanted so long after a frame's time.
const DECODE_WITHIN: Duration = Duration::from_millis(80);
const KEYFRAME_MS: u32 = 2_000;
const AUDIO_KBPS: u32 = 128;

/// One running mixer.
pub struct MixerEndpoint {
    id: MixerId,
    intent: Arc<MixerIntent>,
    mixer: Mixer,
    inputs: BTreeMap<PublicationId, Decoders>,
    undecodable: BTreeMap<PublicationId, String>,
    video: Option<VideoEncoder>,
    audio: Option<AudioEncoder>,
    clock: RoomClock,
    wake: Arc<Notify>,
    pool: Pool,
    pictures: u64,
    ticks_dropped: u64,
    has_output: bool,
    /// A viewer waits for one.
    keyframe_wanted: bool,
    /// As last told to the log.
    regions: Vec<(String, PublicationId)>,
}

/// What one publication needs to be heard and seen.
#[derive(Default)]
struct Decoders {
    video: Sight,
    audio: Option<AudioDecoder>,
}

/// The pictures of an input.
#[derive(Default)]
enum Sight {
    /// No region shows it: nothing is decoded.
    #[default]
    Unseen,
    /// It came into sight: it starts again at a keyframe.
    Refreshing,
    Seen(VideoDecoder),
}

impl MixerEndpoint {
    /// With its encoders, and what wakes its task.
    ///
    /// # Errors
    /// No encoder for this wish, in words.
    pub fn new(
        id: MixerId,
        intent: &Arc<MixerIntent>,
        clock: RoomClock,
        pool: &Pool,
    ) -> Result<(Self, Arc<Notify>), String> {
        let wake = Arc::new(Notify::new());
        let endpoint = Self {
            id,
            intent: intent.clone(),
            mixer: Mixer::new(intent, clock.now()),
            inputs: BTreeMap::new(),
            undecodable: BTreeMap::new(),
            video: video_encoder(intent, pool, &wake)?,
            audio: audio_encoder(intent, pool, &wake)?,
            clock,
            wake: wake.clone(),
            pool: pool.clone(),
            pictures: 0,
            ticks_dropped: 0,
            has_output: false,
            keyframe_wanted: false,
            regions: Vec::new(),
        };
        Ok((endpoint, wake))
    }

    /// Takes another scene or sound.
    ///
    /// # Errors
    /// No encoder for this wish, in words.
    pub fn update(&mut self, intent: &Arc<MixerIntent>, pool: &Pool) -> Result<(), String> {
        if video_config(&self.intent) != video_config(intent) {
            self.video = video_encoder(intent, pool, &self.wake)?;
        }
        if audio_config(&self.intent) != audio_config(intent) {
            self.audio = audio_encoder(intent, pool, &self.wake)?;
        }
        self.intent = intent.clone();
        self.mixer.update(intent);
        self.wake.notify_one();
        Ok(())
    }

    /// Under which id.
    pub fn id(&self) -> &MixerId {
        &self.id
    }

    /// What it makes.
    pub fn publication(&self) -> &PublicationId {
        &self.intent.publication
    }

    /// As the room knows it.
    pub fn offer(&self, endpoint: EndpointId) -> Offer {
        Offer {
            endpoint,
            publication: self.intent.publication.clone(),
            participant: None,
            address: None,
            protocol: "mixer",
            audio: self.intent.sound.is_some(),
            video: self.intent.scene.is_some(),
            peer: None,
            takeover: Takeover::Refuse,
        }
    }

    /// A publication of the room that is to be mixed, or what became known of one. True: it is a new
    /// input and must be subscribed to.
    pub fn add_input(
        &mut self,
        publication: &PublicationId,
        participant: &ParticipantId,
        has_video: bool,
        now: MediaTime,
    ) -> bool {
        let input = Input {
            publication: publication.clone(),
            participant: Some(participant.clone()),
            has_video,
            has_audio: true,
            is_mixed: false,
        };
        self.mixer.add_input(input, now);
        if self.inputs.contains_key(publication) {
            return false;
        }
        self.inputs.insert(publication.clone(), Decoders::default());
        self.wake.notify_one();
        true
    }

    /// It has ended.
    pub fn remove_input(&mut self, publication: &PublicationId) {
        self.mixer.remove_input(publication);
        self.inputs.remove(publication);
        self.undecodable.remove(publication);
        self.wake.notify_one();
    }

    /// Inputs that came into sight and must start again at a keyframe. Each is told once.
    pub fn inputs_to_refresh(&mut self) -> Vec<PublicationId> {
        let mut fresh = Vec::new();
        for (publication, decoders) in &mut self.inputs {
            let is_unseen = matches!(decoders.video, Sight::Unseen);
            if is_unseen && self.intent.scene.is_some() && self.mixer.is_seen(publication) {
                decoders.video = Sight::Refreshing;
                fresh.push(publication.clone());
            }
        }
        fresh
    }

    /// A frame of an input.
    pub fn handle_frame(&mut self, publication: &PublicationId, frame: &Frame) {
        let Some(decoders) = self.inputs.get_mut(publication) else { return };
        let deadline = self.clock.instant(frame.pts) + DECODE_WITHIN;
        match frame.kind() {
            Kind::Video if !self.mixer.is_seen(publication) || self.intent.scene.is_none() => {
                decoders.video = Sight::Unseen;
            }
            Kind::Video => {
                if !matches!(decoders.video, Sight::Seen(_)) && frame.is_key {
                    decoders.video = Sight::Seen(VideoDecoder::new(&self.pool, wake(&self.wake)));
                }
                if let Sight::Seen(decoder) = &mut decoders.video {
                    decoder.submit(frame.clone(), deadline);
                }
            }
            Kind::Audio if self.mixer.is_heard(publication) => {
                let decoder = decoders.audio.get_or_insert_with(|| AudioDecoder::new(&self.pool, wake(&self.wake)));
                decoder.submit(frame.clone());
            }
            Kind::Audio => {}
        }
    }

    /// When [`MixerEndpoint::drive`] has something to do at the latest.
    pub fn poll_timeout(&self) -> MediaTime {
        self.mixer.poll_timeout()
    }

    /// Does all that is due. The answer: finished frames, in order per track.
    ///
    /// # Errors
    /// An encoder died, in words.
    pub fn drive(&mut self, now: MediaTime) -> Result<Vec<Frame>, String> {
        self.collect_decoded(now);
        while let Some(output) = self.mixer.poll(now) {
            match output {
                Output::Picture(composition) => {
                    let Some(encoder) = &mut self.video else { continue };
                    if encoder.submit(composition, self.keyframe_wanted).is_ok() {
                        self.keyframe_wanted = false;
                    } else {
                        self.ticks_dropped += 1;
                    }
                }
                Output::Samples { pts, samples } => {
                    if let Some(encoder) = &mut self.audio {
                        encoder.submit(pts, samples);
                    }
                }
            }
        }
        self.note_regions();
        self.collect_encoded()
    }

    /// The next picture is one that a viewer can begin with.
    pub fn force_keyframe(&mut self) {
        self.keyframe_wanted = true;
    }

    /// True the first time there is output.
    pub fn note_first_output(&mut self) -> bool {
        !std::mem::replace(&mut self.has_output, true)
    }

    /// For people.
    pub fn status(&self) -> MixerStatus {
        MixerStatus {
            regions: self.regions.clone(),
            undecodable: self.undecodable.iter().map(|(id, reason)| (id.clone(), reason.clone())).collect(),
            inputs: self.inputs.iter().map(|(id, decoders)| self.input_status(id, decoders)).collect(),
            pictures: self.pictures,
            ticks_dropped: self.ticks_dropped,
            ticks_skipped: self.mixer.stats().ticks_skipped,
            encode_us: self.video.as_ref().map_or(0, |encoder| micros(encoder.effort().per_turn())),
        }
    }

    /// Adds what it has made so far.
    pub fn add_totals(&self, totals: &mut Totals) {
        totals.pictures += self.pictures;
        totals.ticks_dropped += self.ticks_dropped;
        totals.ticks_skipped += self.mixer.stats().ticks_skipped;
    }

    fn input_status(&self, publication: &PublicationId, decoders: &Decoders) -> InputStatus {
        let decoder = match &decoders.video {
            Sight::Seen(decoder) => Some(decoder),
            Sight::Unseen | Sight::Refreshing => None,
        };
        let lost = |stats: Stats| stats.overflowed + stats.awaited + stats.overtaken + stats.damaged;
        let pictures_lost = decoder.map_or(0, |decoder| lost(decoder.stats()));
        let sound_lost = decoders.audio.as_ref().map_or(0, |decoder| lost(decoder.stats()));
        let waits = self.mixer.input_stats(publication);
        InputStatus {
            publication: publication.clone(),
            pictures_waiting: waits.map_or(0, |waits| u32::try_from(waits.pictures_len).unwrap_or(u32::MAX)),
            delay_ms: waits.map_or(0, |waits| u32::try_from(waits.delay.as_millis()).unwrap_or(u32::MAX)),
            frames_dropped: pictures_lost + sound_lost,
            decode_us: decoder.map(|decoder| micros(decoder.effort().per_turn())),
        }
    }

    fn note_regions(&mut self) {
        let regions = self.mixer.regions();
        if regions != self.regions {
            tracing::info!(room = %self.intent.room, mixer = %self.id, inputs = regions.len(), "layout changed");
            self.regions = regions;
        }
    }

    fn collect_decoded(&mut self, now: MediaTime) {
        let Self { inputs, mixer, undecodable, .. } = self;
        for (publication, decoders) in inputs {
            if let Sight::Seen(decoder) = &mut decoders.video {
                while let Some(output) = decoder.poll() {
                    match output {
                        VideoOutput::Picture { picture, pts } => {
                            undecodable.remove(publication);
                            mixer.handle_picture(publication, picture, pts, now);
                        }
                        // An RTMP publisher cannot be asked: its next keyframe comes by itself.
                        VideoOutput::NeedKeyframe => {}
                        VideoOutput::Dead(reason) => {
                            mixer.handle_undecodable(publication, reason.to_string());
                            undecodable.insert(publication.clone(), reason.to_string());
                        }
                    }
                }
            }
            let Some(decoder) = &mut decoders.audio else { continue };
            while let Some(output) = decoder.poll() {
                match output {
                    AudioOutput::Samples { pts, samples } => mixer.handle_samples(publication, pts, &samples, now),
                    AudioOutput::Dead(reason) => {
                        undecodable.insert(publication.clone(), reason.to_string());
                    }
                }
            }
        }
    }

    fn collect_encoded(&mut self) -> Result<Vec<Frame>, String> {
        let mut frames = Vec::new();
        if let Some(encoder) = &mut self.audio {
            frames.extend(std::iter::from_fn(|| encoder.poll()));
            if encoder.is_dead() {
                return Err("the sound encoder crashed".to_owned());
            }
        }
        while let Some(encoded) = self.video.as_mut().and_then(VideoEncoder::poll) {
            match encoded {
                VideoEncoded::Frame(frame) => {
                    self.pictures += 1;
                    frames.push(frame);
                }
                VideoEncoded::Dead(reason) => return Err(reason.to_string()),
            }
        }
        Ok(frames)
    }
}

/// Drives one mixer until it is gone: at its times, and whenever a codec thread has an answer.
pub async fn drive_mixer(room: Rc<RoomCell>, endpoint: EndpointId, wake: Arc<Notify>) {
    while let Some(Some(next)) = room.turn(|shell| shell.drive_mixer(endpoint)) {
        let deadline = tokio::time::Instant::from_std(next.max(Instant::now()));
        let _ = tokio::time::timeout_at(deadline, wake.notified()).await;
    }
}

fn micros(span: Duration) -> u32 {
    u32::try_from(span.as_micros()).unwrap_or(u32::MAX)
}

fn wake(notify: &Arc<Notify>) -> Wake {
    let notify = notify.clone();
    Arc::new(move || notify.notify_one())
}

fn video_config(intent: &MixerIntent) -> Option<VideoEncoderConfig> {
    let encoding = &intent.scene.as_ref()?.encoding;
    let size = encoding.size?;
    let size = Size { width: size.width.next_multiple_of(2), height: size.height.next_multiple_of(2) };
    let frame_rate = encoding.frame_rate?;
    let pixels = u64::from(size.width) * u64::from(size.height) * u64::from(frame_rate);
    // 0.08 bits a pixel: what 720p25 needs for 1.8 Mbit/s.
    let usual = u32::try_from((pixels * 8 / 100_000).clamp(200, 6_000)).expect("clamped");
    Some(VideoEncoderConfig {
        size,
        frame_rate,
        bitrate_kbps: encoding.bitrate_kbps.unwrap_or(usual),
        keyframe_ms: encoding.keyframe_ms.unwrap_or(KEYFRAME_MS),
    })
}

fn audio_config(intent: &MixerIntent) -> Option<AudioEncoderConfig> {
    let encoding = &intent.sound.as_ref()?.encoding;
    let bitrate_kbps = encoding.bitrate_kbps.unwrap_or(AUDIO_KBPS);
    Some(AudioEncoderConfig { codec: AudioCodec::Aac, bitrate_kbps })
}

fn video_encoder(intent: &MixerIntent, pool: &Pool, notify: &Arc<Notify>) -> Result<Option<VideoEncoder>, String> {
    let Some(config) = video_config(intent) else { return Ok(None) };
    VideoEncoder::new(pool, config, wake(notify)).map(Some).map_err(|error| error.to_string())
}

fn audio_encoder(intent: &MixerIntent, pool: &Pool, notify: &Arc<Notify>) -> Result<Option<AudioEncoder>, String> {
    let Some(config) = audio_config(intent) else { return Ok(None) };
    AudioEncoder::new(pool, config, wake(notify)).map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
