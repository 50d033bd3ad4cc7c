//! Which components served, and the components themselves: what a plugin can go back to.
//!
//! Components are kept as they were read, not as code: another engine can compile them again. What was
//! decided about them survives a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use heliu_model::Namespace;
use serde::{Deserialize, Serialize};

use super::seal::{Seal, write_whole};
use crate::content_hash::ContentHash;

const HISTORY: &str = "history";
const COMPONENT: &str = "wasm";
/// A history is a few hashes.
const HISTORY_LEN_MAX: u64 = 4096;

/// What one plugin remembers of its components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    /// Served last.
    serving: ContentHash,
    /// Served before it.
    previous: Option<ContentHash>,
    /// Lay in the file when the operator went back: not to be taken while it lies there.
    pinned_against: Option<ContentHash>,
}

/// The files of the past.
pub(super) struct Past {
    dir: PathBuf,
    histories: Mutex<BTreeMap<Namespace, History>>,
}

impl History {
    /// Of a plugin whose first component this is.
    fn first(serving: ContentHash) -> Self {
        Self { serving, previous: None, pinned_against: None }
    }

    /// After this component has come into service.
    fn served(self, component: ContentHash) -> Self {
        let previous = if component == self.serving { self.previous } else { Some(self.serving) };
        Self { serving: component, previous, pinned_against: None }
    }

    /// After the operator went back, while `file` lay in the file; the same once more goes forward again.
    fn gone_back(self, file: ContentHash) -> Self {
        let Some(previous) = self.previous else { return self };
        let pinned_against = (file != previous).then_some(file);
        Self { serving: previous, previous: Some(self.serving), pinned_against }
    }

    /// What the operator went back to, if `file` is what he went back from.
    pub(crate) fn instead_of(&self, file: ContentHash) -> Option<ContentHash> {
        (self.pinned_against == Some(file)).then_some(self.serving)
    }

    /// What can be gone back to.
    pub(crate) fn previous(&self) -> Option<ContentHash> {
        self.previous
    }
}

impl Past {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), histories: Mutex::default() }
    }

    /// What is known of a plugin; one that does not open is as good as not there.
    pub(super) fn history(&self, seal: &Seal, plugin: &Namespace) -> Option<History> {
        if let Some(history) = self.histories().get(plugin) {
            return Some(*history);
        }
        let sealed = super::read(&self.history_file(plugin), HISTORY_LEN_MAX).ok()?;
        let history = seal.open(&label(plugin), sealed).and_then(|text| serde_json::from_slice(&text).ok());
        if history.is_none() {
            tracing::warn!(%plugin, "what served before is not known: its record does not open");
        }
        let history: History = history?;
        self.histories().insert(plugin.clone(), history);
        Some(history)
    }

    /// Remembers that this component serves.
    pub(super) fn served(&self, seal: &Seal, plugin: &Namespace, component: ContentHash) -> io::Result<()> {
        let before = self.history(seal, plugin);
        let history = before.map_or_else(|| History::first(component), |before| before.served(component));
        self.remember(seal, plugin, history)
    }

    /// Remembers that the operator went back.
    pub(super) fn gone_back(&self, seal: &Seal, plugin: &Namespace, file: ContentHash) -> io::Result<()> {
        let Some(history) = self.history(seal, plugin) else { return Ok(()) };
        self.remember(seal, plugin, history.gone_back(file))
    }

    fn remember(&self, seal: &Seal, plugin: &Namespace, history: History) -> io::Result<()> {
        if self.histories().insert(plugin.clone(), history) == Some(history) {
            return Ok(());
        }
        let text = serde_json::to_vec(&history)?;
        write_whole(&self.history_file(plugin), &seal.close(&label(plugin), &text))
    }

    /// Keeps a component's bytes.
    pub(super) fn keep(&self, component: ContentHash, bytes: &[u8]) -> io::Result<()> {
        let path = self.component_file(component);
        if super::read(&path, super::FILE_LEN_MAX).is_ok_and(|kept| kept == bytes) {
            return Ok(());
        }
        write_whole(&path, bytes)
    }

    /// A component's bytes; they prove themselves.
    pub(super) fn component(&self, component: ContentHash) -> Option<Vec<u8>> {
        let bytes = super::read(&self.component_file(component), super::FILE_LEN_MAX).ok()?;
        (ContentHash::of(&bytes) == component).then_some(bytes)
    }

    /// What no bound on files may take away.
    pub(super) fn needed(&self) -> BTreeSet<ContentHash> {
        self.histories().values().flat_map(|history| [Some(history.serving), history.previous]).flatten().collect()
    }

    /// Forgets components nobody can go back to.
    pub(super) fn prune(&self) -> io::Result<()> {
        let needed: BTreeSet<PathBuf> = self.needed().into_iter().map(|hash| self.component_file(hash)).collect();
        let kept = super::files(&self.dir, COMPONENT)?;
        kept.iter().filter(|path| !needed.contains(*path)).try_for_each(fs::remove_file)
    }

    fn history_file(&self, plugin: &Namespace) -> PathBuf {
        self.dir.join(format!("{plugin}.{HISTORY}"))
    }

    fn component_file(&self, component: ContentHash) -> PathBuf {
        self.dir.join(format!("{component}.{COMPONENT}"))
    }

    fn histories(&self) -> MutexGuard<'_, BTreeMap<Namespace, History>> {
        self.histories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn label(plugin: &Namespace) -> String {
    format!("history {plugin}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_twice_goes_forward_and_a_pin_holds_for_one_file() {
        let [a, b, c] = ["a", "b", "c"].map(|text| ContentHash::of(text.as_bytes()));
        let history = History::first(a).served(a);
        assert_eq!((history.previous(), history.instead_of(a)), (None, None), "the first one, twice");
        assert_eq!(history.gone_back(a), history, "there is nothing to go back to");

        let history = history.served(b).gone_back(b);
        assert_eq!((history.serving, history.previous()), (a, Some(b)));
        assert_eq!((history.instead_of(b), history.instead_of(c)), (Some(a), None), "pinned against b only");

        let forward = history.gone_back(b);
        assert_eq!((forward.serving, forward.previous(), forward.instead_of(b)), (b, Some(a), None));
        let next = history.served(c);
        assert_eq!((next.serving, next.previous(), next.instead_of(b)), (c, Some(a), None));
    }
}
