//! Whose a path is on one listener, and which of the plugin's routes it means (architecture §4).
//!
//! A pure value: method and raw path in, route or owner out. What lies before it (the host's own
//! paths) and behind it (media files of an app) is the HTTP edge's order of questions.

use std::fmt;
use std::sync::Arc;

use crate::descriptor::Descriptor;
use crate::generation::Generation;
use crate::template::{Template, split_path};

/// All routes of the plugins on one listener.
pub struct Router<P = Generation> {
    entries: Vec<Entry<P>>,
    owners: Vec<Owner<P>>,
}

struct Entry<P> {
    plugin: Arc<P>,
    id: String,
    method: String,
    template: Template,
}

struct Owner<P> {
    plugin: Arc<P>,
    prefixes: Vec<Vec<String>>,
}

/// What a router asks of a plugin.
pub trait Routed {
    /// Its routes.
    fn descriptor(&self) -> &Descriptor;
    /// Where they begin: empty, or `/prefix`.
    fn base(&self) -> &str;
}

/// What a method and path mean.
pub enum Found<'a, P = Generation> {
    /// One route.
    Route {
        /// Whose.
        plugin: &'a Arc<P>,
        /// `Route::id`.
        route: &'a str,
        /// Percent-decoded values of the template's names.
        params: Vec<(String, String)>,
    },
    /// The path is there, the method is not; also for `HEAD` and `OPTIONS`, which no plugin serves.
    MethodNotAllowed {
        /// Whose.
        plugin: &'a Arc<P>,
        /// Methods of the path in alphabetical order, without `HEAD` and `OPTIONS`; `*` for any.
        allow: Vec<&'a str>,
    },
    /// Nobody has this path.
    NoRoute {
        /// Whose it would be; `None`: the host's.
        owner: Option<&'a Arc<P>>,
    },
}

impl Routed for Generation {
    fn descriptor(&self) -> &Descriptor {
        self.descriptor()
    }

    fn base(&self) -> &str {
        self.base()
    }
}

impl<P: Routed> Router<P> {
    /// Takes the plugins of one listener.
    pub fn new<'a>(plugins: impl IntoIterator<Item = &'a Arc<P>>) -> Self
    where
        P: 'a,
    {
        let mut router = Self { entries: Vec::new(), owners: Vec::new() };
        for plugin in plugins {
            router.add(plugin);
        }
        // Stable: what is equally specific never matches the same path.
        router.entries.sort_by(|a, b| a.template.cmp_specificity(&b.template));
        router
    }

    fn add(&mut self, plugin: &Arc<P>) {
        let mut prefixes = Vec::new();
        for route in &plugin.descriptor().routes {
            let path = format!("{}{}", plugin.base(), route.template);
            let template = Template::parse(&path).expect("load has checked base and template");
            prefixes.push(template.literals().map(str::to_owned).collect());
            let (id, method) = (route.id.clone(), route.method.clone());
            self.entries.push(Entry { plugin: Arc::clone(plugin), id, method, template });
        }
        self.owners.push(Owner { plugin: Arc::clone(plugin), prefixes });
    }

    /// Finds what `method` (upper case) and a raw path mean.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Found<'_, P> {
        let Some(segments) = split_path(path) else { return Found::NoRoute { owner: self.owner(&[]) } };
        let matching = self.entries.iter().filter_map(|entry| Some((entry, entry.template.match_segments(&segments)?)));
        let matching: Vec<_> = matching.collect();
        let may_any = !matches!(method, "HEAD" | "OPTIONS");
        // A route of this very method comes before one of every method on the same template.
        let exact = matching.iter().find(|(entry, _)| entry.method == method);
        let any = matching.iter().find(|(entry, _)| entry.method == "*" && may_any);
        let best = match (exact, any) {
            (Some(exact), Some(any)) if any.0.template.cmp_specificity(&exact.0.template).is_lt() => Some(any),
            (exact, any) => exact.or(any),
        };
        if let Some((entry, params)) = best {
            return Found::Route { plugin: &entry.plugin, route: &entry.id, params: params.clone() };
        }
        let Some((first, _)) = matching.first() else { return Found::NoRoute { owner: self.owner(&segments) } };
        let own = matching.iter().filter(|(entry, _)| Arc::ptr_eq(&entry.plugin, &first.plugin));
        let mut allow: Vec<&str> = own.map(|(entry, _)| entry.method.as_str()).collect();
        allow.sort_unstable();
        allow.dedup();
        Found::MethodNotAllowed { plugin: &first.plugin, allow }
    }

    /// The plugin with the longest literal route prefix in common; on a tie or none the listener's
    /// only one.
    fn owner(&self, segments: &[String]) -> Option<&Arc<P>> {
        let lens: Vec<usize> = self.owners.iter().map(|owner| owner.common_len(segments)).collect();
        let longest = lens.iter().copied().max().unwrap_or(0);
        let mut nearest = self.owners.iter().zip(lens).filter(|(_, len)| *len == longest && longest > 0);
        match (nearest.next(), nearest.next()) {
            (Some((owner, _)), None) => Some(&owner.plugin),
            _ => match self.owners.as_slice() {
                [only] => Some(&only.plugin),
                _ => None,
            },
        }
    }
}

