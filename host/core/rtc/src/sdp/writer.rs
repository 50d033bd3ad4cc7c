//! An answer as text. What is quoted from the offer is one word or one line of it already.

use std::fmt::{self, Write};
use std::net::SocketAddr;

use crate::agreement::DtlsRole;
use crate::line::{Codec, Direction, MLine};

use super::answer::Part;
use super::choice::Choice;
use super::extension::ExtMap;
use super::fmtp;
use super::offer::Offer;
use super::section::Section;
use super::terms::{Outgoing, Terms, Wish};

/// Writes the answer. `carrier` is the section whose transport is used.
pub(super) fn write(offer: &Offer, terms: &Terms, parts: &[Part<'_>], carrier: &Section, dtls: DtlsRole) -> String {
    let mut out = String::with_capacity(4096);
    let text = Text { offer, terms, parts, carrier, dtls };
    text.write(&mut out).expect("a String takes all text");
    out
}

struct Text<'a> {
    offer: &'a Offer,
    terms: &'a Terms,
    parts: &'a [Part<'a>],
    carrier: &'a Section,
    dtls: DtlsRole,
}

impl Text<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        // The address of the origin says nothing to anybody (RFC 8829 §5.2.1).
        write!(out, "v=0\r\no=- {} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", self.terms.session_id)?;
        let taken = self.parts.iter().filter(|part| !part.is_refused());
        let bundled: Vec<&str> = taken
            .filter_map(|part| part.section.mid.as_deref())
            .filter(|mid| self.offer.bundle.iter().any(|known| known == mid))
            .collect();
        if !bundled.is_empty() {
            // The carrier stands first (RFC 9143 §7.3.1).
            let first = self.carrier.mid.as_deref();
            let rest = bundled.iter().filter(|mid| Some(**mid) != first);
            let mids: Vec<&str> = first.into_iter().chain(rest.copied()).collect();
            write!(out, "a=group:BUNDLE {}\r\n", mids.join(" "))?;
        }
        out.push_str("a=ice-lite\r\n");
        if self.offer.may_mix_extensions {
            out.push_str("a=extmap-allow-mixed\r\n");
        }
        out.push_str("a=msid-semantic: WMS *\r\n");
        self.parts.iter().try_for_each(|part| self.write_part(out, part))
    }

    fn write_part(&self, out: &mut String, part: &Part<'_>) -> fmt::Result {
        match (&part.line, part.choice) {
            (Some(line), Some(choice)) => self.write_taken(out, part, line, choice),
            _ => write_refused(out, part.section),
        }
    }

    fn write_taken(&self, out: &mut String, part: &Part<'_>, line: &MLine, choice: Choice<'_>) -> fmt::Result {
        let section = part.section;
        let is_carrier = std::ptr::eq(section, self.carrier);
        let rtx = choice.rtx_payload_type.map(|rtx| format!(" {rtx}")).unwrap_or_default();
        write!(out, "m={} 9 {} {}{rtx}\r\n", section.media, section.protocol, choice.format.payload_type)?;
        out.push_str("c=IN IP4 0.0.0.0\r\n");
        write_mid(out, section)?;
        out.push_str(match line.direction {
            Direction::Send => "a=sendonly\r\n",
            Direction::Receive => "a=recvonly\r\n",
            Direction::Refused => "a=inactive\r\n",
        });
        self.write_transport(out, section)?;
        if is_carrier {
            write_candidates(out, &self.terms.candidates)?;
        }
        write_formats(out, line, choice)?;
        part.extensions.iter().try_for_each(|map| write_extension(out, *map, part.outgoing.is_some()))?;
        if let Some(best) = line.rids.first() {
            // One layer is taken; the peer stops the others (RFC 8853 §5.3.2).
            write!(out, "a=rid:{best} recv\r\na=simulcast:recv {best}\r\n")?;
        }
        match (&self.terms.wish, part.outgoing) {
            (Wish::Play { cname, .. }, Some(outgoing)) => write_sources(out, cname, outgoing, line),
            _ => Ok(()),
        }
    }

    fn write_transport(&self, out: &mut String, section: &Section) -> fmt::Result {
        let setup = match self.dtls {
            DtlsRole::Server => "passive",
            DtlsRole::Client => "active",
        };
        let local = &self.terms.local;
        write!(out, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", local.ufrag, local.pwd)?;
        if section.is_trickling || self.offer.is_trickling {
            out.push_str("a=ice-options:trickle\r\n");
        }
        write!(out, "a=fingerprint:{}\r\na=setup:{setup}\r\na=rtcp-mux\r\n", self.terms.fingerprint)?;
        if section.has_reduced_rtcp {
            out.push_str("a=rtcp-rsize\r\n");
        }
        Ok(())
    }
}

