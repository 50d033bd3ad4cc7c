//! One m-line of an offer and the attributes under it, read but not judged.

use heliu_model::Kind;

use super::error::OfferError;
use super::extension::ExtMap;
use super::format::{Encoding, Format};
use super::reader::{attribute, is_token, push};
use super::sources::Sources;
use super::transport::Transport;

/// Of this side's few extensions under different numbers.
const EXTENSIONS_MAX: usize = 32;
/// Simulcast layers. Browsers make three.
const RIDS_MAX: usize = 8;
/// Candidates are not used; thousands of them say that somebody plays games.
const CANDIDATES_MAX: usize = 256;
/// Bytes of a mid that is repeated in the answer.
const MID_LEN_MAX: usize = 64;
/// Bytes of a rid that fits the header extension's short form (RFC 8852 §3.1).
const RID_LEN_MAX: usize = 16;
/// Bytes of one `a=fmtp` that are kept; longer ones are as if they were not there.
const PARAMETERS_LEN_MAX: usize = 2048;

/// As the offer has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// First word of the m-line: `audio`, `video`, `application`, …
    pub(super) media: String,
    pub(super) port: u16,
    pub(super) protocol: String,
    /// The m-line's first format as it is written: what a refused line repeats.
    pub(super) first_format: String,
    /// At most 128: each number once. Empty where the m-line's are not numbers.
    pub(super) formats: Vec<Format>,
    pub(super) mid: Option<String>,
    pub(super) flow: Option<Flow>,
    pub(super) is_muxed: bool,
    pub(super) is_bundle_only: bool,
    pub(super) has_reduced_rtcp: bool,
    pub(super) may_mix_extensions: bool,
    pub(super) is_trickling: bool,
    pub(super) transport: Transport,
    pub(super) extensions: Vec<ExtMap>,
    pub(super) sources: Sources,
    rids: Vec<String>,
    /// In the order of `a=simulcast:send`.
    layers: Vec<String>,
    candidates: usize,
}

/// Which way media flows as the peer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) is_sent: bool,
    pub(super) is_received: bool,
}

impl Flow {
    /// `sendrecv` and its three brothers.
    pub(super) fn read(name: &str) -> Option<Self> {
        let (is_sent, is_received) = match name {
            "sendrecv" => (true, true),
            "sendonly" => (true, false),
            "recvonly" => (false, true),
            "inactive" => (false, false),
            _ => return None,
        };
        Some(Self { is_sent, is_received })
    }
}

impl Section {
    /// Reads `audio 9 UDP/TLS/RTP/SAVPF 111 63`.
    pub(super) fn read(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let media = words.next().filter(|word| is_token(word, 32))?.to_owned();
        // `9/2`: two ports in a row (RFC 8866 §5.14); one is used.
        let port = words.next()?.split('/').next()?.parse().ok()?;
        let protocol = words.next().filter(|word| word.len() <= 64)?.to_owned();
        let first_format = words.clone().next().filter(|word| word.len() <= 64)?.to_owned();
        let mut formats: Vec<Format> = Vec::new();
        for word in words {
            let payload_type = word.parse().ok().filter(|number| *number < 128);
            match payload_type {
                Some(number) if formats.iter().all(|known| known.payload_type != number) => {
                    formats.push(Format::new(number));
                }
                Some(_) => {}
                None => {
                    formats.clear();
                    break;
                }
            }
        }
        Some(Self {
            media,
            port,
            protocol,
            first_format,
            formats,
            mid: None,
            flow: None,
            is_muxed: false,
            is_bundle_only: false,
            has_reduced_rtcp: false,
            may_mix_extensions: false,
            is_trickling: false,
            transport: Transport::default(),
            extensions: Vec::new(),
            sources: Sources::default(),
            rids: Vec::new(),
            layers: Vec::new(),
            candidates: 0,
        })
    }

    /// Sound or pictures over SRTP keyed by DTLS, whatever older names clients have for that
    /// (RFC 8829 §5.1.2).
    pub(super) fn kind(&self) -> Option<Kind> {
        let is_srtp = ["UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP"]
            .iter()
            .chain(&["RTP/SAVPF", "RTP/SAVP"])
            .any(|known| *known == self.protocol);
        match self.media.as_str() {
            "audio" if is_srtp => Some(Kind::Audio),
            "video" if is_srtp => Some(Kind::Video),
            _ => None,
        }
    }

    /// Port 0 refuses, unless the line only lives in a bundle (RFC 9143 §6).
    pub(super) fn is_offered(&self) -> bool {
        self.port != 0 || self.is_bundle_only
    }

