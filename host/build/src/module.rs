//! One crate to one core module, by cargo.
//!
//! Called from within `cargo xtask`, from a test process or from a shell: the variables those leave
//! behind would change flags, wrappers or the toolchain and with them every fingerprint, so the build
//! gets a cleaned environment. It has its own target folder and profile: wasm and host artefacts never
//! disturb each other.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::compiler::{Compiler, Std};

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm";

/// 256 KiB of stack, so that a recursion hits a guard before it eats the instance's memory; bulk
/// memory, which every engine has and some compilers still leave off.
const FLAGS: [&str; 4] = ["-C", "link-arg=-zstack-size=262144", "-C", "target-feature=+bulk-memory"];

/// Builds `package` of the workspace at `root`; the module's path.
pub(crate) fn build(compiler: &Compiler, root: &Path, package: &str) -> Result<PathBuf> {
    let target_dir = root.join("target").join("wasm");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = command(cargo);
    cargo
        .current_dir(root)
        .args(["build", "--lib", "--target", TARGET, "--profile", PROFILE, "-p", package])
        .env("CARGO_TARGET_DIR", &target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
        .env("RUSTC", &compiler.rustc)
        // Empty: also what a user's cargo configuration names is left out.
        .env("RUSTC_WRAPPER", "")
        .env("RUSTC_WORKSPACE_WRAPPER", "");
    if let Std::Built { linker } = &compiler.std {
        cargo
            .args(["-Z", "build-std=std,panic_abort"])
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    }
    let status = cargo.status().context("cargo does not run")?;
    if !status.success() {
        bail!("{package} does not compile to {TARGET} with {}", compiler.rustc.display());
    }
    Ok(target_dir.join(TARGET).join(PROFILE).join(format!("{}.wasm", package.replace('-', "_"))))
}

/// A command without what an outer cargo, a test runner or somebody's shell says about Rust builds.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(leaks) {
            command.env_remove(name);
        }
    }
    command
}

/// Where crates come from and how they are fetched stays as the user set it.
fn leaks(name: &str) -> bool {
    let is_cargo = name == "CARGO" || name.starts_with("CARGO_");
    let is_kept = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_", "CARGO_SOURCE_"]
        .iter()
        .any(|kept| name.starts_with(kept));
    let is_rust = name.starts_with("RUSTC") || name.starts_with("RUSTDOC") || name == "RUSTFLAGS";
    (is_cargo && !is_kept) || is_rust
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outer_cargo_leaves_no_trace() {
        for (name, want) in [
            ("CARGO", true),
            ("CARGO_ENCODED_RUSTFLAGS", true),
            ("CARGO_BUILD_TARGET", true),
            ("CARGO_PROFILE_RELEASE_LTO", true),
            ("CARGO_INCREMENTAL", true),
            ("CARGO_TARGET_DIR", true),
            ("RUSTC_WRAPPER", true),
            ("RUSTFLAGS", true),
            ("CARGO_HOME", false),
            ("CARGO_NET_OFFLINE", false),
            ("CARGO_REGISTRIES_X_INDEX", false),
            ("RUSTUP_TOOLCHAIN", false),
            ("PATH", false),
        ] {
            assert_eq!(leaks(name), want, "{name}");
        }
    }
}
