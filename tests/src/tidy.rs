//! Rules of the workspace that no compiler checks: who imports whom, what comes from outside, how
//! sources look.
//!
//! A rule that fails says what to write where. Lints and formatting are clippy's and rustfmt's.

mod arrows;
mod licence;
mod outside;
mod sources;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests stands in the workspace").to_owned()
}

/// What cargo knows about every package that this machine's build may use.
fn metadata() -> Value {
    let host = output(Command::new("rustc").args(["--print", "host-tuple"]));
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", host.trim()];
    let text = output(Command::new(env!("CARGO")).args(arguments).current_dir(root()));
    serde_json::from_str(&text).expect("cargo writes JSON")
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("cargo and rustc run, they built this test");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo and rustc write UTF-8")
}

/// The list under `key`, the text under `key`.
fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
