//! Which m-lines of an offer are taken, and which of their formats.
//!
//! Of sound and of pictures one line each: the first that flows the right way and speaks something known.
//! Where nothing may flow, one line of the kind is kept idle if it can be: Chromium (with `max-bundle`)
//! rejects an answer that refuses the first line of a bundle, and aiortc one that refuses any.

use heliu_model::Kind;

use crate::line::Codec;

use super::error::OfferError;
use super::fmtp;
use super::format::{Encoding, Format};
use super::offer::Offer;
use super::section::Section;
use super::terms::{Outgoing, Wish};

/// What is taken of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice<'a> {
    pub(super) format: &'a Format,
    pub(super) codec: Codec,
    pub(super) clock_rate: u32,
    pub(super) rtx_payload_type: Option<u8>,
    /// Agreed on, and nothing flows (`a=inactive`).
    pub(super) is_idle: bool,
}

/// For each section what is taken of it; `None` refuses it.
pub(super) fn choose<'a>(offer: &'a Offer, wish: &Wish) -> Result<Vec<Option<Choice<'a>>>, OfferError> {
    let mut choices = vec![None; offer.sections.len()];
    for kind in [Kind::Audio, Kind::Video] {
        let Some(wanted) = Wanted::of(wish, kind) else { continue };
        let fitting =
            |section: &&Section| section.kind() == Some(kind) && section.is_offered() && wanted.flows(section);
        let mut chosen = None;
        let mut is_offered = false;
        for (index, section) in offer.sections.iter().enumerate().filter(|(_, section)| fitting(section)) {
            is_offered = true;
            chosen = chosen.or_else(|| Some((index, wanted.pick(section)?)));
        }
        match chosen {
            Some((index, choice)) => choices[index] = Some(choice),
            None if is_offered => return Err(OfferError::Codec { kind, wanted: wanted.name(kind) }),
            None => {}
        }
    }
    let nothing = choices.iter().all(Option::is_none);
    for kind in [Kind::Audio, Kind::Video] {
        keep_idle(offer, kind, &mut choices);
    }
    if nothing {
        return Err(OfferError::Nothing(match wish {
            Wish::Publish { .. } => "sound or video that the client sends",
            Wish::Play { .. } => "sound or video that the client receives",
        }));
    }
    Ok(choices)
}

/// Keeps a line of a kind of which none is taken. It must share the transport like all others.
fn keep_idle<'a>(offer: &'a Offer, kind: Kind, choices: &mut [Option<Choice<'a>>]) {
    let is_of = |section: &Section| section.kind() == Some(kind) && section.is_offered();
    if offer.sections.iter().zip(&*choices).any(|(section, choice)| is_of(section) && choice.is_some()) {
        return;
    }
    let may_stay = |section: &Section| is_of(section) && section.is_muxed && offer.is_bundled(section);
    let kept = offer.sections.iter().enumerate().find(|(_, section)| may_stay(section));
    if let Some((index, section)) = kept {
        choices[index] = Wanted::Incoming.pick(section).map(|choice| Choice { is_idle: true, ..choice });
    }
}

/// What may flow of one kind.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    /// From the peer, in any codec that we know.
    Incoming,
    /// To the peer, in this one.
    Outgoing(Codec),
}

impl Wanted {
    fn of(wish: &Wish, kind: Kind) -> Option<Self> {
        let sent = |outgoing: &Option<Outgoing>| outgoing.as_ref().map(|outgoing| Self::Outgoing(outgoing.codec));
        match (wish, kind) {
            (Wish::Publish { audio, .. }, Kind::Audio) => audio.then_some(Self::Incoming),
            (Wish::Publish { video, .. }, Kind::Video) => video.then_some(Self::Incoming),
            (Wish::Play { audio, .. }, Kind::Audio) => sent(audio),
            (Wish::Play { video, .. }, Kind::Video) => sent(video),
        }
    }

    /// RFC 8866 §6.7: without a word both ways.
    fn flows(self, section: &Section) -> bool {
        section.flow.is_none_or(|flow| match self {
            Self::Incoming => flow.is_sent,
            Self::Outgoing(_) => flow.is_received,
        })
    }

    fn pick(self, section: &Section) -> Option<Choice<'_>> {
        let kind = section.kind()?;
        let ranked = section.formats.iter().filter_map(|format| Some((self.rank(kind, format)?, format)));
        let (_, format) = ranked.min_by_key(|(rank, _)| *rank)?;
        let Some(Encoding::Media { codec, clock_rate }) = format.encoding else { return None };
        let rtx = section.formats.iter().find(|rtx| repairs(rtx, format.payload_type, clock_rate));
        Some(Choice { format, codec, clock_rate, rtx_payload_type: rtx.map(|rtx| rtx.payload_type), is_idle: false })
    }

    /// The lowest is taken, the first of the same.
    fn rank(self, kind: Kind, format: &Format) -> Option<u8> {
        let codec = format.codec()?;
        let profile = || fmtp::h264_rank(&format.parameters);
        let mode = fmtp::packetization_mode(&format.parameters)?;
        match (self, kind, codec) {
            (Self::Outgoing(wanted), ..) if wanted != codec => None,
            (_, Kind::Audio, Codec::Opus) => Some(0),
            (_, Kind::Video, Codec::H264) if mode == 1 => profile(),
            // Mode 0 forbids fragments: taken from a peer, but our packets are not so.
            (Self::Incoming, Kind::Video, Codec::H264) if mode == 0 => Some(10 + profile()?),
            (_, Kind::Video, Codec::Vp8) => Some(20),
            _ => None,
        }
    }

    fn name(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Incoming, Kind::Audio) => "Opus",
            (Self::Incoming, Kind::Video) => "H.264 or VP8",
            (Self::Outgoing(Codec::H264), _) => "H.264 with packetization-mode=1",
            (Self::Outgoing(Codec::Vp8), _) => "VP8",
            (Self::Outgoing(Codec::Opus), _) => "Opus",
        }
    }
}

/// Is `rtx` for retransmissions of that payload type (RFC 4588 §8.1)?
fn repairs(rtx: &Format, payload_type: u8, rate: u32) -> bool {
    let is_rtx = matches!(rtx.encoding, Some(Encoding::Rtx { clock_rate }) if clock_rate == rate);
    is_rtx && fmtp::value(&rtx.parameters, "apt").is_some_and(|apt| apt.parse() == Ok(payload_type))
}
