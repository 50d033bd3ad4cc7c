//! Which media apps are whose.
//!
//! An app is the first segment of an address. A plugin owns those it is named for; `*` takes what
//! nobody else names.

use std::collections::BTreeSet;
use std::sync::Arc;

const EVERYTHING: &str = "*";

/// The apps of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Apps {
    named: BTreeSet<String>,
    has_rest: bool,
    named_by_all: Arc<BTreeSet<String>>,
}

impl Apps {
    /// `named_by_all` holds what any plugin names.
    pub(crate) fn new(own: &[String], named_by_all: Arc<BTreeSet<String>>) -> Self {
        let (rest, named): (Vec<&String>, Vec<&String>) = own.iter().partition(|app| *app == EVERYTHING);
        Self { named: named.into_iter().cloned().collect(), has_rest: !rest.is_empty(), named_by_all }
    }

    /// Is this app the plugin's?
    pub(crate) fn owns(&self, app: &str) -> bool {
        self.named.contains(app) || (self.has_rest && !self.named_by_all.contains(app))
    }
}

/// Is this a name, not the star?
pub(crate) fn is_named(app: &str) -> bool {
    app != EVERYTHING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_star_takes_what_nobody_names() {
        let all = Arc::new(BTreeSet::from(["a".to_owned(), "b".to_owned()]));
        let first = Apps::new(&["a".into(), "*".into()], Arc::clone(&all));
        let second = Apps::new(&["b".into()], all);
        for (app, is_first, is_second) in [("a", true, false), ("b", false, true), ("c", true, false)] {
            assert_eq!((first.owns(app), second.owns(app)), (is_first, is_second), "{app}");
        }
    }
}
