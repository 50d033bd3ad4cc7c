//! Which `rustc` on this machine can make `wasm32-unknown-unknown`, and with whose standard library.
//!
//! The search, first hit wins: what `HELIU_WASM_RUSTC` names; the active toolchain; other compilers. Each
//! may have the target, or, from 1.85 on, the standard library's *source* beside it, which is then
//! compiled for wasm once. `wasm32-wasip2` is no way: its standard library imports WASI, and a
//! component of heliu imports nothing but the contract.
//!
//! Not here: downloads. What is missing is named in the error with the line that brings it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::module::command;

const TARGET: &str = "wasm32-unknown-unknown";
const SETTING: &str = "HELIU_WASM_RUSTC";

/// Oldest release that may compile the standard library for us.
const MINOR_MIN: u32 = 85;

/// A compiler that reaches wasm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// The `rustc` to run.
    pub rustc: PathBuf,
    /// Where the standard library for wasm comes from.
    pub std: Std,
}

/// Where the standard library for wasm comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Std {
    /// It came with the toolchain.
    Shipped,
    /// It is compiled from source once.
    Built {
        /// LLVM's linker; such a toolchain often has none for wasm.
        linker: PathBuf,
    },
}

/// Nothing on this machine reaches wasm.
#[derive(Debug)]
pub struct NoCompiler {
    /// One sentence for each way.
    pub tried: Vec<String>,
}

impl std::error::Error for NoCompiler {}

impl fmt::Display for NoCompiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "no compiler here makes WebAssembly. Tried:")?;
        for line in &self.tried {
            writeln!(f, "  - {line}")?;
        }
        write!(f, "One of these helps:\n  rustup target add {TARGET}\n  ")?;
        write!(f, "apt-get install --no-install-recommends rustc-web rust-web-src")
    }
}

/// Looks in the order of this file's header.
///
/// # Errors
/// Nothing was found; the error lists what was tried.
pub fn find_compiler() -> Result<Compiler, NoCompiler> {
    search(std::env::var_os(SETTING).map(PathBuf::from), Path::new("rustc"), &others())
}

/// Compilers beside the active toolchain: Debian's `rustc-web` is `/usr/bin/rustc`, its `rustc-1.xx`
/// packages live under `/usr/lib`.
fn others() -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/usr/bin/rustc"), PathBuf::from("/usr/local/bin/rustc")];
    let versions = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("rust-"))
        .map(|entry| entry.path().join("bin/rustc"))
        .collect();
    versions.sort();
    found.extend(versions);
    found
}

fn search(setting: Option<PathBuf>, active: &Path, others: &[PathBuf]) -> Result<Compiler, NoCompiler> {
    let active = Probe::of(active);
    let linker = active.as_ref().ok().and_then(Probe::lld).or_else(system_lld);
    let any_way = |probe: &Probe| probe.shipped().or_else(|_| probe.built(linker.clone()));
    if let Some(rustc) = setting.filter(|path| !path.as_os_str().is_empty()) {
        let found = Probe::of(&rustc).and_then(|probe| any_way(&probe));
        return found.map_err(|why| NoCompiler { tried: vec![format!("{SETTING}: {why}")] });
    }
    let mut tried = Vec::new();
    let active = active.as_ref().map_err(String::clone);
    match active.clone().and_then(any_way) {
        Ok(compiler) => return Ok(compiler),
        Err(why) => tried.push(format!("the active toolchain: {why}")),
    }
    for rustc in others {
        match Probe::of(rustc).and_then(|probe| any_way(&probe)) {
            Ok(compiler) => return Ok(compiler),
            Err(why) => tried.push(why),
        }
    }
    Err(NoCompiler { tried })
}

/// What one `rustc` says about itself.
struct Probe {
    rustc: PathBuf,
    sysroot: PathBuf,
    host: String,
    minor: u32,
}

impl Probe {
    fn of(rustc: &Path) -> Result<Self, String> {
        let name = rustc.display();
        let version = ask(rustc, &["-vV"]).ok_or_else(|| format!("{name} is not there or does not run"))?;
        let sysroot = ask(rustc, &["--print", "sysroot"]).ok_or_else(|| format!("{name} tells no sysroot"))?;
        let line = |key: &str| version.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let minor = line("release:").and_then(|release| release.split('.').nth(1)).and_then(|x| x.parse().ok());
        Ok(Self {
            rustc: rustc.to_owned(),
            sysroot: PathBuf::from(sysroot),
            host: line("host:").unwrap_or_default().to_owned(),
            minor: minor.unwrap_or(0),
        })
    }

