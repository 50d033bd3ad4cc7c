//! Developer commands: `cargo xtask run` starts heliu from a fresh clone, `cargo xtask test` proves it,
//! `cargo xtask fuzz` looks for bytes that break it.
//!
//! Each command first looks which tools this machine lacks, installs them with the system's package
//! manager and says so, then runs cargo step by step.
//!
//! Not here: how a component is made, that is `heliu-build`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

mod fuzz;
mod install;
mod machine;
mod steps;
mod tools;

const USAGE: &str = "cargo xtask run    install what is missing, build host and plugins, start examples/heliu.toml
cargo xtask test   the same, then format, lints, documentation and every test
cargo xtask fuzz <target> [seconds]   run libFuzzer on one target of host/fuzz
cargo xtask soak   ten minutes of publishers, players and tasks that come and go";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let root = root()?;
    let argument = |at| std::env::args().nth(at);
    let command = argument(1);
    match command.as_deref() {
        Some("run") => {
            install::missing(tools::Purpose::Run)?;
            steps::run(&root)
        }
        Some("test") => {
            install::missing(tools::Purpose::Test)?;
            steps::test(&root)
        }
        Some("fuzz") => fuzz::fuzz(&root, argument(2).as_deref(), argument(3).as_deref()),
        Some("soak") => {
            install::missing(tools::Purpose::Test)?;
            steps::soak(&root)
        }
        Some(other) => bail!("there is no command {other:?}\n{USAGE}"),
        None => bail!("which command?\n{USAGE}"),
    }
}

/// The workspace's folder; cargo says where this package lives in it.
fn root() -> Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").context("start it as `cargo xtask`")?;
    let root = Path::new(&package).ancestors().nth(2).context("host/xtask has a root")?;
    Ok(root.to_owned())
}
