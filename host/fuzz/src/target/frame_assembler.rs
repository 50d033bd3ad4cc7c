//! Packets with any sequence number and timestamp at any time, as a receiver places them, with sender
//! reports between them. The first byte says whether it is sound.

use std::time::{Duration, Instant};

use bytes::Bytes;
use heliu_model::MediaTime;
use heliu_rtp::{Codec, FrameAssembler, Meta, Receiver, SenderClock, TwccRecorder, WAIT_DEFAULT, rtcp};

use crate::script::Script;

const SPS: &[u8] = b"\x67\x42\xc0\x0d\xd9\x01\x41\xfb\x01\x10\0\0\x03\0\x10\0\0\x03\x03\x20\xf1\x42\xa4\x80";
const PPS: &[u8] = b"\x68\xeb\xe3\xcb\x22\xc0";
const NACK_LEN_MAX: usize = 128;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let is_sound = script.byte() & 1 != 0;
    let (codec, mut assembler) = if is_sound {
        (Codec::Opus, FrameAssembler::opus(2, WAIT_DEFAULT))
    } else {
        (Codec::H264, FrameAssembler::h264(&[SPS, PPS].map(Bytes::from_static), WAIT_DEFAULT))
    };
    let (mut clock, mut receiver, mut recorder) =
        (SenderClock::new(), Receiver::new(codec.clock_rate()), TwccRecorder::new());
    let (start, mut passed) = (Instant::now(), Duration::ZERO);
    let mut last = None;
    while !script.is_empty() {
        let (flags, pause) = (script.byte(), script.byte());
        passed += Duration::from_millis(u64::from(pause));
        let (instant, now) = (start + passed, MediaTime::ZERO + passed);
        let (sequence, timestamp) = (script.short(), script.long());
        recorder.note(sequence, instant);
        if flags & 2 != 0 {
            clock.handle_sender_report(assembler.kind(), u64::from(script.long()) << 16, timestamp);
            continue;
        }
        let payload = script.bytes(usize::from(flags >> 2));
        if let Ok(placed) = receiver.handle_packet(sequence, timestamp, instant) {
            assert_eq!((placed.sequence as u16, placed.timestamp as u32), (sequence, timestamp));
            let (sequence, timestamp) = (placed.sequence, placed.timestamp);
            let meta = Meta { sequence, timestamp, marker: flags & 1 != 0, ..Meta::default() };
            assembler.handle_packet(&meta, payload, now);
        }
        assembler.handle_timeout(now);
        assert!(
            assembler.poll_timeout().is_none_or(|due| due > now && due <= now + WAIT_DEFAULT),
            "a gap is waited for"
        );
        while let Some(frame) = assembler.poll_frame(&mut clock) {
            assert!(last.is_some() || frame.is_key, "a keyframe comes first");
            assert!(frame.pts >= frame.dts && last.is_none_or(|last| frame.dts > last), "times go forward");
            last = Some(frame.dts);
        }
        feedback(&mut receiver, &mut recorder, instant);
    }
}

/// What is told to the sender reads back.
fn feedback(receiver: &mut Receiver, recorder: &mut TwccRecorder, now: Instant) {
    let mut out = Vec::new();
    if let Some(lost) = receiver.poll_nack(now) {
        assert!(lost.len() <= NACK_LEN_MAX);
        assert_eq!(rtcp::write_nack(&mut out, 1, 2, lost), lost.len());
    }
    out.clear();
    while recorder.poll(now, 1, 2, &mut out) {
        assert!(rtcp::parse(&out).all(|packet| packet.is_ok()));
        out.clear();
    }
    if let Some(block) = receiver.report(1, now) {
        assert!(block.lost >= 0);
    }
}
