//! Watches one component's file for another content.
//!
//! A file is written in pieces: a content is worth taking when two looks in a row have found it. One
//! that was tried and refused is not tried again until something else lies there.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::content_hash::ContentHash;

/// A file that changed this long ago cannot change again within the same tick of its clock.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// What lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Bytes.
    Component(ContentHash),
    /// No file, or none that can be read.
    Nothing,
}

/// What follows from a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// What serves lies there.
    Serving,
    /// What the operator went back from lies there.
    Pinned,
    /// This should serve.
    Take(Sight),
    /// It may still change, or was refused before.
    Wait,
}

/// What was seen of one file so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Lookout {
    /// Spares reading a file that has not changed.
    settled: Option<(Stamp, ContentHash)>,
    seen: Option<Sight>,
    refused: Option<Sight>,
    pinned_against: Option<ContentHash>,
}

/// Changes with the content, by the file system's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Lookout {
    /// Looks, and says whether what it finds should serve in the place of `serving`.
    pub(crate) fn look(&mut self, path: &Path, serving: ContentHash) -> Finding {
        let sight = self.sight(path);
        self.judge(sight, serving)
    }

    /// Remembers that this cannot serve.
    pub(crate) fn refuse(&mut self, sight: Sight) {
        self.refused = Some(sight);
    }

    /// Remembers that the operator does not want this one; `None`: he wants what comes.
    pub(crate) fn pin_against(&mut self, component: Option<ContentHash>) {
        self.pinned_against = component;
    }

    /// Something has changed elsewhere: what was refused may fit.
    pub(crate) fn forget_refusal(&mut self) {
        self.refused = None;
    }

    fn judge(&mut self, sight: Sight, serving: ContentHash) -> Finding {
        if sight == Sight::Component(serving) {
            (self.seen, self.refused) = (None, None);
            return Finding::Serving;
        }
        if self.pinned_against.is_some_and(|pinned| sight == Sight::Component(pinned)) {
            (self.seen, self.refused) = (None, None);
            return Finding::Pinned;
        }
        if self.refused == Some(sight) || self.seen.replace(sight) != Some(sight) {
            return Finding::Wait;
        }
        self.seen = None;
        Finding::Take(sight)
    }

    fn sight(&mut self, path: &Path) -> Sight {
        let read = || -> std::io::Result<(Stamp, Option<ContentHash>)> {
            let mut file = File::open(path)?;
            let stamp = Stamp::new(&file.metadata()?);
            if self.settled.is_some_and(|(known, _)| known == stamp) {
                return Ok((stamp, None));
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok((stamp, Some(ContentHash::of(&bytes))))
        };
        match (read(), self.settled) {
            (Ok((_, None)), Some((_, hash))) => Sight::Component(hash),
            (Ok((stamp, Some(hash))), _) => {
                self.settled = stamp.is_settled().then_some((stamp, hash));
                Sight::Component(hash)
            }
            (Err(_) | Ok((_, None)), _) => Sight::Nothing,
        }
    }
}

impl Stamp {
    fn new(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn is_settled(&self) -> bool {
        let changed = UNIX_EPOCH + Duration::from_secs(u64::try_from(self.changed.0).unwrap_or(0));
        SystemTime::now().duration_since(changed).is_ok_and(|ago| ago > SETTLED_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_taken_when_it_held_still_and_tried_once() {
        let [old, half, new] = ["old", "half", "new"].map(|text| ContentHash::of(text.as_bytes()));
        let component = Sight::Component;
        let mut lookout = Lookout::default();
        for (what, sight, want) in [
            ("nothing has changed", component(old), Finding::Serving),
            ("it is being written", component(half), Finding::Wait),
            ("it grows", component(new), Finding::Wait),
            ("it held still", component(new), Finding::Take(component(new))),
            ("not taken meanwhile: once more", component(new), Finding::Wait),
            ("and again", component(new), Finding::Take(component(new))),
            ("away for a moment", Sight::Nothing, Finding::Wait),
            ("back", component(new), Finding::Wait),
            ("still there", component(new), Finding::Take(component(new))),
            ("gone", Sight::Nothing, Finding::Wait),
            ("gone for good", Sight::Nothing, Finding::Take(Sight::Nothing)),
        ] {
            assert_eq!(lookout.judge(sight, old), want, "{what}");
        }
        lookout.refuse(component(half));
        for look in 0..5 {
            assert_eq!(lookout.judge(component(half), old), Finding::Wait, "refused, look {look}");
        }
        assert_eq!(lookout.judge(component(old), old), Finding::Serving, "repaired");
        assert_eq!(lookout.judge(component(half), old), Finding::Wait);
        assert_eq!(lookout.judge(component(half), old), Finding::Take(component(half)), "put there again");
        lookout.pin_against(Some(new));
        for look in 0..5 {
            assert_eq!(lookout.judge(component(new), old), Finding::Pinned, "the operator went back, look {look}");
        }
    }

    #[test]
    fn a_file_is_seen_as_it_is_whenever_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let mut lookout = Lookout::default();
        assert_eq!(lookout.sight(&path), Sight::Nothing);
        for round in 0..50_u32 {
            let bytes = round.to_le_bytes();
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(lookout.sight(&path), Sight::Component(ContentHash::of(&bytes)), "as long as before");
        }
        let old = SystemTime::now() - Duration::from_secs(3600);
        File::options().append(true).open(&path).unwrap().set_modified(old).unwrap();
        assert_eq!(lookout.sight(&path), Sight::Component(ContentHash::of(&49_u32.to_le_bytes())));
    }
}
