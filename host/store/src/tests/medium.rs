//! A disk that counts, waits, fails and forgets on demand.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use redb::{Database, StorageBackend};

use crate::database::Opener;
use crate::usage::Ceiling;
use crate::{OpenError, Store};

#[derive(Debug, Clone, Default)]
pub(crate) struct Medium(Arc<(Mutex<Content>, Condvar)>);

#[derive(Debug, Default, Clone)]
struct Content {
    /// What survives a crash for certain.
    synced: Vec<u8>,
    /// What reads see.
    current: Vec<u8>,
    /// What may survive, in any combination.
    pending: Vec<Write>,
    syncs: u32,
    writes_left: Option<u32>,
    is_held: bool,
}

#[derive(Debug, Clone)]
enum Write {
    Len(u64),
    Data(u64, Vec<u8>),
}

impl Medium {
    pub(crate) fn open(&self) -> Result<Store, OpenError> {
        self.open_below(Ceiling::default())
    }

    pub(crate) fn open_below(&self, ceiling: Ceiling) -> Result<Store, OpenError> {
        let medium = self.clone();
        let opener: Opener = Box::new(move || Database::builder().create_with_backend(medium.clone()));
        Store::start(opener, Path::new("medium").to_owned(), ceiling)
    }

    pub(crate) fn syncs(&self) -> u32 {
        self.content().syncs
    }

    /// Lets syncs wait until [`Self::release`].
    pub(crate) fn hold(&self) {
        self.content().is_held = true;
    }

    pub(crate) fn release(&self) {
        self.content().is_held = false;
        self.0.1.notify_all();
    }

    /// After so many writes, everything fails.
    pub(crate) fn fail_after(&self, writes: Option<u32>) {
        self.content().writes_left = writes;
    }

    /// What a crash leaves: all that was synced, and of the rest what chance likes, torn where it likes.
    pub(crate) fn crashed(&self, chance: &mut Chance) -> Self {
        let content = self.content().clone();
        let mut bytes = content.synced;
        for write in content.pending {
            match write {
                _ if chance.below(3) == 0 => {}
                Write::Data(at, data) if chance.below(4) == 0 => tear(&mut bytes, at, &data, chance),
                write => write.apply(&mut bytes),
            }
        }
        let content = Content { synced: bytes.clone(), current: bytes, ..Content::default() };
        Self(Arc::new((Mutex::new(content), Condvar::new())))
    }

    /// Replaces every occurrence of a pattern, behind everybody's back.
    pub(crate) fn overwrite(&self, old: &[u8], new: &[u8]) {
        let mut content = self.content();
        for at in 0..content.current.len().saturating_sub(old.len()) {
            if content.current[at..].starts_with(old) {
                content.current[at..at + new.len()].copy_from_slice(new);
            }
        }
    }

    /// Turns one bit of the file, behind everybody's back.
    pub(crate) fn turn_a_bit(&self, chance: &mut Chance) {
        let mut content = self.content();
        let len = u32::try_from(content.current.len()).unwrap();
        let at = chance.below(len) as usize;
        content.current[at] ^= 1 << chance.below(8);
    }

    fn content(&self) -> std::sync::MutexGuard<'_, Content> {
        self.0.0.lock().unwrap()
    }
}

impl Content {
    fn write(&mut self, write: Write) -> io::Result<()> {
        if let Some(left) = &mut self.writes_left {
            *left = left.checked_sub(1).ok_or_else(full)?;
        }
        write.clone().apply(&mut self.current);
        self.pending.push(write);
        Ok(())
    }
}

impl Write {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Len(len) => bytes.resize(usize::try_from(len).unwrap(), 0),
            Self::Data(at, data) => write_at(bytes, at, &data),
        }
    }
}

impl StorageBackend for Medium {
    fn len(&self) -> io::Result<u64> {
        Ok(self.content().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        let content = self.content();
        out.copy_from_slice(content.current.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.content().write(Write::Len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut content = self.0.1.wait_while(self.content(), |content| content.is_held).unwrap();
        if content.writes_left == Some(0) {
            return Err(full());
        }
        content.syncs += 1;
        content.synced = content.current.clone();
        content.pending.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.content().write(Write::Data(offset, data.to_vec()))
    }
}

fn write_at(bytes: &mut Vec<u8>, at: u64, data: &[u8]) {
    let at = usize::try_from(at).unwrap();
    if bytes.len() < at + data.len() {
        bytes.resize(at + data.len(), 0);
    }
    bytes[at..at + data.len()].copy_from_slice(data);
}

/// Its head or its tail arrives, cut anywhere.
fn tear(bytes: &mut Vec<u8>, at: u64, data: &[u8], chance: &mut Chance) {
    let cut = chance.below(u32::try_from(data.len()).unwrap() + 1) as usize;
    if chance.below(2) == 0 {
        write_at(bytes, at, &data[..cut]);
    } else {
        write_at(bytes, at + cut as u64, &data[cut..]);
    }
}

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

/// Numbers that look random and come again with their seed (xorshift64*).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        u32::try_from(high % u64::from(end)).unwrap()
    }
}
