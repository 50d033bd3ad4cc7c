//! An offer, read whole and within bounds.

use super::error::OfferError;
use super::reader::{attribute, lines, push};
use super::section::{Flow, Section, is_trickle};
use super::transport::Transport;

/// Sections. A call of a whole meeting has more; a publication or its viewer has two.
const SECTIONS_MAX: usize = 32;

/// What a client proposes (RFC 8829 §5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub(super) sections: Vec<Section>,
    /// The mids of the first `a=group:BUNDLE`, in its order.
    pub(super) bundle: Vec<String>,
    pub(super) transport: Transport,
    pub(super) is_lite: bool,
    pub(super) may_mix_extensions: bool,
    pub(super) is_trickling: bool,
}

impl Offer {
    /// Reads an offer: at most 64 KiB, 32 m-lines, 256 candidates in each.
    ///
    /// # Errors
    /// It is no session description, or more than anybody needs. What it asks for is not judged.
    pub fn parse(text: &str) -> Result<Self, OfferError> {
        let mut offer = Self {
            sections: Vec::new(),
            bundle: Vec::new(),
            transport: Transport::default(),
            is_lite: false,
            may_mix_extensions: false,
            is_trickling: false,
        };
        let mut flow = None;
        let mut is_begun = false;
        for line in lines(text)? {
            let line = line?;
            match (line.letter, line.value, offer.sections.last_mut()) {
                (b'v', "0", None) if !is_begun => is_begun = true,
                _ if !is_begun => return Err(OfferError::Malformed(line.number)),
                (b'm', value, _) => {
                    let section = Section::read(value).ok_or(OfferError::Malformed(line.number))?;
                    push(&mut offer.sections, section, "m-lines", SECTIONS_MAX)?;
                }
                (b'a', text, Some(section)) => section.take(line.number, text)?,
                (b'a', text, None) => match Flow::read(text) {
                    Some(read) => flow = Some(read),
                    None => offer.take(text)?,
                },
                _ => {}
            }
        }
        if offer.sections.is_empty() {
            return Err(OfferError::Missing("m-line"));
        }
        // RFC 8866 §6.7: the session's direction is that of lines without one.
        offer.sections.iter_mut().for_each(|section| section.flow = section.flow.or(flow));
        offer.check_mids()?;
        Ok(offer)
    }

    /// Takes an attribute of the session.
    fn take(&mut self, text: &str) -> Result<(), OfferError> {
        match attribute(text) {
            ("group", value) if self.bundle.is_empty() => {
                if let Some(mids) = value.strip_prefix("BUNDLE ") {
                    for mid in mids.split_ascii_whitespace() {
                        push(&mut self.bundle, mid.to_owned(), "bundled m-lines", SECTIONS_MAX)?;
                    }
                }
            }
            ("ice-lite", "") => self.is_lite = true,
            ("extmap-allow-mixed", "") => self.may_mix_extensions = true,
            ("ice-options", value) => self.is_trickling |= is_trickle(value),
            (name, value) => self.transport.take(name, value),
        }
        Ok(())
    }

    /// Is this section of the bundle?
    pub(super) fn is_bundled(&self, section: &Section) -> bool {
        section.mid.as_ref().is_some_and(|mid| self.bundle.contains(mid))
    }

    fn check_mids(&self) -> Result<(), OfferError> {
        let mut mids: Vec<&str> = self.sections.iter().filter_map(|section| section.mid.as_deref()).collect();
        let count = mids.len();
        mids.sort_unstable();
        mids.dedup();
        if mids.len() == count { Ok(()) } else { Err(OfferError::SameMid) }
    }
}