    /// Simulcast layers, the best liked first.
    pub(super) fn layers(&self) -> Vec<String> {
        self.layers.iter().filter(|layer| self.rids.contains(layer)).cloned().collect()
    }

    /// Takes one attribute. What is unknown, or malformed and needed by nobody, is skipped.
    pub(super) fn take(&mut self, number: usize, text: &str) -> Result<(), OfferError> {
        let (name, value) = attribute(text);
        match name {
            "mid" if self.mid.is_none() => {
                let mid = is_token(value, MID_LEN_MAX).then(|| value.to_owned());
                self.mid = Some(mid.ok_or(OfferError::Malformed(number))?);
            }
            "rtcp-mux" => self.is_muxed = true,
            "rtcp-rsize" => self.has_reduced_rtcp = true,
            "bundle-only" => self.is_bundle_only = true,
            "extmap-allow-mixed" => self.may_mix_extensions = true,
            "ice-options" => self.is_trickling |= is_trickle(value),
            "candidate" => self.count_candidate()?,
            "extmap" => self.take_extension(value)?,
            "rtpmap" => self.take_encoding(value),
            "fmtp" => self.take_parameters(value),
            "rtcp-fb" => self.take_feedback(value),
            "ssrc" | "ssrc-group" => self.sources.take(name, value)?,
            "rid" => self.take_rid(value)?,
            "simulcast" => self.take_simulcast(value)?,
            _ => match Flow::read(name) {
                Some(flow) => self.flow = Some(flow),
                None => self.transport.take(name, value),
            },
        }
        Ok(())
    }

    fn count_candidate(&mut self) -> Result<(), OfferError> {
        self.candidates += 1;
        match self.candidates > CANDIDATES_MAX {
            true => Err(OfferError::TooMany { what: "candidates in one m-line", max: CANDIDATES_MAX }),
            false => Ok(()),
        }
    }

    fn take_extension(&mut self, value: &str) -> Result<(), OfferError> {
        match ExtMap::read(value) {
            Some(map) => push(&mut self.extensions, map, "header extensions in one m-line", EXTENSIONS_MAX),
            None => Ok(()),
        }
    }

    fn take_encoding(&mut self, value: &str) {
        if let Some((format, text)) = self.format_of(value)
            && format.encoding.is_none()
        {
            format.encoding = Encoding::read(text);
        }
    }

    fn take_parameters(&mut self, value: &str) {
        if let Some((format, text)) = self.format_of(value).filter(|(_, text)| text.len() <= PARAMETERS_LEN_MAX)
            && format.parameters.is_empty()
        {
            format.parameters = text.trim().to_owned();
        }
    }

    fn take_feedback(&mut self, value: &str) {
        if let Some(text) = value.strip_prefix("* ") {
            self.formats.iter_mut().for_each(|format| format.feedback.add(text));
        } else if let Some((format, text)) = self.format_of(value) {
            format.feedback.add(text);
        }
    }

    /// The format that `96 text` is about, and the text.
    fn format_of<'a>(&mut self, value: &'a str) -> Option<(&mut Format, &'a str)> {
        let (number, text) = value.split_once(' ')?;
        let number: u8 = number.parse().ok()?;
        let format = self.formats.iter_mut().find(|format| format.payload_type == number)?;
        Some((format, text))
    }

    fn take_rid(&mut self, value: &str) -> Result<(), OfferError> {
        let mut words = value.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (Some(rid), Some("send")) if is_rid(rid) => {
                push(&mut self.rids, rid.to_owned(), "simulcast layers in one m-line", RIDS_MAX)
            }
            _ => Ok(()),
        }
    }

    /// Reads `send h;m,n;~l recv …` (RFC 8853 §5.1): of alternatives the first, paused ones too.
    fn take_simulcast(&mut self, value: &str) -> Result<(), OfferError> {
        let mut words = value.split_ascii_whitespace().skip_while(|word| *word != "send");
        let list = words.nth(1).filter(|_| self.layers.is_empty()).unwrap_or_default();
        for layer in list.split(';').filter_map(|layer| layer.split(',').next()) {
            let layer = layer.trim_start_matches('~');
            if is_rid(layer) && self.layers.iter().all(|known| known != layer) {
                push(&mut self.layers, layer.to_owned(), "simulcast layers in one m-line", RIDS_MAX)?;
            }
        }
        Ok(())
    }
}

/// Does `a=ice-options` list `trickle` (RFC 8840 §4.1.3)? libdatachannel puts commas between.
pub(super) fn is_trickle(value: &str) -> bool {
    value.split([' ', ',']).any(|word| word == "trickle")
}

fn is_rid(text: &str) -> bool {
    (1..=RID_LEN_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