impl<P> Owner<P> {
    fn common_len(&self, segments: &[String]) -> usize {
        let common = |prefix: &Vec<String>| prefix.iter().zip(segments).take_while(|(a, b)| a == b).count();
        self.prefixes.iter().map(common).max().unwrap_or(0)
    }
}

impl<P> fmt::Debug for Router<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.entries.iter().map(|entry| format!("{} {}", entry.method, entry.template));
        f.debug_list().entries(routes).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::{Face, Route};

    #[test]
    fn paths_find_their_route_or_their_owner() {
        let router = router_of(&[
            one("a", "", &["GET /mix/{id}", "POST /mix/living", "DELETE /mix/{id}", "* /files/{rest...}"]),
            one("b", "/v1", &["GET /mix/{id}", "* /mix/all"]),
        ]);
        for (method, path, want) in [
            ("GET", "/mix/7", "a GET /mix/{id} id=7"),
            ("GET", "/mix/7/", "a GET /mix/{id} id=7"),
            ("GET", "/mix/a%2Fb", "a GET /mix/{id} id=a/b"),
            ("POST", "/mix/living", "a POST /mix/living"),
            ("GET", "/mix/living", "a GET /mix/{id} id=living"),
            ("PUT", "/mix/living", "a 405 DELETE,GET,POST"),
            ("PUT", "/mix/7", "a 405 DELETE,GET"),
            ("HEAD", "/mix/7", "a 405 DELETE,GET"),
            ("PATCH", "/files/x/y", "a * /files/{rest...} rest=x/y"),
            ("OPTIONS", "/files/x/y", "a 405 *"),
            ("GET", "/v1/mix/7", "b GET /mix/{id} id=7"),
            ("GET", "/v1/mix/all", "b * /mix/all"),
            ("GET", "/mix", "a 404"),
            ("GET", "/v1/x", "b 404"),
            ("GET", "/x", "host 404"),
            ("GET", "/mix/%ff", "host 404"),
            ("GET", "*", "host 404"),
        ] {
            assert_eq!(text_of(&router.find(method, path)), want, "{method} {path}");
        }
    }

    #[test]
    fn the_only_plugin_of_a_listener_owns_what_nobody_has() {
        let router = router_of(&[one("a", "", &["GET /x"])]);
        assert_eq!(text_of(&router.find("GET", "/y")), "a 404");
        assert_eq!(text_of(&router_of(&[]).find("GET", "/y")), "host 404");
    }

    struct Fake {
        name: String,
        base: String,
        descriptor: Descriptor,
    }

    impl Routed for Fake {
        fn descriptor(&self) -> &Descriptor {
            &self.descriptor
        }

        fn base(&self) -> &str {
            &self.base
        }
    }

    fn one(name: &str, base: &str, routes: &[&str]) -> Arc<Fake> {
        let route = |text: &&str| {
            let (method, path) = text.split_once(' ').unwrap();
            Route {
                id: (*text).to_owned(),
                method: method.to_owned(),
                template: Template::parse(path).unwrap(),
                serialize: vec![],
                headers: None,
                body_len_max: 0,
                time_ms_max: None,
                openapi: None,
            }
        };
        let descriptor = Descriptor {
            name: name.to_owned(),
            version: String::new(),
            sdk: String::new(),
            routes: routes.iter().map(route).collect(),
            faces: vec![Face { path: "/".into(), headers: vec![], cors: None, faults: vec![] }],
            request_id: None,
            apps: vec![],
            events: vec![],
            config_schema: None,
            openapi: None,
        };
        Arc::new(Fake { name: name.to_owned(), base: base.to_owned(), descriptor })
    }

    fn router_of(plugins: &[Arc<Fake>]) -> Router<Fake> {
        Router::new(plugins)
    }

    fn text_of(found: &Found<'_, Fake>) -> String {
        match found {
            Found::Route { plugin, route, params } => {
                let params: String = params.iter().map(|(name, value)| format!(" {name}={value}")).collect();
                format!("{} {route}{params}", plugin.name)
            }
            Found::MethodNotAllowed { plugin, allow } => format!("{} 405 {}", plugin.name, allow.join(",")),
            Found::NoRoute { owner } => format!("{} 404", owner.map_or("host", |owner| owner.name.as_str())),
        }
    }
}
