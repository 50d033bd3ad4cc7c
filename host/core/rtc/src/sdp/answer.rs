//! The answer to an offer: every m-line in its place, taken or refused (RFC 8829 §5.3, RFC 9143 §7.3).

use heliu_model::Kind;

use crate::agreement::Agreement;
use crate::line::{Codec, Direction, ExtensionIds, Feedback, MLine};

use super::choice::{Choice, choose};
use super::error::OfferError;
use super::extension::{ExtMap, Extension};
use super::offer::Offer;
use super::section::Section;
use super::terms::{Outgoing, Terms, Wish};
use super::transport;
use super::writer;

/// Longer mids do not fit the header extension's short form.
const MID_EXTENSION_LEN_MAX: usize = 16;

/// What to tell the peer, and what it means for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// For the peer.
    pub sdp: String,
    /// For the session.
    pub agreement: Agreement,
}

/// Answers an offer.
///
/// # Errors
/// The offer cannot be met: nothing of it may flow, a codec is missing, or its lines do not share one
/// transport with RTCP on it.
pub fn answer(offer: &Offer, terms: &Terms) -> Result<Answer, OfferError> {
    if offer.is_lite {
        return Err(OfferError::IceLite);
    }
    let choices = choose(offer, &terms.wish)?;
    let taken: Vec<(&Section, Choice<'_>)> =
        offer.sections.iter().zip(&choices).filter_map(|(section, choice)| Some((section, (*choice)?))).collect();
    check_shared(offer, &taken)?;
    let Some(carrier) = carrier(offer, &taken) else { return Err(OfferError::Nothing("anything")) };
    let offered = offer.bundle.first().and_then(|mid| find(offer, mid)).unwrap_or(carrier);
    let levels = [&carrier.transport, &offered.transport, &offer.transport];
    let (remote, remote_fingerprint, dtls) = transport::agree(levels)?;
    let parts: Vec<Part<'_>> = offer.sections.iter().zip(choices).map(|parts| Part::new(parts, offer, terms)).collect();
    let agreement = Agreement {
        lines: parts.iter().filter_map(|part| part.line.clone()).collect(),
        local: terms.local.clone(),
        remote,
        remote_fingerprint,
        dtls,
    };
    Ok(Answer { sdp: writer::write(offer, terms, &parts, carrier, dtls), agreement })
}

/// A section of the offer and what becomes of it.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) section: &'a Section,
    /// `None`: neither sound nor pictures.
    pub(super) line: Option<MLine>,
    /// `None`: refused.
    pub(super) choice: Option<Choice<'a>>,
    /// What is said of header extensions.
    pub(super) extensions: Vec<ExtMap>,
    /// What goes out on it.
    pub(super) outgoing: Option<Outgoing>,
}

impl<'a> Part<'a> {
    fn new((section, choice): (&'a Section, Option<Choice<'a>>), offer: &Offer, terms: &Terms) -> Self {
        let (Some(kind), Some(choice)) = (section.kind(), choice) else {
            let line = section.kind().map(|kind| refused(section, kind));
            return Self { section, line, choice: None, extensions: Vec::new(), outgoing: None };
        };
        if choice.is_idle {
            let line = Some(refused(section, kind));
            return Self { section, line, choice: Some(choice), extensions: Vec::new(), outgoing: None };
        }
        let outgoing = match (&terms.wish, kind) {
            (Wish::Publish { .. }, _) => None,
            (Wish::Play { audio, .. }, Kind::Audio) => *audio,
            (Wish::Play { video, .. }, Kind::Video) => *video,
        };
        let feedback = feedback(&choice, outgoing.is_some());
        let extensions = extensions(section, offer, kind, outgoing.is_some(), feedback.twcc);
        let mut line = MLine { direction: direction(outgoing), ..refused(section, kind) };
        line.codec = Some(choice.codec);
        line.payload_type = choice.format.payload_type;
        line.rtx_payload_type = choice.rtx_payload_type;
        line.clock_rate = choice.clock_rate;
        line.parameters = choice.format.parameters.clone();
        for map in &extensions {
            *map.extension.slot(&mut line.extensions) = Some(map.id);
        }
        line.feedback = feedback;
        (line.ssrcs, line.rtx_ssrcs) = match outgoing {
            Some(own) => (vec![own.ssrc], choice.rtx_payload_type.map(|_| own.rtx_ssrc).into_iter().collect()),
            None => section.sources.split(),
        };
        if outgoing.is_none() && line.extensions.rid.is_some() {
            line.rids = section.layers();
        }
        Self { section, line: Some(line), choice: Some(choice), extensions, outgoing }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.choice.is_none()
    }
}

