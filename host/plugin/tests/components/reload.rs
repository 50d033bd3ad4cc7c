//! Another component takes over while the old one serves, or the old one goes on.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::FutureExt;
use heliu_plugin::{Fault, LoadError, Plugin, PluginConfig, Plugins, Standing};
use heliu_store::Store;
use tempfile::TempDir;

use crate::guest::{ANSWER, Guest, HOOK};
use crate::host::{FakePlane, config_of, request, workshop};

#[tokio::test]
async fn another_component_serves_once_it_held_still() {
    let folder = Folder::new();
    folder.put("p", &saying(1));
    let plugins = folder.load().await.unwrap();
    let plugin = plugins.get(&"p".parse().unwrap()).unwrap();
    assert_eq!((call(plugin).await, plugin.generation().number()), (Ok(1), 1));

    let two = folder.bytes(&saying(2));
    std::fs::write(folder.path("p"), &two[..two.len() / 2]).unwrap();
    plugins.look().await;
    assert_eq!((call(plugin).await, plugins.swaps()), (Ok(1), 0), "half of it is not taken");
    std::fs::write(folder.path("p"), &two).unwrap();
    plugins.look().await;
    assert_eq!((call(plugin).await, plugins.swaps()), (Ok(1), 0), "it may still grow");
    plugins.look().await;
    assert_eq!((call(plugin).await, plugins.swaps()), (Ok(2), 1));
    let generation = plugin.generation();
    assert_eq!((generation.number(), plugin.standing()), (2, Standing::Current));
    assert_eq!(plugin.stats().calls, 4, "what was counted stays");
    for _ in 0..3 {
        plugins.look().await;
    }
    assert!(Arc::ptr_eq(&generation, &plugin.generation()), "nothing has changed");
}

#[tokio::test]
async fn what_does_not_load_leaves_the_old_one_serving() {
    let folder = Folder::new();
    let later: fn(String) -> String = |text| text.replace("@0.1.0", "@0.2.0");
    let trapping = Guest { describe: "unreachable", ..Guest::default() };
    let reserved = Guest { routes: vec![("x", "GET", "/healthz")], ..Guest::default() };
    for (what, bytes, want) in [
        ("text", Some(b"hello".to_vec()), "p.wasm is no WebAssembly component"),
        ("half a component", Some(folder.bytes(&saying(7))[..900].to_vec()), "p.wasm is no WebAssembly component: "),
        (
            "another contract",
            Some(folder.bytes(&Guest { contract: later, ..Guest::default() })),
            "plugin p is built for the contract heliu:personality@0.2.0",
        ),
        ("one that traps", Some(folder.bytes(&trapping)), "plugin p does not say what it is"),
        ("a path of the host", Some(folder.bytes(&reserved)), "plugin p: the path of route `x` belongs to the host"),
        ("no file", None, "p.wasm cannot be read: No such file or directory"),
    ] {
        folder.put("p", &saying(1));
        let plugins = folder.load().await.unwrap();
        let plugin = plugins.get(&"p".parse().unwrap()).unwrap();
        match bytes {
            Some(bytes) => std::fs::write(folder.path("p"), bytes).unwrap(),
            None => std::fs::remove_file(folder.path("p")).unwrap(),
        }
        for _ in 0..5 {
            plugins.look().await;
        }
        let standing = plugin.standing();
        assert!(matches!(&standing, Standing::Refused(why) if why.contains(want)), "{what}: {standing:?}");
        assert_eq!((call(plugin).await, plugin.generation().number()), (Ok(1), 1), "{what}");

        folder.put("p", &saying(1));
        plugins.look().await;
        assert_eq!(plugin.standing(), Standing::Current, "{what}: the file is repaired");
        folder.put("p", &saying(2));
        plugins.look().await;
        plugins.look().await;
        assert_eq!(
            (call(plugin).await, plugin.standing()),
            (Ok(2), Standing::Current),
            "{what}: the next one is taken"
        );
    }
}

#[tokio::test]
async fn who_wants_what_another_has_waits_until_it_is_free() {
    let folder = Folder::new();
    folder.put("a", &Guest { routes: vec![("a", "GET", "/a")], ..Guest::default() });
    folder.put("b", &admitting(&[], "/b"));
    let plugins = folder.load().await.unwrap();
    let [a, b] = ["a", "b"].map(|name| Arc::clone(plugins.get(&name.parse().unwrap()).unwrap()));

    folder.put("b", &admitting(&["live"], "/a"));
    for _ in 0..3 {
        plugins.look().await;
    }
    assert_eq!(b.standing(), Standing::Refused("the plugins a and b both answer GET /a".to_owned()));
    assert!(plugins.owner_of_app("live").is_none());

    folder.put("a", &Guest { routes: vec![("a", "GET", "/other")], ..Guest::default() });
    for _ in 0..4 {
        plugins.look().await;
    }
    assert_eq!((a.standing(), b.standing()), (Standing::Current, Standing::Current));
    assert_eq!((a.generation().number(), b.generation().number()), (2, 2));
    assert_eq!(plugins.owner_of_app("live").unwrap().namespace().as_str(), "b");
}

