//! A core module with WIT inside to a component file.
//!
//! The file is written beside its place and renamed, so a reader sees the former or the whole one; a
//! component that did not change keeps its file, and with it every cache that looks at it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use wit_component::{ComponentEncoder, DecodedWasm};

const CONTRACT: &str = "heliu:personality/";

/// Makes `path` the component of the module.
pub(crate) fn refresh(module: &Path, path: &Path) -> Result<()> {
    let module = std::fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    let component = encode(&module)?;
    if std::fs::read(path).is_ok_and(|former| former == component) {
        return Ok(());
    }
    let folder = path.parent().context("a component needs a folder")?;
    std::fs::create_dir_all(folder)?;
    // Several processes may be here at once, each with a file of its own.
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    std::fs::write(&draft, component)?;
    std::fs::rename(&draft, path)?;
    Ok(())
}

fn encode(module: &[u8]) -> Result<Vec<u8>> {
    let component = ComponentEncoder::default().validate(true).module(module)?.encode()?;
    check_imports(&component)?;
    Ok(component)
}

fn check_imports(component: &[u8]) -> Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("it is a WIT package");
    };
    let imports = resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key));
    let foreign: Vec<String> = imports.filter(|name| !name.starts_with(CONTRACT)).collect();
    if !foreign.is_empty() {
        bail!("it imports {}, which the host does not offer", foreign.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    /// A type `() -> ()` and an import of it.
    const FOREIGN: &[u8] = b"\x01\x04\x01\x60\0\0\x02\x0d\x01\x04wasi\x04exit\0\0";

    #[test]
    fn a_component_that_did_not_change_keeps_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (module, path) = (folder.path().join("module.wasm"), folder.path().join("out/plugin.wasm"));
        std::fs::write(&module, EMPTY).unwrap();

        let refreshed = || {
            refresh(&module, &path).unwrap();
            std::fs::metadata(&path).unwrap().ino()
        };
        let first = refreshed();
        assert_eq!(refreshed(), first);
        std::fs::write(&path, "something else").unwrap();
        refreshed();
        assert!(matches!(wit_component::decode(&std::fs::read(&path).unwrap()), Ok(DecodedWasm::Component(..))));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_imports_more_than_the_contract_makes_no_component() {
        let error = encode(&[EMPTY, FOREIGN].concat()).unwrap_err();
        assert!(format!("{error:#}").contains("wasi"), "{error:#}");
        assert!(encode(b"no module").is_err());
    }
}
