//! Names of records, and ranges of names.
//!
//! A key is one byte string on disk: collection, namespace, a zero, name. So byte order is the order
//! of names, and whatever is read as a range is one range of bytes.

use heliu_model::Namespace;

/// Longest name in bytes of UTF-8.
pub const NAME_LEN_MAX: usize = 512;

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection {
    /// A plugin's own records. Names that begin with `~` are volatile.
    Data,
    /// Where a sequence goes on.
    Sequence,
    /// Totals, added to without conflicts. Names that begin with `~` are volatile.
    Total,
    /// `MixerIntent` as JSON.
    Mixer,
    /// `EgressIntent` as JSON.
    Egress,
    /// `AddressIntent` as JSON; the name is the address.
    Address,
    /// [`crate::Alarm`] as JSON.
    Alarm,
}

pub(crate) const COLLECTIONS: [Collection; 7] = [
    Collection::Data,
    Collection::Sequence,
    Collection::Total,
    Collection::Mixer,
    Collection::Egress,
    Collection::Address,
    Collection::Alarm,
];

impl Collection {
    /// On disk; never changes.
    fn tag(self) -> u8 {
        match self {
            Self::Data => b'd',
            Self::Sequence => b's',
            Self::Total => b't',
            Self::Mixer => b'm',
            Self::Egress => b'e',
            Self::Address => b'a',
            Self::Alarm => b'w',
        }
    }

    fn from_tag(tag: u8) -> Option<Self> {
        COLLECTIONS.into_iter().find(|collection| collection.tag() == tag)
    }

    /// May names that begin with `~` live in memory?
    pub(crate) fn has_volatile(self) -> bool {
        matches!(self, Self::Data | Self::Total)
    }

    /// Does the control loop look at it?
    pub(crate) fn is_watched(self) -> bool {
        matches!(self, Self::Mixer | Self::Egress | Self::Address | Self::Alarm)
    }
}

/// Names one record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What for.
    pub collection: Collection,
    /// Whose.
    pub namespace: Namespace,
    /// At most 512 bytes.
    pub name: String,
}

impl Key {
    /// Puts the three parts together.
    #[must_use]
    pub fn new(namespace: &Namespace, collection: Collection, name: impl Into<String>) -> Self {
        Self { collection, namespace: namespace.clone(), name: name.into() }
    }

    /// Does it live in memory only?
    #[must_use]
    pub fn is_volatile(&self) -> bool {
        self.collection.has_volatile() && self.name.starts_with('~')
    }

    /// As it lies on disk.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self.collection, &self.namespace, &self.name)
    }

    /// From what lies on disk; `None`: no key of ours.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&tag, rest) = bytes.split_first()?;
        let zero = rest.iter().position(|&byte| byte == 0)?;
        let namespace = std::str::from_utf8(&rest[..zero]).ok()?.parse().ok()?;
        let name = std::str::from_utf8(&rest[zero + 1..]).ok()?.to_owned();
        Some(Self { collection: Collection::from_tag(tag)?, namespace, name })
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {}/{}", self.collection, self.namespace, self.name)
    }
}

/// What a scan read: everything that is there, and that nothing else is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Range {
    /// Names of one namespace that begin so.
    Prefix {
        /// What for.
        collection: Collection,
        /// Whose.
        namespace: Namespace,
        /// Empty: all.
        prefix: String,
    },
    /// One collection of all namespaces: what counts towards the host's capacity.
    Everywhere(Collection),
}

impl Range {
    /// First key, and the first behind the last.
    pub(crate) fn bounds(&self) -> (Vec<u8>, Vec<u8>) {
        let start = match self {
            Self::Prefix { collection, namespace, prefix } => encode(*collection, namespace, prefix),
            Self::Everywhere(collection) => vec![collection.tag()],
        };
        let end = behind(&start);
        (start, end)
    }
}

/// The first byte string that does not begin so and is greater than all that do. Ours never end in
/// `0xff`: tags are ASCII, the separator is zero and names are UTF-8.
pub(crate) fn behind(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

pub(crate) fn encode(collection: Collection, namespace: &Namespace, name: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2 + namespace.as_str().len() + name.len());
    bytes.push(collection.tag());
    bytes.extend_from_slice(namespace.as_str().as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(name.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_from_their_bytes() {
        for collection in COLLECTIONS {
            let key = Key::new(&"mix".parse().unwrap(), collection, "task/\u{0}/左");
            assert_eq!(Key::from_bytes(&key.to_bytes()), Some(key));
        }
        for bytes in [&b""[..], b"d", b"dmix", b"?mix\0x", b"dPING\0x", b"dmix\0\xff"] {
            assert_eq!(Key::from_bytes(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_range_holds_what_begins_so_and_nothing_else() {
        let namespace: Namespace = "a".parse().unwrap();
        let range = Range::Prefix { collection: Collection::Data, namespace: namespace.clone(), prefix: "x/".into() };
        let (start, end) = range.bounds();
        for (name, want) in [("x/", true), ("x/\u{10ffff}", true), ("x", false), ("x0", false), ("y", false)] {
            let key = Key::new(&namespace, Collection::Data, name).to_bytes();
            assert_eq!(start <= key && key < end, want, "{name}");
        }
        let (start, end) = Range::Everywhere(Collection::Data).bounds();
        for (key, want) in [
            (Key::new(&"0".parse().unwrap(), Collection::Data, ""), true),
            (Key::new(&"zz".parse().unwrap(), Collection::Data, "\u{10ffff}"), true),
            (Key::new(&namespace, Collection::Egress, ""), false),
        ] {
            let bytes = key.to_bytes();
            assert_eq!(start <= bytes && bytes < end, want, "{key}");
        }
    }
}