#[tokio::test]
async fn a_call_finishes_where_it_began_and_its_key_is_held() {
    let folder = Folder::new();
    let slow: &'static str = [HOOK, "(i32.store (i32.const 64) (i32.const 1))", ANSWER].concat().leak();
    folder.put("p", &Guest { request: slow, is_serialized: true, ..Guest::default() });
    let plane = Arc::new(FakePlane::default());
    let (reached, mut is_reached) = tokio::sync::mpsc::unbounded_channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    *plane.hook.lock().unwrap() = Some(Box::new(move || {
        reached.send(()).unwrap();
        let _ = may_go_on.recv();
    }));
    let plugins = Plugins::load(vec![folder.config("p")], Store::in_memory(), plane, workshop()).await.unwrap();
    let plugin = Arc::clone(plugins.get(&"p".parse().unwrap()).unwrap());

    let old = tokio::task::spawn_blocking({
        let plugin = Arc::clone(&plugin);
        move || tokio::runtime::Handle::current().block_on(async move { call(&plugin).await })
    });
    is_reached.recv().await.unwrap();
    folder.put("p", &Guest { is_serialized: true, ..saying(2) });
    plugins.look().await;
    plugins.look().await;
    assert_eq!(plugin.generation().number(), 2);

    let mut next = Box::pin(call(&plugin));
    assert!(next.as_mut().now_or_never().is_none(), "the key is held by the old generation's call");
    go_on.send(()).unwrap();
    assert_eq!((old.await.unwrap(), next.await), (Ok(1), Ok(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_swaps_under_load_lose_no_call() {
    let folder = Folder::new();
    folder.put("p", &saying(0));
    let plugins = folder.load().await.unwrap();
    let plugin = Arc::clone(plugins.get(&"p".parse().unwrap()).unwrap());
    let (is_over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (plugin, is_over, answered) = (Arc::clone(&plugin), Arc::clone(&is_over), Arc::clone(&answered));
            tokio::spawn(async move {
                let mut last = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let number = call(&plugin).await.expect("no call fails");
                    assert!(number >= last, "{number} after {last}");
                    last = number;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                last
            })
        })
        .collect();
    for number in 1..=20 {
        folder.put("p", &saying(number));
        plugins.look().await;
        plugins.look().await;
        let before = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) < before + 20 {
            tokio::task::yield_now().await;
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let mut last = 0;
    for caller in callers {
        last = last.max(caller.await.unwrap());
    }
    assert_eq!(last, 20, "who called last found the last one");
    assert_eq!((plugins.swaps(), plugin.generation().number()), (20, 21));
}

/// Where components lie.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(format!("{name}.wasm"))
    }

    fn put(&self, name: &str, guest: &Guest) {
        guest.write(self.0.path(), name);
    }

    fn bytes(&self, guest: &Guest) -> Vec<u8> {
        std::fs::read(guest.write(self.0.path(), "other")).unwrap()
    }

    fn config(&self, name: &str) -> PluginConfig {
        config_of(name, self.path(name))
    }

    /// All that is there.
    async fn load(&self) -> Result<Plugins, LoadError> {
        let names = ["a", "b", "p"].into_iter().filter(|name| self.path(name).exists());
        let configs = names.map(|name| self.config(name)).collect();
        Plugins::load(configs, Store::in_memory(), Arc::new(FakePlane::default()), workshop()).await
    }
}

/// Answers this number.
fn saying(number: u32) -> Guest {
    let say = format!("(i32.store (i32.const 64) (i32.const {number})){ANSWER}");
    Guest { request: say.leak(), ..Guest::default() }
}

fn admitting(apps: &[&'static str], path: &'static str) -> Guest {
    Guest { world: "personality", apps: apps.to_vec(), routes: vec![("x", "GET", path)], ..Guest::default() }
}

async fn call(plugin: &Plugin) -> Result<u32, Fault> {
    let response = plugin.handle_request(request("do", "x")).await?;
    Ok(u32::from_le_bytes(response.body.try_into().unwrap()))
}
