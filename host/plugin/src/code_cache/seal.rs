//! The host's own mark on what it has written for itself.
//!
//! `magic ‖ HMAC-SHA-256(key, magic ‖ length of the label ‖ label ‖ content) ‖ content`. The label says
//! what the content is (which component, which engine) and is not written down: who opens names it, so
//! a file under another's name does not open.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

const MAGIC: &[u8; 16] = b"heliu sealed 1\r\n";
const TAG_LEN: usize = 32;
const KEY_LEN: usize = 32;
/// For nobody but the host.
const PRIVATE: u32 = 0o600;

/// Seals and opens.
pub(super) struct Seal(hmac::Key);

impl Seal {
    /// With the key in this file. A file that is not there, has another length, or that others can read
    /// is made anew: what was sealed with another key opens no more.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(super) fn with_key_file(path: &Path) -> io::Result<Self> {
        let key = match read_key(path)? {
            Some(key) => key,
            None => make_key(path)?,
        };
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// The content with its mark.
    pub(super) fn close(&self, label: &str, content: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(MAGIC.len() + TAG_LEN + content.len());
        sealed.extend_from_slice(MAGIC);
        sealed.extend_from_slice(self.tag(label, content).as_ref());
        sealed.extend_from_slice(content);
        sealed
    }

    /// The content, if it was sealed under this label with this key.
    pub(super) fn open(&self, label: &str, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let (magic, rest) = sealed.split_first_chunk::<{ MAGIC.len() }>()?;
        let (tag, content) = rest.split_first_chunk::<TAG_LEN>()?;
        if magic != MAGIC {
            return None;
        }
        verify_slices_are_equal(tag, self.tag(label, content).as_ref()).ok()?;
        sealed.drain(..MAGIC.len() + TAG_LEN);
        Some(sealed)
    }

    fn tag(&self, label: &str, content: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        let label_len = u64::try_from(label.len()).expect("a length fits into 64 bits");
        for part in [MAGIC.as_slice(), &label_len.to_le_bytes(), label.as_bytes(), content] {
            context.update(part);
        }
        context.sign()
    }
}

fn read_key(path: &Path) -> io::Result<Option<[u8; KEY_LEN]>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    let is_private = metadata.mode() & 0o077 == 0;
    if !is_private || metadata.len() != KEY_LEN as u64 {
        tracing::warn!(is_private, len = metadata.len(), "the key of the compiled code is replaced");
        return Ok(None);
    }
    let mut key = [0; KEY_LEN];
    file.read_exact(&mut key)?;
    Ok(Some(key))
}

fn make_key(path: &Path) -> io::Result<[u8; KEY_LEN]> {
    let mut key = [0; KEY_LEN];
    getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
    write_whole(path, &key)?;
    Ok(key)
}

/// Writes a private file that is there whole or not at all, also after a crash.
///
/// # Errors
/// The disk's.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = path.with_added_extension(super::PART);
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&part)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_what_was_sealed_opens_and_only_under_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let seal = Seal::with_key_file(&dir.path().join("key")).unwrap();
        let sealed = seal.close("a", b"content");
        assert_eq!(seal.open("a", sealed.clone()).as_deref(), Some(b"content".as_slice()));
        assert_eq!(seal.open("b", sealed.clone()), None, "under another name");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(seal.open("a", changed), None, "byte {at} changed");
            assert_eq!(seal.open("a", sealed[..at].to_vec()), None, "cut at {at}");
        }
        assert_eq!(seal.open("a", [sealed, vec![0]].concat()), None, "grown");
    }

    #[test]
    fn the_key_stays_unless_others_may_have_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let first = Seal::with_key_file(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, PRIVATE);
        let sealed = first.close("a", b"content");
        let opens = || Seal::with_key_file(&path).unwrap().open("a", sealed.clone()).is_some();
        assert!(opens(), "the same key after a restart");

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(!opens(), "a key that others can read is replaced");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, PRIVATE);

        std::fs::write(&path, b"short").unwrap();
        let seal = Seal::with_key_file(&path).unwrap();
        assert!(seal.open("a", seal.close("a", b"content")).is_some(), "a broken key is replaced");
    }
}
