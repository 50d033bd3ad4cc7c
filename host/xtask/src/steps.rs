//! The steps of each command, in order, each shown before it runs.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Builds for real use, then becomes heliu.
pub fn run(root: &Path) -> Result<()> {
    cargo(root, &["build", "--release", "--locked", "-p", "heliu"])?;
    build_components(root, &["plugins"])?;
    let arguments = ["run", "--config", "examples/heliu.toml"];
    announce("target/release/heliu", &arguments);
    let error = Command::new(root.join("target/release/heliu")).args(arguments).current_dir(root).exec();
    Err(error).context("heliu does not start")
}

/// All that a change must pass. The tests come last, so that their summary is the last line.
pub fn test(root: &Path) -> Result<()> {
    cargo(root, &["fmt", "--all", "--check"])?;
    build_components(root, &["plugins", "tests/guests"])?;
    cargo(root, &["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    cargo(root, &["doc", "--locked", "--workspace", "--no-deps"])?;
    // One build of everything in one profile: the stories start the binary that it leaves behind.
    cargo(root, &["build", "--locked", "--workspace", "--all-targets"])?;
    cargo(root, &["nextest", "run", "--locked", "--workspace"])
}

/// The story of the crowd at full length; among the tests it lasts a minute.
pub fn soak(root: &Path) -> Result<()> {
    build_components(root, &["plugins"])?;
    cargo(root, &["build", "--locked", "-p", "heliu"])?;
    let test = ["nextest", "run", "--locked", "--profile", "soak", "--no-capture", "-p", "heliu-tests", "media_soak"];
    announce("HELIU_SOAK_SECONDS=600 cargo", &test);
    succeed(Command::new("cargo").args(test).env("HELIU_SOAK_SECONDS", "600").current_dir(root))
}

/// Runs a command in the current folder; its output goes where ours goes.
pub fn carry_out(program: &str, arguments: &[&str]) -> Result<()> {
    announce(program, arguments);
    succeed(Command::new(program).args(arguments))
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    announce("cargo", arguments);
    let start = Instant::now();
    let mut command = Command::new("cargo");
    if arguments[0] == "doc" {
        command.env("RUSTDOCFLAGS", "-D warnings");
    }
    // This program's own package must not be taken for that of the build scripts it starts.
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME");
    succeed(command.args(arguments).current_dir(root))?;
    println!("   cargo {} took {} s", arguments[0], start.elapsed().as_secs());
    Ok(())
}

fn build_components(root: &Path, folders: &[&str]) -> Result<()> {
    for package in components(root, folders)? {
        println!("→ build the component of {package}");
        let component = heliu_build::build_plugin(root, &package, &heliu_build::plugins_dir(root))?;
        println!("   {}", component.display());
    }
    Ok(())
}

/// Packages that become components: each below these folders but the SDK they are written with.
fn components(root: &Path, folders: &[&str]) -> Result<Vec<String>> {
    let mut packages = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(root.join(folder)).with_context(|| format!("cannot read {folder}"))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != "sdk" && entry.path().join("Cargo.toml").exists() {
                packages.push(format!("heliu-{name}"));
            }
        }
    }
    packages.sort();
    Ok(packages)
}

pub fn announce(program: &str, arguments: &[&str]) {
    println!("→ {program} {}", arguments.join(" "));
}

pub fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{:?} ended with {status}", command.get_program());
    }
    Ok(())
}
