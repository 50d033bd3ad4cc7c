//! Builds the components of the packages named on the command line, as `xtask` and the tests do.
//!
//! `cargo run -p heliu-build --example component -- PACKAGE`

use std::path::Path;

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    for package in std::env::args().skip(1) {
        let path = heliu_build::build_plugin(&root, &package, &heliu_build::plugins_dir(&root))?;
        println!("{}", path.display());
    }
    Ok(())
}
