//! What comes from outside: licences, duplicates, and crates that must not come.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::licence::is_allowed;
use super::{list, metadata, text};

/// Crates that come in several versions, each with the reason why that is not in our hands.
const DUPLICATES: &[(&str, &str)] = &[
    ("cpufeatures", "wasmtime's sha2 is a generation behind the rand of the tests"),
    ("embedded-io", "weak features of postcard, which wasmtime brings; never built"),
    ("hashbrown", "wasmtime's gimli is behind its wasmparser"),
    ("syn", "wasmtime's and tracing's macros are behind serde's and tokio's; build time only"),
];

/// Crates that must not be in the tree, each with what to use instead.
const BANNED: &[(&str, &str)] = &[
    ("ring", "aws-lc-rs is the one crypto provider"),
    ("openssl-sys", "aws-lc-rs is the one crypto provider"),
    ("figment", "the configuration is toml and serde"),
];

#[test]
fn every_licence_may_be_shipped() {
    let metadata = metadata();
    let others = list(&metadata, "packages").filter(|package| !is_allowed(text(package, "license")));
    let others: Vec<_> = others.map(|package| format!("{}: {}", text(package, "name"), package["license"])).collect();
    assert_eq!(others, Vec::<String>::new());
}

#[test]
fn no_banned_crate_is_in_the_tree() {
    let used = versions(&metadata());
    for (name, instead) in BANNED {
        assert!(!used.contains_key(*name), "{name} is in the tree: {instead}");
    }
}

#[test]
fn duplicates_are_known_with_their_reason() {
    let used = versions(&metadata());
    let real: BTreeSet<&str> =
        used.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| &**name).collect();
    let known: BTreeSet<&str> = DUPLICATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(real, known, "{used:?}");
    assert!(DUPLICATES.iter().all(|(_, reason)| !reason.is_empty()));
}

/// Versions by name of all that is built on this machine, tests included.
fn versions(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let used: BTreeSet<&str> = list(&metadata["resolve"], "nodes").map(|node| text(node, "id")).collect();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in list(metadata, "packages").filter(|package| used.contains(text(package, "id"))) {
        versions.entry(text(package, "name").to_owned()).or_default().insert(text(package, "version").to_owned());
    }
    versions
}