/// A line that keeps its place and carries nothing; BUNDLE leaves it out (RFC 9143 §7.3.3).
fn write_refused(out: &mut String, section: &Section) -> fmt::Result {
    write!(out, "m={} 0 {} {}\r\nc=IN IP4 0.0.0.0\r\n", section.media, section.protocol, section.first_format)?;
    write_mid(out, section)?;
    out.push_str("a=inactive\r\n");
    Ok(())
}

fn write_mid(out: &mut String, section: &Section) -> fmt::Result {
    section.mid.iter().try_for_each(|mid| write!(out, "a=mid:{mid}\r\n"))
}

/// Host candidates, all that there will be (RFC 8839 §5.1, RFC 8838 §8.2).
pub(super) fn write_candidates(out: &mut String, candidates: &[SocketAddr]) -> fmt::Result {
    for (index, address) in (1..=u16::MAX).zip(candidates) {
        // RFC 8445 §5.1.2.1: host candidates of component 1, the first one preferred.
        let priority = (126 << 24) | (u32::from(u16::MAX - index) << 8) | 255;
        write!(out, "a=candidate:{index} 1 udp {priority} {} {} typ host\r\n", address.ip(), address.port())?;
    }
    out.push_str("a=end-of-candidates\r\n");
    Ok(())
}

fn write_formats(out: &mut String, line: &MLine, choice: Choice<'_>) -> fmt::Result {
    let pt = choice.format.payload_type;
    let name = match choice.codec {
        Codec::H264 => "H264/90000",
        Codec::Opus => "opus/48000/2",
        Codec::Vp8 => "VP8/90000",
    };
    write!(out, "a=rtpmap:{pt} {name}\r\n")?;
    let fir = choice.format.feedback.fir && choice.codec != Codec::Opus && !choice.is_idle;
    for (is_agreed, feedback) in [
        (line.feedback.twcc, "transport-cc"),
        (fir, "ccm fir"),
        (line.feedback.nack, "nack"),
        (line.feedback.pli, "nack pli"),
    ] {
        if is_agreed {
            write!(out, "a=rtcp-fb:{pt} {feedback}\r\n")?;
        }
    }
    let parameters = fmtp::answered(choice.codec, &choice.format.parameters, line.direction == Direction::Send);
    if !parameters.is_empty() {
        write!(out, "a=fmtp:{pt} {parameters}\r\n")?;
    }
    match choice.rtx_payload_type {
        Some(rtx) => write!(out, "a=rtpmap:{rtx} rtx/{}\r\na=fmtp:{rtx} apt={pt}\r\n", choice.clock_rate),
        None => Ok(()),
    }
}

/// A one-way offer gets the other way's word (RFC 8285 §7).
fn write_extension(out: &mut String, map: ExtMap, is_sending: bool) -> fmt::Result {
    let direction = match (map.is_sent && map.is_received, is_sending) {
        (true, _) => "",
        (false, true) => "/sendonly",
        (false, false) => "/recvonly",
    };
    write!(out, "a=extmap:{}{direction} {}\r\n", map.id, map.extension.uri())
}

/// One stream for both tracks, so that the peer plays them together (RFC 8830, RFC 5576).
fn write_sources(out: &mut String, cname: &str, outgoing: Outgoing, line: &MLine) -> fmt::Result {
    let track = if outgoing.codec == Codec::Opus { "audio" } else { "video" };
    write!(out, "a=msid:{cname} {track}\r\n")?;
    if let ([ssrc], [rtx]) = (&line.ssrcs[..], &line.rtx_ssrcs[..]) {
        write!(out, "a=ssrc-group:FID {ssrc} {rtx}\r\n")?;
    }
    for ssrc in line.ssrcs.iter().chain(&line.rtx_ssrcs) {
        write!(out, "a=ssrc:{ssrc} cname:{cname}\r\na=ssrc:{ssrc} msid:{cname} {track}\r\n")?;
    }
    Ok(())
}
