//! heliu as its own compiler: a component that would eat memory or time costs a child, not the host.

use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use heliu_control::{Config, HostView};
use heliu_plugin::{Child, Compiler, HostLimits, PluginConfig, Plugins, Workshop};
use heliu_store::Store;

const HELIU: &str = env!("CARGO_BIN_EXE_heliu");
const PLENTY: u64 = 2 << 30;
/// Enough for a small component, far from enough for the hungry one.
const LITTLE: u64 = 128 << 20;

#[tokio::test]
async fn what_makes_the_compiler_eat_is_refused_with_one_sentence() {
    let small = wat::parse_str("(component)").unwrap();
    let hungry = hungry_component();
    for (what, component, memory_len_max, cpu_s_max, want) in [
        ("a small one", &small, LITTLE, 60, "plugin p does not export `manifest`"),
        ("no component", &b"hello".to_vec(), LITTLE, 60, "p.wasm is no WebAssembly component"),
        ("memory", &hungry, LITTLE, 600, "p.wasm gives no code: compiling it takes more than 128 MiB of memory"),
        ("time", &hungry, PLENTY, 1, "p.wasm gives no code: compiling it takes more than 100 s"),
    ] {
        let refused = refusal(component, memory_len_max, cpu_s_max).await;
        assert!(refused.ends_with(want) && !refused.contains('\n'), "{what}: {refused}");
    }
}

#[test]
fn the_compiler_is_no_command_for_people() {
    let help = Command::new(HELIU).arg("--help").output().unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains("compile"));

    let mut child = Command::new(HELIU)
        .args(["compile-component", &PLENTY.to_string(), "60"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"no component").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1);
}

/// What the operator reads when this component is to be loaded.
async fn refusal(component: &[u8], memory_len_max: u64, cpu_s_max: u64) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("p.wasm");
    std::fs::write(&path, component).expect("the folder is writable");
    let arguments = ["compile-component".to_owned(), memory_len_max.to_string(), cpu_s_max.to_string()];
    let compiler = Compiler::Child(Child {
        program: HELIU.into(),
        arguments: arguments.map(OsString::from).to_vec(),
        memory_len_max,
        time_max: Duration::from_secs(100),
        code_len_max: 64 << 20,
    });
    let store = Store::in_memory();
    let limits = HostLimits { mixers_max: 1, mixer_pixels_per_second_max: 1, egresses_max: 1 };
    let view = HostView::new(store.clone(), Config { public_names: vec![], limits });
    let config = PluginConfig::new("p".parse().expect("it is a name"), path);
    let loaded = Plugins::load(vec![config], store, Arc::new(view), Workshop::new(compiler, None)).await;
    loaded.expect_err("none of them is a personality").to_string()
}

/// One function of a million instructions whose values all live to its end.
fn hungry_component() -> Vec<u8> {
    let mut text = String::from("(component (core module (func (param i64) (result i64) (local i64)\n");
    for round in 0..100_000 {
        text += &format!("local.get 0 i64.const {round} i64.mul i64.const {} i64.xor local.tee 1\n", round * 7);
        text += "local.get 1 i64.rotl\n";
    }
    text += &"i64.add ".repeat(99_999);
    text += ")))";
    wat::parse_str(text).expect("it is WebAssembly")
}
