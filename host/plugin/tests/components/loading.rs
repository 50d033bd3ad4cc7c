//! What is refused at the start, with one sentence, and what is served.

use std::path::Path;

use heliu_plugin::{PluginConfig, Secret};

use crate::guest::{ANSWER, COMMIT, Guest, HOOK, READ, WRITE};
use crate::host::{Host, config_of, load};

#[tokio::test]
async fn a_component_that_fits_is_described_and_answers() {
    let host =
        Host::with(Guest { world: "personality", apps: vec!["live"], events: vec!["host.*"], ..Guest::default() })
            .await;
    let generation = host.plugin.generation();
    let descriptor = generation.descriptor();
    assert_eq!((descriptor.name.as_str(), descriptor.sdk.as_str()), ("guest", "wat"));
    assert_eq!(descriptor.route("do").unwrap().template.as_str(), "/do/{what}");
    assert!(descriptor.wants_event("host.started"));
    assert_eq!(generation.face("/do/x").fault(503, "no", "r").unwrap().body, "fault: no");
    assert!(host.plugin.owns_app("live") && !host.plugin.owns_app("vod"));
    assert_eq!(host.call().await, Ok(0));
    assert_eq!(host.plugin.stats().calls, 1);
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_with_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let imports = |name: &str, call: &'static str, contract: fn(String) -> String, world| {
        let request = [call, ANSWER].concat().leak();
        config_of("p", Guest { request, contract, world, ..Guest::default() }.write(dir, name))
    };
    let same: fn(String) -> String = |text| text;
    for (what, config, want) in [
        ("no file", config_of("p", dir.join("missing.wasm")), "missing.wasm cannot be read: No such file or directory"),
        ("no wasm", raw(dir, "text", b"hello"), "text.wasm is no WebAssembly component"),
        ("a core module", raw(dir, "core", &Guest::default().core_module()), "but a core module"),
        ("a cut component", raw(dir, "cut", &cut(dir)), "is no WebAssembly component: "),
        (
            "another version",
            imports("later", "", |text| text.replace("@0.1.0", "@0.2.0"), "web"),
            "plugin p is built for the contract heliu:personality@0.2.0, this host serves heliu:personality@0.1.0",
        ),
        (
            "an interface of later",
            imports("fetch", "(call $fetch)", with_fetch, "odd"),
            "plugin p imports `heliu:personality/fetch@0.1.0`, which this host does not have",
        ),
        (
            "a function of nobody",
            imports("beep", "(call $beep)", with_beep, "odd"),
            "plugin p imports `beep`, which this host does not have",
        ),
        (
            "a changed import",
            imports("import", WRITE, |text| text.replace("ttl-s: option<u32>", "ttl-s: option<s32>"), "web"),
            "plugin p does not fit the contract heliu:personality@0.1.0: ",
        ),
        (
            "a changed export",
            imports("export", "", |text| text.replace("status: u16,", "status: s16,"), "web"),
            "plugin p does not fit the contract heliu:personality@0.1.0: ",
        ),
        (
            "no grant",
            PluginConfig { grants: Some(vec!["mixers".into()]), ..imports("store", READ, same, "web") },
            "plugin p imports `store`, which its `grants` do not list",
        ),
        (
            "an unknown grant",
            PluginConfig { grants: Some(vec!["mixer".into()]), ..imports("grant", "", same, "web") },
            "plugin p: `grants` lists `mixer`, which this host does not have",
        ),
        (
            "apps for one that cannot admit",
            PluginConfig { apps: Some(vec!["live".into()]), ..imports("apps", "", same, "web") },
            "plugin p is given apps, but does not export `admission`",
        ),
        (
            "apps of its own",
            config_of("p", Guest { apps: vec!["live"], ..Guest::default() }.write(dir, "own")),
            "plugin p: it has apps, but does not export `admission`",
        ),
        (
            "a descriptor that asks the host",
            config_of("p", Guest { describe: HOOK, ..Guest::default() }.write(dir, "asks")),
            "plugin p does not say what it is: `describe` called an import",
        ),
        (
            "a descriptor that never comes",
            config_of("p", Guest { describe: "(loop (br 0))", ..Guest::default() }.write(dir, "never")),
            "plugin p does not say what it is: ",
        ),
        (
            "a path of the host",
            config_of("p", Guest { routes: vec![("x", "GET", "/healthz")], ..Guest::default() }.write(dir, "path")),
            "plugin p: the path of route `x` belongs to the host",
        ),
        (
            "a wrong setting",
            PluginConfig {
                config: serde_json::json!({ "kye": 1 }),
                ..config_of("p", with_schema().write(dir, "schema"))
            },
            "plugin p: `plugins.p.config.kye` is no setting of this plugin",
        ),
        (
            "a wrong base",
            PluginConfig { base: "v1".into(), ..imports("base", "", same, "web") },
            "plugin p: `base` must begin with `/` and hold no parameters",
        ),
    ] {
        let text = load(vec![config]).await.err().map(|error| error.to_string());
        assert!(text.as_ref().is_some_and(|text| text.contains(want)), "{what}: {text:?}");
        assert!(!text.unwrap().contains('\n'), "{what}: one line");
    }
}