    fn shipped(&self) -> Result<Compiler, String> {
        let lib = self.sysroot.join("lib/rustlib").join(TARGET).join("lib");
        let has_std = std::fs::read_dir(&lib)
            .into_iter()
            .flatten()
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"));
        if has_std {
            return Ok(Compiler { rustc: self.rustc.clone(), std: Std::Shipped });
        }
        Err(format!("{} has no {TARGET}", self.rustc.display()))
    }

    fn built(&self, other_linker: Option<PathBuf>) -> Result<Compiler, String> {
        let name = self.rustc.display();
        if self.minor < MINOR_MIN {
            return Err(format!("{name} is older than 1.{MINOR_MIN}"));
        }
        if !self.sysroot.join("lib/rustlib/src/rust/library/Cargo.toml").is_file() {
            return Err(format!("{name} has neither {TARGET} nor the source of its standard library"));
        }
        let Some(linker) = self.lld().or(other_linker) else {
            return Err(format!("{name} could, but neither rust-lld nor wasm-ld is here to link"));
        };
        Ok(Compiler { rustc: self.rustc.clone(), std: Std::Built { linker } })
    }

    fn lld(&self) -> Option<PathBuf> {
        let lld = self.sysroot.join("lib/rustlib").join(&self.host).join("bin/rust-lld");
        lld.is_file().then_some(lld)
    }
}

fn system_lld() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join("wasm-ld")).find(|file| file.is_file())
}

fn ask(rustc: &Path, arguments: &[&str]) -> Option<String> {
    let output = command(rustc).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn the_search_takes_the_first_way_that_works() {
        let with_target = Toolchain::new("1.95.0").target();
        let with_source = Toolchain::new("1.96.0").source();
        let with_both = Toolchain::new("1.96.0").source().linker();
        let bare = Toolchain::new("1.95.0").linker();
        let old = Toolchain::new("1.84.0").source().linker();

        for (what, setting, active, other, want) in [
            ("the active toolchain's target", None, &with_target, &with_both, Some((&with_target, false))),
            ("a setting comes before it", Some(&with_both), &with_target, &bare, Some((&with_both, true))),
            ("source, linked by the active one", None, &bare, &with_source, Some((&with_source, true))),
            ("the active one's own source", None, &with_both, &bare, Some((&with_both, true))),
            ("another one's target", None, &bare, &with_target, Some((&with_target, false))),
            ("nothing", None, &bare, &bare, None),
            ("a setting that cannot is an error", Some(&bare), &with_target, &with_both, None),
            ("too old", None, &bare, &old, None),
        ] {
            let found = search(setting.map(Toolchain::rustc), &active.rustc(), &[other.rustc()]);
            let found = found.ok().map(|found| (found.rustc, found.std != Std::Shipped));
            assert_eq!(found, want.map(|(toolchain, built)| (toolchain.rustc(), built)), "{what}");
        }
    }

    #[test]
    fn the_error_says_what_was_tried_and_what_helps() {
        let bare = Toolchain::new("1.95.0");
        let error = search(None, &bare.rustc(), &["/nowhere/rustc".into()]).unwrap_err().to_string();
        for part in [
            "has neither wasm32-unknown-unknown nor the source",
            "/nowhere/rustc is not there",
            "apt-get install",
            "rustup target",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    /// A folder that looks like a toolchain; its `rustc` is a script.
    struct Toolchain(TempDir);

    impl Toolchain {
        fn new(version: &str) -> Self {
            let toolchain = Self(TempDir::new().unwrap());
            let sysroot = toolchain.0.path().display().to_string();
            let script = format!(
                "#!/bin/sh\ncase \"$1\" in -vV) echo 'host: x86_64-test'; echo 'release: {version}';; *) echo {sysroot};; esac\n"
            );
            std::fs::write(toolchain.rustc(), script).unwrap();
            std::fs::set_permissions(toolchain.rustc(), PermissionsExt::from_mode(0o755)).unwrap();
            toolchain
        }

        fn with(self, path: &str) -> Self {
            let path = self.0.path().join("lib/rustlib").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
            self
        }

        fn target(self) -> Self {
            self.with("wasm32-unknown-unknown/lib/libstd-0.rlib")
        }

        fn source(self) -> Self {
            self.with("src/rust/library/Cargo.toml")
        }

        fn linker(self) -> Self {
            self.with("x86_64-test/bin/rust-lld")
        }

        fn rustc(&self) -> PathBuf {
            self.0.path().join("rustc")
        }
    }
}
