//! What comes from outside: licences, duplicates, and crates that must not come.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use super::licence::is_allowed;
use super::{list, metadata, output, root, text};

/// Crates that come in several versions, each with the reason why that is not in our hands.
const DUPLICATES: &[(&str, &str)] = &[
    ("base64", "rtc-dtls's pem is behind rcgen's"),
    ("cpufeatures", "wasmtime's sha2 is a generation behind the rand of the tests"),
    ("getrandom", "rtc-dtls's RustCrypto ciphers bring the old rand_core"),
    ("hashbrown", "wasmtime's gimli is behind its wasmparser"),
    ("pem", "rtc-dtls reads with one, its rcgen writes with the next"),
    ("rand_core", "rtc-dtls's RustCrypto ciphers are a generation behind its rand"),
    ("syn", "wasmtime's and tracing's macros are behind serde's and tokio's; build time only"),
    ("synstructure", "rtc-dtls's certificate parser is behind url's tables; build time only"),
    ("thiserror", "rtc-dtls's certificate parser is behind everybody else"),
    ("thiserror-impl", "rtc-dtls's certificate parser is behind everybody else"),
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
    let used = versions();
    for (name, instead) in BANNED {
        assert!(!used.contains_key(*name), "{name} is in the tree: {instead}");
    }
}

#[test]
fn duplicates_are_known_with_their_reason() {
    let used = versions();
    let real: BTreeSet<&str> =
        used.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| &**name).collect();
    let known: BTreeSet<&str> = DUPLICATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(real, known, "{used:?}");
    assert!(DUPLICATES.iter().all(|(_, reason)| !reason.is_empty()));
}

/// Versions by name of all that is built on this machine, tests included. From cargo's tree: its
/// metadata also lists what a weak feature of somebody's could bring and nobody asks for.
fn versions() -> BTreeMap<String, BTreeSet<String>> {
    let arguments =
        ["tree", "--workspace", "--locked", "--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}"];
    let tree = output(Command::new(env!("CARGO")).args(arguments).current_dir(root()));
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in tree.lines() {
        // `name v1.2.3`, and more words for a member or a repetition.
        let mut words = line.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        versions.entry(name.to_owned()).or_default().insert(version.to_owned());
    }
    assert!(versions.len() > 100, "cargo's tree is read: {tree}");
    versions
}
