//! What a browser publishes: its packets for those who receive packets, and the same as frames.

use std::collections::VecDeque;
use std::time::Duration;

use heliu_model::{Frame, Kind, MediaTime, PublicationId, Traffic};
use heliu_room::Packet;
use heliu_rtc::{Codec, Direction, ExtensionIds, Incoming, MLine};
use heliu_rtp::{
    FrameAssembler, Meta, RtpView, SenderClock, SequenceUnroller, TimestampUnroller, extension, starts_keyframe,
};

/// How long frames wait for a packet that is asked for again.
const GAP_WAIT: Duration = Duration::from_millis(200);

/// The tracks of one publisher.
pub struct Inbound {
    publication: PublicationId,
    clock: SenderClock,
    lines: Vec<Option<Line>>,
    frames: VecDeque<Frame>,
    received: Traffic,
}

struct Line {
    codec: heliu_rtp::Codec,
    extensions: ExtensionIds,
    sequences: SequenceUnroller,
    timestamps: TimestampUnroller,
    /// `None`: forwarded as it is, and never a frame.
    assembler: Option<FrameAssembler>,
}

impl Inbound {
    /// Of the lines that were agreed on.
    pub fn new(publication: PublicationId, lines: &[MLine]) -> Self {
        let lines = lines.iter().map(Line::new).collect();
        Self { publication, clock: SenderClock::new(), lines, frames: VecDeque::new(), received: Traffic::default() }
    }

    /// What it makes.
    pub fn publication(&self) -> &PublicationId {
        &self.publication
    }

    /// What came of it so far, and how much of that meant nothing.
    pub fn received(&self) -> (Traffic, u64) {
        let discards = self.lines.iter().flatten().filter_map(|line| line.assembler.as_ref());
        (self.received, discards.map(|assembler| assembler.stats().discards.total()).sum())
    }

    /// Takes a packet. What it is for those who receive packets; frames are polled.
    pub fn handle_packet<'a>(&mut self, incoming: Incoming<'a>, now: MediaTime) -> Option<Packet<'a>> {
        let line = self.lines.get_mut(incoming.line)?.as_mut()?;
        let (meta, payload) = (line.meta(&incoming.view), incoming.view.payload());
        // Probes for bandwidth are nothing but padding.
        if payload.is_empty() {
            return None;
        }
        self.received += Traffic { bytes: payload.len() as u64, ..Traffic::default() };
        let at = self.clock.map(line.codec.kind(), line.codec.clock_rate(), meta.timestamp, now);
        if let Some(assembler) = &mut line.assembler {
            assembler.handle_packet(&meta, payload, now);
            take_frames(assembler, &mut self.clock, &mut self.frames, &mut self.received);
        }
        Some(Packet { codec: line.codec, meta, payload, at })
    }

    /// What its sender says about the clock of a line.
    pub fn handle_sender_report(&mut self, line: usize, ntp: u64, rtp: u32) {
        if let Some(Some(line)) = self.lines.get(line) {
            self.clock.handle_sender_report(line.codec.kind(), ntp, rtp);
        }
    }

    /// Waits no longer for what has been missing for too long.
    pub fn handle_timeout(&mut self, now: MediaTime) {
        let Self { lines, clock, frames, received, .. } = self;
        for assembler in lines.iter_mut().flatten().filter_map(|line| line.assembler.as_mut()) {
            if assembler.poll_timeout().is_some_and(|due| due <= now) {
                assembler.handle_timeout(now);
                take_frames(assembler, clock, frames, received);
            }
        }
    }

    /// The next frame.
    pub fn poll_frame(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// Do its frames wait to be taken?
    pub fn has_frames(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Can its pictures not go on without a keyframe?
    pub fn is_keyframe_wanted(&self) -> bool {
        let mut assemblers = self.lines.iter().flatten().filter_map(|line| line.assembler.as_ref());
        assemblers.any(FrameAssembler::poll_keyframe_wanted)
    }

    /// Lines that carry pictures.
    pub fn video_lines(&self) -> impl Iterator<Item = usize> {
        let is_video = |line: &Option<Line>| line.as_ref().is_some_and(|line| line.codec.kind() == Kind::Video);
        self.lines.iter().enumerate().filter(move |(_, line)| is_video(line)).map(|(index, _)| index)
    }
}

impl Line {
    fn new(line: &MLine) -> Option<Self> {
        let (codec, assembler) = match line.codec.filter(|_| line.direction == Direction::Receive)? {
            Codec::H264 => (heliu_rtp::Codec::H264, Some(FrameAssembler::h264(&[], GAP_WAIT))),
            Codec::Opus => (heliu_rtp::Codec::Opus, Some(FrameAssembler::opus(2, GAP_WAIT))),
            Codec::Vp8 => (heliu_rtp::Codec::Vp8, None),
        };
        let (sequences, timestamps) = Default::default();
        Some(Self { codec, extensions: line.extensions, sequences, timestamps, assembler })
    }

    fn meta(&mut self, view: &RtpView<'_>) -> Meta {
        let told = |id: Option<u8>| id.and_then(|id| view.extension(id));
        Meta {
            sequence: self.sequences.unroll(view.sequence()),
            timestamp: self.timestamps.unroll(view.timestamp()),
            marker: view.marker(),
            starts_keyframe: starts_keyframe(self.codec, view.payload()),
            audio_level: told(self.extensions.audio_level).and_then(extension::audio_level),
            orientation: told(self.extensions.orientation).and_then(extension::orientation),
        }
    }
}

fn take_frames(
    assembler: &mut FrameAssembler,
    clock: &mut SenderClock,
    frames: &mut VecDeque<Frame>,
    received: &mut Traffic,
) {
    while let Some(frame) = assembler.poll_frame(clock) {
        received.frames += 1;
        frames.push_back(frame);
    }
}
