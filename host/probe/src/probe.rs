//! Takes the tags of a stream and knows what it is, shows and sounds.

use std::time::{Duration, Instant};

use bytes::Bytes;
use heliu_codec::Pool;
use heliu_container::flv::{FlvFrame, FlvReader};
use heliu_model::Kind;

use crate::audio::Audio;
use crate::report::{End, Report};
use crate::source::{Error, Next, Source};
use crate::sync::sync;
use crate::timing::{Timing, thousandths};
use crate::video::Video;
use crate::{Options, Point};

/// How much longer than its media a stream may take.
const LATE_MAX: Duration = Duration::from_secs(15);

/// What is known of one stream.
pub struct Probe {
    begin: Instant,
    span: Duration,
    places: Vec<Point>,
    pool: Pool,
    reader: FlvReader,
    /// The first time of the stream.
    origin_ms: Option<i64>,
    video: Option<Video>,
    audio: Option<Audio>,
    first_picture: Option<Duration>,
}

/// Reads a file or URL until there is enough, and says what it is.
///
/// # Errors
/// Nothing could be read. What broke later is in the report.
pub fn probe(place: &str, options: &Options) -> Result<Report, Error> {
    let mut probe = Probe::new(options)?;
    let mut source = Source::open(place)?;
    let end = loop {
        match source.next() {
            Ok(Next::Media { kind, timestamp_ms, body }) => probe.handle_tag(kind, timestamp_ms, body),
            Ok(Next::Nothing) => {}
            Ok(Next::Over) => break End::Over,
            Ok(Next::Silent) => break End::Silent,
            Err(error) if !probe.has_media() => return Err(error),
            Err(_) => break End::Malformed,
        }
        if probe.has_enough() {
            break End::Enough;
        }
        if probe.begin.elapsed() > probe.span + LATE_MAX {
            break End::Silent;
        }
    };
    let mut report = probe.finish(end).ok_or(Error::NoMedia)?;
    if Source::is_file(place) {
        report.first_picture_ms = None;
    }
    Ok(report)
}

impl Probe {
    /// Before the first tag; the clock of the first picture starts here.
    ///
    /// # Errors
    /// The system gives no thread to the decoders.
    pub fn new(options: &Options) -> Result<Self, Error> {
        Ok(Self {
            begin: Instant::now(),
            span: options.span.min(Duration::from_secs(Options::SECONDS_MAX)),
            places: options.places(),
            pool: Pool::start(1).map_err(Error::Thread)?,
            reader: FlvReader::new(),
            origin_ms: None,
            video: None,
            audio: None,
            first_picture: None,
        })
    }

    /// Takes a tag: its kind, its milliseconds, its FLV body. What cannot be read is counted.
    pub fn handle_tag(&mut self, kind: Kind, timestamp_ms: u32, body: Bytes) {
        let frame = match kind {
            Kind::Audio => self.reader.handle_audio(timestamp_ms, body),
            Kind::Video => self.reader.handle_video(timestamp_ms, body),
        };
        // The reader has counted it.
        let Ok(Some(frame)) = frame else { return };
        let origin_ms = *self.origin_ms.get_or_insert(frame.dts_ms);
        match kind {
            Kind::Audio => self.hear(frame, origin_ms),
            Kind::Video => self.see(frame, origin_ms),
        }
    }

    /// Has it seen or heard as much as it was asked to?
    #[must_use]
    pub fn has_enough(&self) -> bool {
        self.longer(Timing::between_ms) >= i64::try_from(self.span.as_millis()).unwrap_or(i64::MAX)
    }

    /// What was found; `None`: neither a picture nor a sound.
    #[must_use]
    pub fn finish(mut self, end: End) -> Option<Report> {
        if !self.has_media() {
            return None;
        }
        let flashes = self.video.as_ref().map(|video| video.flashes().to_vec()).unwrap_or_default();
        let beeps = self.audio.as_ref().map(Audio::beeps).unwrap_or_default();
        let discards = self.reader.discards().iter();
        Some(Report {
            end,
            seconds: self.longer(Timing::span_ms) as f64 / 1_000.0,
            first_picture_ms: self.first_picture.map(|span| thousandths(span.as_secs_f64() * 1_000.0)),
            sync: sync(&flashes, &beeps),
            discards: discards.map(|(reason, count)| (reason.to_string(), count)).collect(),
            video: self.video.as_mut().map(Video::report),
            audio: self.audio.map(Audio::report),
        })
    }

    fn has_media(&self) -> bool {
        self.video.is_some() || self.audio.is_some()
    }

    fn see(&mut self, frame: FlvFrame, origin_ms: i64) {
        let video = self.video.get_or_insert_with(|| Video::new(&frame, origin_ms, &self.places, &self.pool));
        video.handle(frame);
        if video.has_picture() {
            self.first_picture.get_or_insert_with(|| self.begin.elapsed());
        }
    }

    fn hear(&mut self, frame: FlvFrame, origin_ms: i64) {
        self.audio.get_or_insert_with(|| Audio::new(&frame, origin_ms, &self.pool)).handle(frame);
    }

    /// Of the two tracks.
    fn longer(&self, span_ms: impl Fn(&Timing) -> i64) -> i64 {
        let video = self.video.as_ref().map_or(0, |video| span_ms(video.timing()));
        video.max(self.audio.as_ref().map_or(0, |audio| span_ms(audio.timing())))
    }
}
