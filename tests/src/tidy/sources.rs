//! How our sources look: headers, names, places of `unsafe`, and whose names stand where.

use std::path::{Path, PathBuf};

use super::root;

/// Products whose APIs we speak. The host knows none of them.
const VENDORS: [&str; 6] = ["pingos", "livhub", "haoshitong", "qiniu", "owt", "pili"];

/// Names that say nothing about what a file holds.
const EMPTY_NAMES: [&str; 9] =
    ["util", "utils", "common", "helper", "helpers", "manager", "managers", "misc", "shared"];

/// Where `unsafe` may be switched on, each with the reason.
const UNSAFE: &[(&str, &str)] = &[
    ("host/codec/src/", "C codecs, and the CPU's wide instructions"),
    ("host/plugin/src/code.rs", "the engine has no safe way to load compiled code"),
    ("plugins/sdk/src/", "the generated export of a component"),
    ("tests/guests/rogue/src/heap.rs", "a guest that breaks its own memory"),
];

/// Folders of one machine; a source that names one works nowhere else.
const MACHINES: [&str; 4] = ["/home/", "/root/", "/Users/", "/work/"];

#[test]
fn every_source_opens_with_what_it_is_for() {
    let silent = sources("rs", |_, text| !text.starts_with("//! "));
    assert_eq!(silent, Vec::<PathBuf>::new());
}

#[test]
fn names_of_files_say_what_is_inside() {
    let empty = sources("rs", |path, _| {
        let mut names = path.iter().filter_map(|part| part.to_str()).map(|part| part.trim_end_matches(".rs"));
        names.any(|name| EMPTY_NAMES.contains(&name))
    });
    assert_eq!(empty, Vec::<PathBuf>::new());
}

#[test]
fn the_host_knows_no_vendor() {
    for kind in ["rs", "toml"] {
        let knowing = sources(kind, |path, text| path.starts_with("host") && names_a_vendor(text));
        assert_eq!(knowing, Vec::<PathBuf>::new());
    }
}

#[test]
fn no_source_knows_the_machine_it_was_written_on() {
    for kind in ["rs", "toml", "md", "wit"] {
        let knowing = sources(kind, |path, text| {
            path != Path::new("tests/src/tidy/sources.rs") && MACHINES.iter().any(|machine| text.contains(machine))
        });
        assert_eq!(knowing, Vec::<PathBuf>::new());
    }
}

#[test]
fn unsafe_is_switched_on_only_where_it_must_be() {
    let switched = sources("rs", |path, text| {
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with("#"));
        let is_on = lines.filter(|line| line.contains("unsafe_code")).any(|line| !line.contains("forbid"));
        is_on && !UNSAFE.iter().any(|(place, _)| path.starts_with(place))
    });
    assert_eq!(switched, Vec::<PathBuf>::new());

    let root_manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(root_manifest.contains("unsafe_code = \"deny\""));
    let free = sources("toml", |path, text| {
        path.ends_with("Cargo.toml") && text.contains("[package]") && !text.contains("[lints]\nworkspace = true")
    });
    assert_eq!(free, Vec::<PathBuf>::new(), "without the workspace's lints");
}

#[test]
fn nothing_is_left_for_later() {
    let marks = ["todo", "unimplemented"].map(|name| format!("{name}!("));
    let unfinished = sources("rs", |_, text| marks.iter().any(|mark| text.contains(mark)));
    assert_eq!(unfinished, Vec::<PathBuf>::new());
}

#[test]
fn vendors_are_words() {
    for (text, want) in [("the growth", false), ("an OWT room", true), ("heliu-pingos", true), ("pile", false)] {
        assert_eq!(names_a_vendor(text), want, "{text}");
    }
}

fn names_a_vendor(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| VENDORS.contains(&word))
}

/// Paths, from the root, of our files of one kind for which `is_bad` holds.
fn sources(kind: &str, is_bad: impl Fn(&Path, &str) -> bool) -> Vec<PathBuf> {
    let root = root();
    let mut found = Vec::new();
    for folder in [".", ".config", "host", "plugins", "tests", "wit", "examples"] {
        walk(&root.join(folder), folder != ".", &mut found);
    }
    found.sort();
    let ours = found.iter().filter(|path| path.extension().is_some_and(|extension| extension == kind));
    let bad = ours.filter_map(|path| {
        let text = std::fs::read_to_string(path).expect("a source is UTF-8");
        let path = path.strip_prefix(&root).expect("it was found there").components().as_path().to_owned();
        is_bad(&path, &text).then_some(path)
    });
    bad.collect()
}

fn walk(folder: &Path, is_deep: bool, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_file() => found.push(path),
            Ok(kind) if kind.is_dir() && is_deep && entry.file_name() != "target" => walk(&path, true, found),
            _ => {}
        }
    }
}
