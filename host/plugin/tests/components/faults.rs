//! A call that misbehaves costs that call, and nobody else.

use std::sync::Arc;

use heliu_plugin::Fault;

use crate::guest::{ANSWER, Guest, READ, WRITE};
use crate::host::{Host, request};

#[tokio::test]
async fn what_a_guest_does_wrong_is_one_fault_and_writes_nothing() {
    for (what, end, want) in [
        ("a trap", "unreachable", Fault::Trap),
        ("a loop", "(loop (br 0)) unreachable", Fault::Cpu),
        ("memory", "(if (i32.eq (memory.grow (i32.const 1024)) (i32.const -1)) (then unreachable))", Fault::Memory),
        ("chance without measure", "(call $random (i32.const 4097) (i32.const 400))", Fault::Trap),
        ("an answer from nowhere", "(return (i32.const -64))", Fault::Trap),
        (
            "nine megabytes",
            "(drop (memory.grow (i32.const 160))) (i32.store16 (i32.const 480) (i32.const 200)) (i32.store8 (i32.const 492) (i32.const 1))
                (i32.store (i32.const 496) (i32.const 65536)) (i32.store (i32.const 500) (i32.const 9437184)) (return (i32.const 480))",
            Fault::HostCall,
        ),
        (
            "forty megabytes it does not have",
            "(i32.store16 (i32.const 480) (i32.const 200)) (i32.store8 (i32.const 492) (i32.const 1))
                (i32.store (i32.const 500) (i32.const 41943040)) (return (i32.const 480))",
            Fault::Trap,
        ),
        ("no status", "(i32.store (i32.const 480) (i32.const 99)) (return (i32.const 480))", Fault::BadResponse),
        (
            "an asset",
            "(i32.store (i32.const 480) (i32.const 200)) (i32.store8 (i32.const 492) (i32.const 2)) (return (i32.const 480))",
            Fault::BadResponse,
        ),
    ] {
        let body = [READ, WRITE, end, ANSWER].concat().leak();
        let host = Host::with(Guest { request: body, ..Guest::default() }).await;
        assert_eq!(host.call().await, Err(want), "{what}");
        assert_eq!(host.number(), None, "{what}");
        let faults: Vec<_> = host.plugin.stats().faults.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(faults, [(want.as_str(), 1)], "{what}");
    }
}

#[tokio::test]
async fn a_guest_may_use_what_it_is_allowed() {
    let grow = "(if (i32.eq (memory.grow (i32.const 480)) (i32.const -1)) (then unreachable))";
    let host = Host::with(Guest { request: [grow, READ, WRITE, ANSWER].concat().leak(), ..Guest::default() }).await;
    for want in 1..=3 {
        assert_eq!(host.call().await, Ok(want), "each call has a fresh instance");
    }
    assert_eq!(host.number(), Some(3));
}

#[tokio::test]
async fn others_are_served_while_one_loops() {
    // The request lies at the parameter, its route's name at 8 from there; 108 is `l`.
    let route = "(i32.load8_u (i32.load offset=8 (local.get 0)))";
    let body = ["(if (i32.eq (i32.const 108) ", route, ") (then (loop (br 0))))"].concat();
    let guest = Guest {
        routes: vec![("do", "POST", "/do/{what}"), ("loop", "POST", "/loop/{what}")],
        request: [&body, ANSWER].concat().leak(),
        ..Guest::default()
    };
    let host = Host::with(guest).await;
    let endless = host.plugin.handle_request(request("loop", "x"));
    let quick = async {
        for _ in 0..10 {
            assert_eq!(host.call().await, Ok(0));
        }
    };
    let (endless, ()) = tokio::join!(endless, quick);
    assert_eq!(endless, Err(Fault::Cpu));
}

/// Two threads, as the edge has. Where loops take both in slices of a tick, a good call waits for dozens of
/// them at each of its steps: it would be answered some twenty times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_loops_leaves_a_thread_to_others() {
    let endless = Guest { request: "(loop (br 0)) unreachable", ..Guest::default() };
    let (bad, good) = (Arc::new(Host::with(endless).await), Host::with(Guest::default()).await);
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let bad = Arc::clone(&bad);
        crowd.spawn(async move { assert!(bad.call().await.is_err()) });
    }
    let mut answers = 0;
    while !crowd.is_empty() {
        assert_eq!(good.call().await, Ok(0));
        answers += 1;
        while let Some(ended) = crowd.try_join_next() {
            ended.unwrap();
        }
    }
    assert!(answers >= 200, "{answers} answers beside the loops");
}

#[tokio::test]
async fn time_and_places_are_bounded() {
    let endless = Guest { request: "(loop (br 0)) unreachable", ..Guest::default() };
    let host = Host::with_limits(endless, |limits| {
        limits.cpu_max = std::time::Duration::from_secs(600);
        limits.time_max = std::time::Duration::from_millis(300);
        limits.in_flight_max = 1;
        limits.queued_max = 1;
    })
    .await;
    let answers = tokio::join!(host.call(), host.call(), host.call());
    assert_eq!(answers, (Err(Fault::Timeout), Err(Fault::Timeout), Err(Fault::TooManyCalls)));
    assert_eq!(host.call().await, Err(Fault::Timeout), "the place came back");
}
