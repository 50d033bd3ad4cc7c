//! A plugin that fails again and again, and two that must not see each other's memory.

use std::time::Duration;

use crate::server::{Server, pingos, rogue, wait_for};

#[test]
fn a_plugin_that_keeps_failing_is_left_alone_and_tried_again() {
    let server = Server::with(&format!("{}{}", pingos(""), rogue("bad", "reuse")));
    for at in 0..8 {
        assert_eq!(server.call("GET", "/bad/rogue/trap", "").status, 500, "fault {at}");
    }
    let refused = server.call("GET", "/bad/rogue/nothing", "");
    assert_eq!((refused.status, refused.body.contains("busy")), (503, true), "in the plugin's own shape: {refused:?}");
    assert_eq!(server.json("GET", "/mixer/living", "")["code"], 0, "the other one is served");
    wait_for("another try", Duration::from_secs(60), || {
        (server.call("GET", "/bad/rogue/nothing", "").status == 200).then_some(())
    });
    let log = server.log();
    for (line, count) in [("fails again and again", 1), ("works again", 1)] {
        assert_eq!(log.matches(line).count(), count, "{line}: {log}");
    }
}

#[test]
fn no_plugin_finds_what_another_one_left_in_memory() {
    for (leaves, looks) in [("fresh", "fresh"), ("reuse", "fresh"), ("fresh", "reuse"), ("reuse", "reuse")] {
        let server = Server::with(&format!("{}{}", rogue("one", leaves), rogue("two", looks)));
        for round in 0..30 {
            assert_eq!(server.call("GET", "/one/rogue/leave", "").status, 200);
            let seen = server.json("GET", "/two/rogue/look", "");
            assert_eq!(seen["canaries"], 0, "{leaves} beside {looks}, round {round}");
        }
    }
    let server = Server::with(&rogue("one", "reuse"));
    assert_eq!(server.call("GET", "/one/rogue/leave", "").status, 200);
    let own = server.json("GET", "/one/rogue/look", "");
    assert!(own["canaries"].as_u64() >= Some(500_000), "it would have been found: {own}");
}
