//! `cargo xtask fuzz <target> [seconds]`: libFuzzer on stable Rust.
//!
//! The engine in `host/fuzz/engine` is a workspace of its own and is built with coverage of every
//! edge, which is a flag of LLVM and needs no nightly compiler. It takes the versions of the workspace's
//! own lock file. What it keeps stays in `target/fuzz`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::steps::{announce, succeed};

const ENGINE: &str = "host/fuzz/engine";
const FOLDER: &str = "target/fuzz";
const SECONDS: &str = "60";

/// The passes that libFuzzer reads, and what makes its reports readable.
const FLAGS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cforce-frame-pointers=yes",
];

/// Builds the engine and runs one target for some seconds from its corpus.
pub fn fuzz(root: &Path, target: Option<&str>, seconds: Option<&str>) -> Result<()> {
    let corpus = root.join("host/fuzz/corpus");
    let Some(target) = target else { bail!("which target? one of: {}", names(&corpus)?.join(", ")) };
    if !corpus.join(target).is_dir() {
        bail!("there is no target {target:?}, only: {}", names(&corpus)?.join(", "));
    }
    let seconds = seconds.unwrap_or(SECONDS);
    if seconds.parse::<u32>().is_err() {
        bail!("{seconds:?} is no number of seconds");
    }
    let host = host()?;
    build(root, &host)?;
    run(root, &host, target, seconds)
}

fn build(root: &Path, host: &str) -> Result<()> {
    std::fs::copy(root.join("Cargo.lock"), root.join(ENGINE).join("Cargo.lock")).context("cannot copy Cargo.lock")?;
    let manifest = format!("{ENGINE}/Cargo.toml");
    // With --target the flags reach no build script, which has no engine to be linked with.
    let arguments = ["build", "--release", "--manifest-path", &manifest, "--target-dir", FOLDER, "--target", host];
    announce("cargo", &arguments);
    let mut command = Command::new("cargo");
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME").env("RUSTFLAGS", FLAGS.join(" "));
    succeed(command.args(arguments).current_dir(root))
}

fn run(root: &Path, host: &str, target: &str, seconds: &str) -> Result<()> {
    let kept = format!("{FOLDER}/corpus/{target}");
    let crashes = format!("{FOLDER}/crashes/{target}/");
    for folder in [&kept, &crashes] {
        std::fs::create_dir_all(root.join(folder)).with_context(|| format!("cannot make {folder}"))?;
    }
    let engine = format!("{FOLDER}/{host}/release/heliu-fuzz-engine");
    let time = format!("-max_total_time={seconds}");
    let artifacts = format!("-artifact_prefix={crashes}");
    let committed = format!("host/fuzz/corpus/{target}");
    let arguments = [&time, &artifacts, "-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1", &kept, &committed];
    announce(&engine, &arguments);
    let mut command = Command::new(root.join(&engine));
    succeed(command.env("HELIU_FUZZ_TARGET", target).args(arguments).current_dir(root))
        .with_context(|| format!("an input of {crashes} breaks {target}"))
}

fn names(corpus: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(corpus).context("cannot read the corpus")?.flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

fn host() -> Result<String> {
    let output = Command::new("rustc").args(["--print", "host-tuple"]).output().context("cannot start rustc")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
