//! Back to the component that served before, and what a restart knows of it.

use std::path::PathBuf;
use std::sync::Arc;

use heliu_plugin::{CodeCache, Compiler, Fault, Plugin, Plugins, Standing, Workshop};
use heliu_store::Store;
use tempfile::TempDir;

use crate::guest::{ANSWER, Guest};
use crate::host::{FakePlane, config_of, request};

#[tokio::test]
async fn a_rollback_holds_until_another_component_comes() {
    let folder = Folder::new();
    folder.put(1);
    let plugins = folder.start().await;
    let plugin = the(&plugins);
    let nothing = plugins.rollback("p").await.unwrap_err();
    assert_eq!(nothing.to_string(), "plugin p has no component to go back to");
    assert_eq!(plugins.rollback("q").await.unwrap_err().to_string(), "there is no plugin q");

    folder.put(2);
    looks(&plugins).await;
    assert_eq!(call(&plugin).await, Ok(2));
    plugins.rollback("p").await.unwrap();
    looks(&plugins).await;
    assert_eq!((call(&plugin).await, plugin.standing()), (Ok(1), Standing::RolledBack), "the file is not taken");

    std::fs::write(folder.0.path().join("p.wasm"), "garbage").unwrap();
    looks(&plugins).await;
    assert!(matches!(plugin.standing(), Standing::Refused(_)), "something else lies there");
    folder.put(2);
    looks(&plugins).await;
    assert_eq!((call(&plugin).await, plugin.standing()), (Ok(1), Standing::RolledBack), "as it was");

    let plugins = folder.start().await;
    let plugin = the(&plugins);
    assert_eq!((call(&plugin).await, plugin.standing()), (Ok(1), Standing::RolledBack), "after a restart");
    looks(&plugins).await;
    assert_eq!(call(&plugin).await, Ok(1), "nor is it then");

    folder.put(3);
    looks(&plugins).await;
    assert_eq!((call(&plugin).await, plugin.standing()), (Ok(3), Standing::Current), "another one is taken");
    folder.put(2);
    looks(&plugins).await;
    assert_eq!(call(&plugin).await, Ok(2), "and the pin is gone");
}

#[tokio::test]
async fn a_second_rollback_goes_forward_again() {
    let folder = Folder::new();
    for number in [1, 2] {
        folder.put(number);
        drop(folder.start().await);
    }
    let plugins = folder.start().await;
    let plugin = the(&plugins);
    for want in [1, 2, 1] {
        plugins.rollback("p").await.unwrap();
        looks(&plugins).await;
        assert_eq!(call(&plugin).await, Ok(want), "what was replaced while nobody served can be gone back to");
    }
}

#[tokio::test]
async fn what_is_kept_must_prove_itself() {
    let folder = Folder::new();
    for number in [1, 2] {
        folder.put(number);
        drop(folder.start().await);
    }
    let previous = folder.kept("wasm").into_iter().find(|path| std::fs::read(path).unwrap() != folder.file()).unwrap();
    std::fs::write(previous, folder.file()).unwrap();
    let refused = folder.start().await.rollback("p").await.unwrap_err();
    assert_eq!(refused.to_string(), "plugin p has no component to go back to");

    std::fs::write(&folder.kept("history")[0], b"forged").unwrap();
    let plugins = folder.start().await;
    assert_eq!(call(&the(&plugins)).await, Ok(2), "a start needs no history");
    assert!(plugins.rollback("p").await.is_err());
}

#[tokio::test]
async fn only_what_can_be_gone_back_to_is_kept() {
    let folder = Folder::new();
    folder.put(0);
    let plugins = folder.start().await;
    for number in 1..=6 {
        folder.put(number);
        looks(&plugins).await;
    }
    assert_eq!(call(&the(&plugins)).await, Ok(6));
    assert_eq!((folder.kept("wasm").len(), folder.kept("history").len()), (2, 1));
    plugins.rollback("p").await.unwrap();
    assert_eq!(call(&the(&plugins)).await, Ok(5));
}

/// One plugin, and what its host keeps.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, number: u32) {
        let say = format!("(i32.store (i32.const 64) (i32.const {number})){ANSWER}");
        Guest { request: say.leak(), ..Guest::default() }.write(self.0.path(), "p");
    }

    fn file(&self) -> Vec<u8> {
        std::fs::read(self.0.path().join("p.wasm")).unwrap()
    }

    fn kept(&self, extension: &str) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.0.path().join("kept")).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
    }

    async fn start(&self) -> Plugins {
        let cache = CodeCache::open(&self.0.path().join("kept"), 1).unwrap();
        let config = config_of("p", self.0.path().join("p.wasm"));
        let (plane, workshop) = (Arc::new(FakePlane::default()), Workshop::new(Compiler::InProcess, Some(cache)));
        Plugins::load(vec![config], Store::in_memory(), plane, workshop).await.unwrap()
    }
}

async fn looks(plugins: &Plugins) {
    for _ in 0..3 {
        plugins.look().await;
    }
}

fn the(plugins: &Plugins) -> Arc<Plugin> {
    Arc::clone(plugins.iter().next().unwrap())
}

async fn call(plugin: &Plugin) -> Result<u32, Fault> {
    let response = plugin.handle_request(request("do", "x")).await?;
    Ok(u32::from_le_bytes(response.body.try_into().unwrap()))
}
