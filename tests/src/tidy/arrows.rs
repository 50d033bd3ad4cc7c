//! The imports between our packages are the table in `ARCHITECTURE.md`, arrow by arrow.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{list, metadata, root, text};

/// Imports of one package: always, and in its tests besides.
type Arrows = BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>;

#[test]
fn the_table_of_arrows_is_true() {
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let told = told(&architecture);
    let real: BTreeSet<String> =
        imports(&metadata()).iter().map(|(name, (always, in_tests))| row(name, always, in_tests)).collect();

    let missing: Vec<String> = real.iter().filter(|row| !told.contains(*row)).map(|row| format!("+ {row}")).collect();
    let wrong: Vec<String> = told.iter().filter(|row| !real.contains(*row)).map(|row| format!("- {row}")).collect();
    assert!(
        missing.is_empty() && wrong.is_empty(),
        "a new arrow is its own commit; the table in ARCHITECTURE.md differs by\n{}",
        [wrong, missing].concat().join("\n")
    );
}

#[test]
fn arrows_point_toward_the_model() {
    let arrows = imports(&metadata());
    let imports = |name: &str| arrows[name].0.clone();
    let core = ["model", "rtmp", "rtp", "rtc", "container", "room", "mixer", "pattern", "reconcile", "sim"]
        .map(|name| format!("heliu-{name}"));

    assert_eq!(imports("heliu-model"), BTreeSet::new());
    for name in &core {
        let outside: Vec<_> = imports(name).into_iter().filter(|import| !core.contains(import)).collect();
        assert_eq!(outside, Vec::<String>::new(), "{name} stands in core");
    }
    for (name, forbidden) in [
        ("heliu-rtmp", "heliu-room"),
        ("heliu-room", "heliu-rtmp"),
        ("heliu-media", "heliu-plugin"),
        ("heliu-media", "heliu-store"),
        ("heliu-plugin", "heliu-media"),
    ] {
        assert!(!imports(name).contains(forbidden), "{name} → {forbidden}");
    }
}

fn imports(metadata: &Value) -> Arrows {
    let ours: BTreeSet<&str> = list(metadata, "workspace_members").filter_map(Value::as_str).collect();
    let members: Vec<&Value> =
        list(metadata, "packages").filter(|package| ours.contains(text(package, "id"))).collect();
    let names: BTreeSet<&str> = members.iter().map(|package| text(package, "name")).collect();
    let named = |package: &Value, is_for_tests: bool| -> BTreeSet<String> {
        list(package, "dependencies")
            .filter(|dependency| (dependency["kind"] == "dev") == is_for_tests)
            .map(|dependency| text(dependency, "name"))
            .filter(|name| names.contains(name))
            .map(str::to_owned)
            .collect()
    };
    let arrows = members.iter().map(|package| {
        let always = named(package, false);
        let in_tests = named(package, true).difference(&always).cloned().collect();
        (text(package, "name").to_owned(), (always, in_tests))
    });
    arrows.collect()
}

/// The rows of the table: a package, its imports, those of its tests besides; names without `heliu-`.
fn told(architecture: &str) -> BTreeSet<String> {
    architecture.lines().filter(|line| line.starts_with("| heliu")).map(str::to_owned).collect()
}

fn row(name: &str, always: &BTreeSet<String>, in_tests: &BTreeSet<String>) -> String {
    let cell = |names: &BTreeSet<String>| {
        names.iter().map(|name| name.trim_start_matches("heliu-")).collect::<Vec<_>>().join(", ")
    };
    format!("| {name} | {} | {} |", cell(always), cell(in_tests))
}