#[tokio::test]
async fn what_is_granted_loads() {
    let dir = tempfile::tempdir().unwrap();
    let request = [READ, WRITE, COMMIT, ANSWER].concat().leak();
    let component = Guest { request, ..with_schema() }.write(dir.path(), "granted");
    let mut config = config_of("p", component);
    config.grants = Some(vec!["store".into(), "secret:key".into()]);
    config.secrets.insert("key".into(), Secret::new("s3cret".into()));
    config.config = serde_json::json!({ "key": "x" });
    assert!(!format!("{config:?}").contains("s3cret"), "secrets do not show");
    load(vec![config]).await.unwrap();
}

#[tokio::test]
async fn two_plugins_must_get_on() {
    let dir = tempfile::tempdir().unwrap();
    let plain = Guest::default().write(dir.path(), "plain");
    let admits = Guest { world: "personality", routes: vec![("x", "GET", "/x")], ..Guest::default() }
        .write(dir.path(), "admits");
    let named = |name: &str, component: &std::path::PathBuf, apps: &[&str], base: &str| PluginConfig {
        apps: (!apps.is_empty()).then(|| apps.iter().map(|app| (*app).to_owned()).collect()),
        base: base.to_owned(),
        ..config_of(name, component.clone())
    };
    for (what, first, second, want) in [
        ("apart", named("a", &plain, &[], "/"), named("b", &plain, &[], "/v1"), None),
        ("one name", named("a", &plain, &[], "/"), named("a", &plain, &[], "/v1"), Some("two plugins are called a")),
        (
            "one route",
            named("a", &plain, &[], "/"),
            named("b", &plain, &[], "/"),
            Some("the plugins a and b both answer POST /do/{what}"),
        ),
        (
            "other listeners",
            PluginConfig { http: vec!["x".into()], ..named("a", &plain, &[], "/") },
            PluginConfig { http: vec!["y".into()], ..named("b", &plain, &[], "/") },
            None,
        ),
        (
            "one app",
            named("a", &admits, &["live"], "/a"),
            named("b", &admits, &["live"], "/b"),
            Some("the app `live` is claimed by the plugins a and b"),
        ),
        (
            "the rest twice",
            named("a", &admits, &["*"], "/a"),
            named("b", &admits, &["*"], "/b"),
            Some("the app `*` is claimed by the plugins a and b"),
        ),
        (
            "an app over a route",
            named("a", &admits, &["do"], "/a"),
            named("b", &plain, &[], "/"),
            Some("the app `do` of plugin a hides the route POST /do/{what} of plugin b"),
        ),
    ] {
        let text = load(vec![first, second]).await.err().map(|error| error.to_string());
        assert_eq!(text.as_deref(), want, "{what}");
    }
    assert_eq!(load(vec![]).await.unwrap().iter().count(), 0, "none at all");
    let both = vec![named("a", &admits, &["*"], "/a"), named("b", &admits, &["live"], "/b")];
    let plugins = load(both).await.unwrap();
    for (app, want) in [("live", "b"), ("vod", "a")] {
        assert_eq!(plugins.owner_of_app(app).unwrap().namespace().as_str(), want, "{app}");
    }
}

fn with_schema() -> Guest {
    let schema = r#"{"type":"object","properties":{"key":{"type":"string"}},"additionalProperties":false}"#;
    Guest { schema: Some(schema), ..Guest::default() }
}

fn with_fetch(text: String) -> String {
    if !text.contains("world web") {
        return text;
    }
    text + "\ninterface fetch { go: func(); }\nworld odd { include web; import fetch; }\n"
}

fn with_beep(text: String) -> String {
    if !text.contains("world web") {
        return text;
    }
    text + "\nworld odd { include web; import beep: func(); }\n"
}

fn cut(dir: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(Guest::default().write(dir, "whole")).unwrap();
    bytes.truncate(bytes.len() / 2);
    bytes
}

fn raw(dir: &Path, name: &str, bytes: &[u8]) -> PluginConfig {
    let path = dir.join(format!("{name}.wasm"));
    std::fs::write(&path, bytes).unwrap();
    config_of("p", path)
}
