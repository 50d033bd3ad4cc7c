//! What one personality takes of what all share: paths on listeners, and media apps.
//!
//! Checked whenever a component comes, against all that serve beside it.

use std::collections::BTreeMap;

use heliu_model::Namespace;

use crate::config::PluginConfig;
use crate::describe::check_apps;
use crate::load::{LoadError, Loaded};
use crate::template::Template;

/// What one component wants to own.
#[derive(Debug)]
pub(crate) struct Claim {
    plugin: Namespace,
    /// As the operator wrote them; empty: all.
    listeners: Vec<String>,
    /// Methods, and paths on the listener.
    routes: Vec<(String, Template)>,
    apps: Vec<String>,
}

impl Claim {
    /// Of a component that fits, within what the operator says.
    ///
    /// # Errors
    /// The operator's `base` or `apps` do not fit.
    pub(crate) fn new(config: &PluginConfig, loaded: &Loaded) -> Result<Self, LoadError> {
        let plugin = config.namespace.clone();
        let is_base = Template::parse(&config.base).is_ok_and(|template| template.names().next().is_none());
        if !is_base {
            return Err(LoadError::Base { plugin });
        }
        let apps = config.apps.as_ref().unwrap_or(&loaded.descriptor.apps).clone();
        check_apps(&apps).map_err(|cause| LoadError::Descriptor { plugin: plugin.clone(), cause })?;
        if !apps.is_empty() && !loaded.exports.exported().admission {
            return Err(LoadError::CannotAdmit { plugin });
        }
        let at_base = |template: &Template| Template::parse(&format!("{}{template}", base(config)));
        let routes = loaded.descriptor.routes.iter();
        let routes = routes.filter_map(|route| Some((route.method.clone(), at_base(&route.template).ok()?))).collect();
        Ok(Self { plugin, listeners: config.http.clone(), routes, apps })
    }

    fn shares_a_listener(&self, other: &Self) -> bool {
        let (own, others) = (&self.listeners, &other.listeners);
        own.is_empty() || others.is_empty() || own.iter().any(|listener| others.contains(listener))
    }
}

/// Where the operator lets a plugin's routes begin: empty for the root, else `/prefix`.
pub(crate) fn base(config: &PluginConfig) -> &str {
    config.base.trim_end_matches('/')
}

/// May all of these serve side by side? Gives each app with its owner.
///
/// # Errors
/// What two of them want.
pub(crate) fn settle(claims: &[&Claim]) -> Result<BTreeMap<String, Namespace>, LoadError> {
    let owners = owners(claims)?;
    check_routes(claims)?;
    check_apps_and_routes(&owners, claims)?;
    Ok(owners)
}

fn owners(claims: &[&Claim]) -> Result<BTreeMap<String, Namespace>, LoadError> {
    let mut owners: BTreeMap<String, Namespace> = BTreeMap::new();
    for claim in claims {
        for app in &claim.apps {
            let second = &claim.plugin;
            match owners.insert(app.clone(), second.clone()) {
                Some(first) if first != *second => {
                    return Err(LoadError::AppTwice { app: app.clone(), first, second: second.clone() });
                }
                Some(_) | None => {}
            }
        }
    }
    Ok(owners)
}

fn check_routes(claims: &[&Claim]) -> Result<(), LoadError> {
    for (at, first) in claims.iter().enumerate() {
        for second in claims[at + 1..].iter().filter(|second| first.shares_a_listener(second)) {
            for (method, template) in &first.routes {
                let is_twin = |(other, at): &&(String, Template)| {
                    let meets = other == method || other == "*" || method == "*";
                    meets && at.is_same_shape(template)
                };
                if second.routes.iter().any(|other| is_twin(&other)) {
                    return Err(LoadError::RouteTwice {
                        route: format!("{method} {template}"),
                        first: first.plugin.clone(),
                        second: second.plugin.clone(),
                    });
                }
            }
        }
    }
    Ok(())
}

fn check_apps_and_routes(owners: &BTreeMap<String, Namespace>, claims: &[&Claim]) -> Result<(), LoadError> {
    for claim in claims {
        for (method, template) in &claim.routes {
            let Some(first) = template.literals().next() else { continue };
            if let Some(owner) = owners.get(first) {
                return Err(LoadError::AppHidesRoute {
                    app: first.to_owned(),
                    owner: owner.clone(),
                    route: format!("{method} {template}"),
                    plugin: claim.plugin.clone(),
                });
            }
        }
    }
    Ok(())
}
