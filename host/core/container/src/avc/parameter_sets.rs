//! The parameter sets of one track while it goes on, and the format that follows from them.
//!
//! A sender may change its sets without a header of its container. The format then follows what came
//! in-band, so that a late joiner is never shown pictures with stale sets.

use std::sync::Arc;

use bytes::Bytes;
use heliu_model::Format;

use super::Record;
use crate::Discard;

/// The parameter sets of one track.
#[derive(Debug, Clone)]
pub struct ParameterSets {
    record: Record,
    format: Arc<Format>,
}

impl ParameterSets {
    /// The sets of a record.
    ///
    /// # Errors
    /// [`Discard::NoSps`], or [`Discard::BadSps`] for the first sequence parameter set.
    pub fn new(record: Record) -> Result<Self, Discard> {
        Ok(Self { format: Arc::new(Format::H264(record.format()?)), record })
    }

    /// The same as long as the sets are.
    #[must_use]
    pub fn format(&self) -> &Arc<Format> {
        &self.format
    }

    /// What the format holds.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Takes another record; one that says the same leaves the format as it is.
    ///
    /// # Errors
    /// As [`Self::new`]; nothing has changed.
    pub fn replace(&mut self, record: Record) -> Result<(), Discard> {
        let format = Format::H264(record.format()?);
        if *self.format != format {
            self.format = Arc::new(format);
        }
        self.record = record;
        Ok(())
    }

    /// Follows sets (NAL units) that came in-band and differ from what is known.
    ///
    /// # Errors
    /// A set is malformed, or there are too many; nothing has changed.
    pub fn merge(&mut self, sps: &[&[u8]], pps: &[&[u8]]) -> Result<(), Discard> {
        let is_known = |sets: &[Bytes], nals: &[&[u8]]| nals.iter().all(|nal| sets.iter().any(|set| set == *nal));
        if is_known(self.record.sps(), sps) && is_known(self.record.pps(), pps) {
            return Ok(());
        }
        self.replace(self.record.merged(sps, pps)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::avc::samples::{PPS, SPS_320X240_25, SPS_640X360_30};

    #[test]
    fn the_format_changes_when_a_set_does() {
        let mut sets = ParameterSets::new(record(SPS_640X360_30)).unwrap();
        let before = sets.format().clone();
        sets.merge(&[SPS_640X360_30], &[PPS]).unwrap();
        sets.replace(record(SPS_640X360_30)).unwrap();
        assert!(Arc::ptr_eq(sets.format(), &before), "the same sets");
        assert_eq!(sets.merge(&[&[0x67, 1, 2, 3]], &[]), Err(Discard::BadSps));
        assert!(Arc::ptr_eq(sets.format(), &before), "rubbish");
        sets.merge(&[SPS_320X240_25], &[]).unwrap();
        assert_eq!(**sets.format(), Format::H264(record(SPS_320X240_25).format().unwrap()));
        assert_eq!(sets.record(), &record(SPS_320X240_25));
    }

    fn record(sps: &[u8]) -> Record {
        let sets = |nal: &[u8]| vec![Bytes::copy_from_slice(nal)];
        Record::new(sets(sps), sets(PPS)).unwrap()
    }
}
