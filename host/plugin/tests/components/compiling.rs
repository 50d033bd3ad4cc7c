//! Compiled code: made where it harms nobody, kept, and believed only when it is ours.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use heliu_plugin::{Child, CodeCache, Compiler, Plugins, Workshop};
use heliu_store::Store;

use crate::guest::Guest;
use crate::host::{FakePlane, config_of};

#[tokio::test]
async fn what_was_compiled_once_needs_no_compiler() {
    let dir = tempfile::tempdir().unwrap();
    let component = Guest::default().write(dir.path(), "guest");
    assert_eq!(load(&component, kept(&dir, Compiler::InProcess)).await, Ok([0, 1, 0]));
    assert_eq!(load(&component, kept(&dir, broken_compiler())).await, Ok([1, 0, 0]));

    let other = Guest { routes: vec![("other", "GET", "/other")], ..Guest::default() }.write(dir.path(), "other");
    let refused = load(&other, kept(&dir, broken_compiler())).await.unwrap_err();
    assert!(refused.ends_with("other.wasm gives no code: the compiler died over it: exit status: 1"), "{refused}");
}

#[tokio::test]
async fn what_is_not_whole_and_ours_is_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    let component = Guest::default().write(dir.path(), "guest");
    let second = Guest { routes: vec![("b", "GET", "/b")], ..Guest::default() }.write(dir.path(), "second");
    load(&component, kept(&dir, Compiler::InProcess)).await.unwrap();
    let file = only_code_file(dir.path());
    let code = std::fs::read(&file).unwrap();

    let foreign = tempfile::tempdir().unwrap();
    load(&component, kept(&foreign, Compiler::InProcess)).await.unwrap();
    let foreign = std::fs::read(only_code_file(foreign.path())).unwrap();
    let another = tempfile::tempdir().unwrap();
    std::fs::create_dir(another.path().join("code")).unwrap();
    std::fs::copy(dir.path().join("code/key"), another.path().join("code/key")).unwrap();
    load(&second, kept(&another, Compiler::InProcess)).await.unwrap();
    let another = std::fs::read(only_code_file(another.path())).unwrap();

    let mut changed = code.clone();
    *changed.last_mut().unwrap() ^= 1;
    for (what, bytes) in [
        ("cut", &code[..code.len() - 1]),
        ("empty", &[]),
        ("changed", &changed),
        ("sealed by another host", &foreign),
        ("another component's, renamed", &another),
        ("text", b"hello"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        assert!(load(&component, kept(&dir, broken_compiler())).await.is_err(), "{what}: not believed");
        assert_eq!(load(&component, kept(&dir, Compiler::InProcess)).await, Ok([0, 0, 1]), "{what}: counted");
        assert_eq!(load(&component, kept(&dir, Compiler::InProcess)).await, Ok([1, 0, 0]), "{what}: written again");
    }
}

#[tokio::test]
async fn only_so_much_code_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let ids = ["a", "b", "c", "d", "e", "f"];
    let write = |id: &'static str| Guest { routes: vec![(id, "GET", "/x")], ..Guest::default() }.write(dir.path(), id);
    let components = ids.map(write);
    std::fs::create_dir(dir.path().join("code")).unwrap();
    std::fs::write(dir.path().join("code/cut.code.part"), "of a host that was killed").unwrap();
    for component in &components {
        load(component, kept(&dir, Compiler::InProcess)).await.unwrap();
    }
    // The key, a history, two components to go back to, and the code of those and of two more.
    assert_eq!(std::fs::read_dir(dir.path().join("code")).unwrap().count(), 8);
    for (component, is_kept) in components.iter().zip([false, false, true, true, true, true]) {
        assert_eq!(load(component, kept(&dir, broken_compiler())).await.is_ok(), is_kept, "{component:?}");
    }
}

#[tokio::test]
async fn a_compiler_that_misbehaves_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let component = Guest::default().write(dir.path(), "guest");
    for (what, program, arguments, want) in [
        ("no such program", "no-such-program", vec![], "the compiler does not start: No such file or directory"),
        ("it fails without a word", "false", vec![], "the compiler died over it: exit status: 1"),
        ("it hangs", "sleep", vec!["600"], "compiling it takes more than 1 s"),
        ("it floods", "yes", vec![], "its compiled code is longer than 1 MiB"),
        ("it gives back what it got", "cat", vec![], "the compiler made something else"),
        ("it is told nothing of the host", "env", vec![], "the compiler made something else"),
    ] {
        let compiler = child(program, &arguments);
        let refused = load(&component, Workshop::new(compiler, None)).await.unwrap_err();
        assert!(refused.contains(&format!("guest.wasm gives no code: {want}")), "{what}: {refused}");
        assert!(!refused.contains('\n'), "{what}: one line");
    }
}

/// Loads, and says how often the cache hit, missed and ignored a file.
async fn load(component: &Path, workshop: Workshop) -> Result<[u64; 3], String> {
    let config = config_of("p", component.to_owned());
    let plane = Arc::new(FakePlane::default());
    let loaded = Plugins::load(vec![config], Store::in_memory(), plane, workshop.clone()).await;
    loaded.map_err(|error| error.to_string())?;
    Ok(workshop.cache_stats().map_or([0; 3], |stats| [stats.hits, stats.misses, stats.ignored]))
}

fn kept(dir: &tempfile::TempDir, compiler: Compiler) -> Workshop {
    Workshop::new(compiler, Some(CodeCache::open(&dir.path().join("code"), 2).unwrap()))
}

fn broken_compiler() -> Compiler {
    child("false", &[])
}

fn child(program: &str, arguments: &[&str]) -> Compiler {
    Compiler::Child(Child {
        program: program.into(),
        arguments: arguments.iter().map(Into::into).collect(),
        memory_len_max: 0,
        time_max: Duration::from_secs(1),
        code_len_max: 1 << 20,
    })
}

fn only_code_file(dir: &Path) -> PathBuf {
    let files = std::fs::read_dir(dir.join("code")).unwrap().map(|entry| entry.unwrap().path());
    let mut code = files.filter(|path| path.extension().is_some_and(|extension| extension == "code"));
    let found = code.next().expect("code is kept");
    assert_eq!(code.next(), None);
    found
}
