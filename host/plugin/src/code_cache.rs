//! Compiled code on disk, so that a component is compiled once per engine and not at every start; and
//! the components themselves, to go back to.
//!
//! A file's name says which component and which engine (its version, its settings, the processor's
//! abilities); its seal says that this host wrote it. Whatever does not open is as good as not there:
//! it is counted and compiled again.

use std::fs::{self, DirBuilder, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_lc_rs::digest;
use heliu_model::Namespace;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::code::Code;
use crate::content_hash::{ContentHash, hex};
use crate::stats::Counter;

mod past;
mod seal;

pub(crate) use past::History;
use past::Past;
use seal::{Seal, write_whole};

const KEY: &str = "key";
const CODE: &str = "code";
/// Of a file that is being written.
const PART: &str = "part";
/// Digits of the engine's hash in a file's name; the seal knows all of them.
const ENGINE_DIGITS: usize = 16;
/// Nobody's component is that long compiled; a longer file is not ours.
const FILE_LEN_MAX: u64 = 1 << 30;

/// The files of one folder.
pub struct CodeCache {
    dir: PathBuf,
    seal: Seal,
    past: Past,
    files_max: usize,
    counters: Counters,
}

/// What the cache was good for, in numbers that only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Components that did not need the compiler.
    pub hits: u64,
    /// Components nobody had compiled for this engine.
    pub misses: u64,
    /// Files that did not open: cut, changed, sealed by another host, refused by the engine.
    pub ignored: u64,
    /// Code, components and records that could not be written.
    pub unwritten: u64,
}

#[derive(Default)]
struct Counters {
    hits: Counter,
    misses: Counter,
    ignored: Counter,
    unwritten: Counter,
}

impl CodeCache {
    /// Makes the folder and its key if they are not there. Keeps the code of the `files_max` components
    /// that were used last, beside those a plugin serves with or can go back to.
    ///
    /// # Errors
    /// The folder or the key cannot be made or read.
    pub fn open(dir: &Path, files_max: usize) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        for path in files(dir, PART)? {
            fs::remove_file(path)?;
        }
        let seal = Seal::with_key_file(&dir.join(KEY))?;
        Ok(Self { dir: dir.to_owned(), seal, past: Past::new(dir), files_max, counters: Counters::default() })
    }

    /// What it was good for so far.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let Counters { hits, misses, ignored, unwritten } = &self.counters;
        CacheStats {
            hits: hits.value(),
            misses: misses.value(),
            ignored: ignored.value(),
            unwritten: unwritten.value(),
        }
    }

    /// The component, if its code is here, whole, ours, and made for this engine.
    pub(crate) fn get(&self, engine: &Engine, component: &ContentHash) -> Option<Component> {
        let entry = Entry::new(engine, component);
        let path = self.dir.join(&entry.file);
        let sealed = match read(&path, FILE_LEN_MAX) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.counters.misses.increment();
                return None;
            }
            Err(error) => return self.ignore(&path, &error),
        };
        let Some(code) = self.seal.open(&entry.label, sealed) else {
            return self.ignore(&path, &"it is not whole, or not of this host");
        };
        match Code::vouched(code).load(engine) {
            Ok(component) => {
                self.counters.hits.increment();
                touch(&path);
                Some(component)
            }
            Err(error) => self.ignore(&path, &error),
        }
    }

    /// Keeps the code for the next time. A disk that does not take it costs the next start some time.
    pub(crate) fn put(&self, engine: &Engine, component: &ContentHash, code: &Code) {
        let entry = Entry::new(engine, component);
        let sealed = self.seal.close(&entry.label, code.bytes());
        let written = write_whole(&self.dir.join(entry.file), &sealed).and_then(|()| self.prune());
        self.tell(written);
    }

    /// What is known of the components a plugin had.
    pub(crate) fn history(&self, plugin: &Namespace) -> Option<History> {
        self.past.history(&self.seal, plugin)
    }

    /// A component that served once.
    pub(crate) fn component(&self, component: ContentHash) -> Option<Vec<u8>> {
        self.past.component(component)
    }

    /// Remembers what serves, for the next start and for going back.
    pub(crate) fn served(&self, plugin: &Namespace, component: ContentHash, bytes: &[u8]) {
        let kept = self.past.keep(component, bytes);
        let kept = kept.and_then(|()| self.past.served(&self.seal, plugin, component));
        self.tell(kept.and_then(|()| self.past.prune()));
    }

    /// Remembers that the operator went back while `file` lay in the file.
    pub(crate) fn gone_back(&self, plugin: &Namespace, file: ContentHash) {
        self.tell(self.past.gone_back(&self.seal, plugin, file));
    }

    /// A full disk costs the next start some time, and perhaps a way back; nobody's call.
    fn tell(&self, written: io::Result<()>) {
        if let Err(error) = written {
            self.counters.unwritten.increment();
            tracing::warn!(%error, dir = %self.dir.display(), "compiled components cannot be kept");
        }
    }

    fn ignore(&self, path: &Path, why: &dyn std::fmt::Display) -> Option<Component> {
        self.counters.ignored.increment();
        tracing::warn!(file = %path.display(), why = %why, "kept code is ignored");
        None
    }

    fn prune(&self) -> io::Result<()> {
        let needed: Vec<String> = self.past.needed().iter().map(ToString::to_string).collect();
        let is_needed = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            needed.iter().any(|component| name.starts_with(component))
        };
        let mut dated = Vec::new();
        for path in files(&self.dir, CODE)?.into_iter().filter(|path| !is_needed(path)) {
            dated.push((fs::metadata(&path)?.modified()?, path));
        }
        dated.sort();
        let too_many = dated.len().saturating_sub(self.files_max);
        dated[..too_many].iter().try_for_each(|(_, path)| fs::remove_file(path))
    }
}

/// One component for one engine.
struct Entry {
    file: String,
    label: String,
}

impl Entry {
    fn new(engine: &Engine, component: &ContentHash) -> Self {
        let mut hasher = EngineHasher(digest::Context::new(&digest::SHA256));
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine = hex(hasher.0.finish().as_ref());
        let file = format!("{component}-{}.{CODE}", &engine[..ENGINE_DIGITS]);
        Self { file, label: format!("code {component} {engine}") }
    }
}

/// All bits of what the engine tells a hasher: 64 of them could meet by chance.
struct EngineHasher(digest::Context);

impl Hasher for EngineHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.clone().finish();
        let first = hash.as_ref().first_chunk().expect("SHA-256 is longer than 64 bits");
        u64::from_le_bytes(*first)
    }
}

fn read(path: &Path, len_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(len_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Says when it was used last; only the order of forgetting depends on it.
fn touch(path: &Path) {
    let touched = File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = touched {
        tracing::debug!(%error, file = %path.display(), "kept code cannot be dated");
    }
}

fn files(dir: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    Ok(found)
}
