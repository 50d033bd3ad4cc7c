//! Which SSRCs a publisher says it uses (RFC 5576). A hint: browsers with simulcast say nothing.

use super::error::OfferError;
use super::reader::push;

/// Of one section; a publisher with three layers and their retransmissions has six.
const SOURCES_MAX: usize = 32;

/// In the order of the offer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sources {
    all: Vec<u32>,
    /// Media and its retransmissions.
    pairs: Vec<(u32, u32)>,
}

impl Sources {
    /// Takes `a=ssrc` and `a=ssrc-group`.
    pub(super) fn take(&mut self, name: &str, value: &str) -> Result<(), OfferError> {
        let mut words = value.split_ascii_whitespace();
        let number = |word: Option<&str>| word.and_then(|word| word.parse().ok());
        match (name, words.next()) {
            ("ssrc", first) => self.note(number(first)),
            ("ssrc-group", Some("FID")) => {
                let (media, repair) = (number(words.next()), number(words.next()));
                self.note(media)?;
                self.note(repair)?;
                if let (Some(media), Some(repair)) = (media, repair) {
                    push(&mut self.pairs, (media, repair), "ssrc-groups in one m-line", SOURCES_MAX)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Media SSRCs, those with retransmissions first, and the retransmissions' in the same order.
    pub(super) fn split(&self) -> (Vec<u32>, Vec<u32>) {
        let is_repair = |ssrc: u32| self.pairs.iter().any(|(_, repair)| *repair == ssrc);
        let repair = |ssrc: u32| self.pairs.iter().find(|(media, _)| *media == ssrc).map(|(_, repair)| *repair);
        let media: Vec<u32> = self.all.iter().copied().filter(|ssrc| !is_repair(*ssrc)).collect();
        let (repaired, alone): (Vec<u32>, Vec<u32>) = media.iter().partition(|ssrc| repair(**ssrc).is_some());
        let repairs = repaired.iter().filter_map(|ssrc| repair(*ssrc)).collect();
        ([repaired, alone].concat(), repairs)
    }

    fn note(&mut self, ssrc: Option<u32>) -> Result<(), OfferError> {
        match ssrc.filter(|ssrc| !self.all.contains(ssrc)) {
            Some(ssrc) => push(&mut self.all, ssrc, "SSRCs in one m-line", SOURCES_MAX),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retransmissions_stand_beside_their_media() {
        for (what, attributes, want) in [
            ("one alone", &["ssrc 7 cname:a", "ssrc 7 msid:a b"][..], (vec![7], vec![])),
            ("a pair told before", &["ssrc-group FID 1 2", "ssrc 1 cname:a", "ssrc 2 cname:a"], (vec![1], vec![2])),
            ("a pair told after", &["ssrc 1 cname:a", "ssrc 2 cname:a", "ssrc-group FID 1 2"], (vec![1], vec![2])),
            ("a pair that only the group names", &["ssrc-group FID 1 2"], (vec![1], vec![2])),
            (
                "layers",
                &["ssrc-group SIM 1 2 3", "ssrc 1 a:b", "ssrc 2 a:b", "ssrc 3 a:b", "ssrc-group FID 3 4"],
                (vec![3, 1, 2], vec![4]),
            ),
            (
                "nonsense",
                &["ssrc x", "ssrc", "ssrc-group FID 1", "ssrc 4294967296 a:b", "ssrc -1 a:b"],
                (vec![1], vec![]),
            ),
            ("its own retransmission", &["ssrc-group FID 1 1"], (vec![], vec![])),
        ] {
            let mut sources = Sources::default();
            for attribute in attributes {
                let (name, value) = attribute.split_once(' ').unwrap_or((attribute, ""));
                sources.take(name, value).unwrap();
            }
            assert_eq!(sources.split(), want, "{what}");
        }
    }

    #[test]
    fn there_are_not_endlessly_many() {
        let mut sources = Sources::default();
        let taken = (0..).take_while(|ssrc| sources.take("ssrc", &format!("{ssrc} cname:a")).is_ok()).count();
        assert_eq!(taken, SOURCES_MAX);
        let mut sources = Sources::default();
        let taken = (0..).take_while(|_| sources.take("ssrc-group", "FID 1 2").is_ok()).count();
        assert_eq!(taken, SOURCES_MAX);
    }
}
