//! What to read in order: the contract's `store.range`.

use heliu_model::Namespace;

use crate::key::{Collection, Range, behind, encode};

/// Payload bytes after which a scan stops early; it never gives nothing while there is something.
pub const SCAN_BYTES_MAX: usize = 1 << 20;

/// A walk along names.
#[derive(Debug, Clone, Copy)]
pub struct Scan<'a> {
    /// Whose.
    pub namespace: &'a Namespace,
    /// What for.
    pub collection: Collection,
    /// Names that begin so.
    pub prefix: &'a str,
    /// Go on behind this name (before it, if `reverse`).
    pub after: Option<&'a str>,
    /// Entries to pass over first.
    pub skip: u32,
    /// At most so many.
    pub limit: u32,
    /// From the last name to the first.
    pub reverse: bool,
}

impl<'a> Scan<'a> {
    /// Everything that begins so.
    #[must_use]
    pub fn prefix(namespace: &'a Namespace, collection: Collection, prefix: &'a str) -> Self {
        Self { namespace, collection, prefix, after: None, skip: 0, limit: u32::MAX, reverse: false }
    }

    /// What it reads, for [`crate::Reads::ranges`].
    #[must_use]
    pub fn range(&self) -> Range {
        Range::Prefix { collection: self.collection, namespace: self.namespace.clone(), prefix: self.prefix.to_owned() }
    }

    /// First key, and the first behind the last; empty if they meet.
    pub(crate) fn bounds(&self) -> (Vec<u8>, Vec<u8>) {
        let start = encode(self.collection, self.namespace, self.prefix);
        let end = behind(&start);
        let Some(after) = self.after else { return (start, end) };
        let mut after = encode(self.collection, self.namespace, after);
        if self.reverse {
            return (start, end.min(after));
        }
        after.push(0);
        (start.max(after), end)
    }
}
