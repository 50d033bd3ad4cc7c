//! From a plugin's crate to a component file, on whatever compiler this machine has.
//!
//! Three steps, one file each: find a compiler that reaches wasm (`compiler`), let cargo build the
//! module in an environment that nobody's shell or outer cargo reaches (`module`), encode the module
//! as a component and refuse what imports more than the contract (`component`). A second run is
//! cargo's own freshness check and nothing else.
//!
//! Not here: loading or running components, and installing what is missing (that is `xtask`'s).

mod compiler;
mod component;
mod module;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub use compiler::{Compiler, NoCompiler, find_compiler};

/// Builds one plugin of the workspace at `root` and writes `<out>/<name>.wasm`, where the name is the
/// package's without its `heliu-`. The file is replaced at once, and only if its content changed.
/// Returns its path.
///
/// # Errors
/// No compiler reaches wasm (the error says what was tried and which line helps), the crate does not
/// compile, or the component imports something else than `heliu:personality`.
pub fn build_plugin(root: &Path, package: &str, out: &Path) -> Result<PathBuf> {
    let compiler = find_compiler()?;
    let module = module::build(&compiler, root, package)?;
    let name = package.strip_prefix("heliu-").unwrap_or(package);
    let path = out.join(format!("{name}.wasm"));
    component::refresh(&module, &path).with_context(|| format!("{package} does not make a component"))?;
    Ok(path)
}

/// Where `xtask` and the tests put components: `<root>/target/plugins`.
#[must_use]
pub fn plugins_dir(root: &Path) -> PathBuf {
    root.join("target").join("plugins")
}
