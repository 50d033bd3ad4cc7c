//! A component is replaced while the host serves.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::server::{Server, component, wait_for};

/// Two looks and a compilation, on a busy machine.
const TAKEN_WITHIN: Duration = Duration::from_secs(60);

#[test]
fn twenty_components_replace_each_other_under_load_and_no_request_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rogue.wasm");
    put(&file, 0);
    let server = Server::with(&table(&file));
    let (is_over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        let answer = server.call("GET", "/rogue/well", "");
                        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"rogue":"behaved"}"#));
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for swap in 1..=20 {
            put(&file, swap);
            wait_for("the component to serve", TAKEN_WITHIN, || {
                server.hang_up();
                (count(&server, "plugin replaced") >= swap).then_some(())
            });
            let before = answered.load(Ordering::Relaxed);
            wait_for("answers of it", TAKEN_WITHIN, || (answered.load(Ordering::Relaxed) > before + 10).then_some(()));
            if clients.iter().any(std::thread::ScopedJoinHandle::is_finished) {
                break;
            }
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(clients.into_iter().all(|client| client.join().is_ok()), "no request failed");
    });
}

#[test]
fn a_component_that_does_not_load_leaves_the_old_one_serving() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rogue.wasm");
    put(&file, 0);
    let mut server = Server::with(&table(&file));
    std::fs::write(&file, "no component").unwrap();
    wait_for("the refusal", TAKEN_WITHIN, || (count(&server, "component refused") > 0).then_some(()));
    assert!(server.log().contains("rogue.wasm is no WebAssembly component"));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(count(&server, "component refused"), 1, "said once");
    assert_eq!(server.call("GET", "/rogue/well", "").status, 200);

    put(&file, 1);
    wait_for("the repaired one", TAKEN_WITHIN, || (count(&server, "plugin replaced") > 0).then_some(()));
    assert_eq!(server.call("GET", "/rogue/well", "").status, 200);

    server.kill();
    server.start_again();
    assert_eq!(server.call("GET", "/rogue/well", "").status, 200, "and after a restart, from kept code");
}

#[test]
fn an_operator_sees_what_serves_and_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rogue.wasm");
    put(&file, 0);
    let mut server = Server::with(&table(&file));
    let list = |server: &Server| server.operate(&["plugin", "list"]);
    let first = list(&server);
    assert!(first.0 && first.1.contains("rogue   serving  1 "), "{first:?}");
    assert!(!server.operate(&["plugin", "rollback", "rogue"]).0, "there is nothing before");

    put(&file, 1);
    wait_for("the second one", TAKEN_WITHIN, || list(&server).1.contains("serving  2 ").then_some(()));
    let (is_done, told) = server.operate(&["plugin", "rollback", "rogue"]);
    assert!(is_done && told.starts_with("rogue serves with component "), "{told}");
    std::thread::sleep(Duration::from_secs(3));
    assert!(list(&server).1.contains("rolled-back  3 "), "{:?}", list(&server));
    assert_eq!(server.call("GET", "/rogue/well", "").status, 200);

    server.kill();
    server.start_again();
    assert!(list(&server).1.contains("rolled-back  1 "), "{:?}", list(&server));
    std::fs::write(&file, "no component").unwrap();
    wait_for("the refusal", TAKEN_WITHIN, || list(&server).1.contains("\nrefused: plugin rogue: ").then_some(()));

    let unknown = server.operate(&["plugin", "rollback", "nobody"]);
    assert_eq!(unknown, (false, "heliu: there is no plugin nobody\n".to_owned()));
    server.kill();
    let nobody = list(&server);
    assert!(!nobody.0 && nobody.1.starts_with("heliu: no heliu listens on http://"), "{nobody:?}");
}

/// The same component with another content: a custom section (section 0, its length, a name, a byte).
fn put(file: &Path, variant: usize) {
    let variant = u8::try_from(variant).expect("there are few");
    let mut bytes = std::fs::read(component("rogue")).unwrap();
    bytes.extend([0, 3, 1, b'v', variant]);
    std::fs::write(file, bytes).unwrap();
}

fn table(file: &Path) -> String {
    format!("[plugins.rogue]\ncomponent = \"{}\"\n", file.display())
}

fn count(server: &Server, message: &str) -> usize {
    server.log().matches(message).count()
}
