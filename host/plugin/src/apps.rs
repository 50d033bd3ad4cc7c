//! Which media apps are whose.
//!
//! An app is the first segment of an address. A plugin owns those it is named for; `*` takes what
//! nobody else names. One table for all plugins, replaced as a whole when a component is.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use heliu_model::Namespace;

const EVERYTHING: &str = "*";

/// Each app with its owner.
#[derive(Debug, Default)]
pub(crate) struct Apps(RwLock<Arc<BTreeMap<String, Namespace>>>);

impl Apps {
    /// From this moment on.
    pub(crate) fn replace(&self, owners: BTreeMap<String, Namespace>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(owners);
    }

    /// Is this app the plugin's?
    pub(crate) fn is_of(&self, app: &str, plugin: &Namespace) -> bool {
        let owners = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        owners.get(app).or_else(|| owners.get(EVERYTHING)) == Some(plugin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_star_takes_what_nobody_names() {
        let [first, second]: [Namespace; 2] = ["first", "second"].map(|name| name.parse().unwrap());
        let apps = Apps::default();
        assert!(!apps.is_of("a", &first), "nobody's");
        let owners = [("a", &first), ("*", &first), ("b", &second)];
        apps.replace(owners.map(|(app, owner)| (app.to_owned(), owner.clone())).into());
        for (app, is_first, is_second) in [("a", true, false), ("b", false, true), ("c", true, false)] {
            assert_eq!((apps.is_of(app, &first), apps.is_of(app, &second)), (is_first, is_second), "{app}");
        }
    }
}