/// The transport's rules for lines that are taken: one for all, RTCP on it.
fn check_shared(offer: &Offer, taken: &[(&Section, Choice<'_>)]) -> Result<(), OfferError> {
    if taken.len() > 1 && !taken.iter().all(|(section, _)| offer.is_bundled(section)) {
        return Err(OfferError::Unbundled);
    }
    if taken.iter().any(|(section, _)| !section.is_muxed) {
        return Err(OfferError::NotMuxed);
    }
    Ok(())
}

/// The section whose transport carries all (RFC 9143 §7.3.2): of those taken the first in the bundle.
fn carrier<'a>(offer: &'a Offer, taken: &[(&'a Section, Choice<'_>)]) -> Option<&'a Section> {
    let is_taken = |section: &&Section| taken.iter().any(|(known, _)| std::ptr::eq(*known, *section));
    let bundled = offer.bundle.iter().filter_map(|mid| find(offer, mid));
    bundled.chain(offer.sections.iter()).find(is_taken)
}

fn find<'a>(offer: &'a Offer, mid: &str) -> Option<&'a Section> {
    offer.sections.iter().find(|section| section.mid.as_deref() == Some(mid))
}

fn direction(outgoing: Option<Outgoing>) -> Direction {
    if outgoing.is_some() { Direction::Send } else { Direction::Receive }
}

/// What both sides know. Arrival times are wanted of publishers only.
fn feedback(choice: &Choice<'_>, is_sending: bool) -> Feedback {
    let offered = choice.format.feedback;
    let is_video = choice.codec != Codec::Opus;
    Feedback { nack: offered.nack, pli: offered.pli && is_video, twcc: offered.twcc && !is_sending }
}

/// The header extensions that make sense on this line, each number and each extension once.
fn extensions(section: &Section, offer: &Offer, kind: Kind, is_sending: bool, has_twcc: bool) -> Vec<ExtMap> {
    let may_mix = section.may_mix_extensions || offer.may_mix_extensions;
    let has_mid = section.mid.as_ref().is_some_and(|mid| mid.len() <= MID_EXTENSION_LEN_MAX);
    let mut taken: Vec<ExtMap> = Vec::new();
    for map in &section.extensions {
        let fits = match map.extension {
            Extension::Mid => has_mid,
            Extension::Rid | Extension::RepairedRid => kind == Kind::Video && !is_sending,
            Extension::AudioLevel => kind == Kind::Audio,
            Extension::Twcc => has_twcc,
            Extension::Orientation => kind == Kind::Video,
        };
        let flows = if is_sending { map.is_received } else { map.is_sent };
        let is_fresh = taken.iter().all(|known| known.id != map.id && known.extension != map.extension);
        if fits && flows && is_fresh && (map.id < 15 || may_mix) {
            taken.push(*map);
        }
    }
    taken
}

fn refused(section: &Section, kind: Kind) -> MLine {
    MLine {
        mid: section.mid.clone().unwrap_or_default(),
        kind,
        direction: Direction::Refused,
        codec: None,
        payload_type: 0,
        rtx_payload_type: None,
        clock_rate: 0,
        parameters: String::new(),
        extensions: ExtensionIds::default(),
        feedback: Feedback::default(),
        ssrcs: Vec::new(),
        rtx_ssrcs: Vec::new(),
        rids: Vec::new(),
    }
}
