//! Each limit of the contract that a call can meet, and the counter that tells of it.

use std::time::Duration;

use heliu_plugin::{Fault, Limit, Limits};

use crate::guest::{ANSWER, Guest, READ, WRITE};
use crate::host::Host;

/// The answer's number becomes the case of the error that was told: `exhausted` is 4.
const TOLD: &str = "(i32.store (i32.const 64) (i32.load8_u (i32.const 196)))";
const GROW: &str = "(if (i32.eq (memory.grow (i32.const 480)) (i32.const -1)) (then unreachable))";

#[tokio::test]
async fn a_limit_that_is_met_is_counted_under_its_name() {
    type Change = fn(&mut Limits);
    let endless = "(loop (br 0)) unreachable";
    let sleep = "(loop (br 0)) unreachable";
    let lines = "(call $write (i32.const 2) (i32.const 32) (i32.const 1) (i32.const 0) (i32.const 0))".repeat(5);
    let lines: &str = lines.leak();
    let large = "(call $put (i32.const 32) (i32.const 1) (i32.const 0) (i32.const 2000) (i32.const 0) (i32.const 0) (i32.const 192))";
    let longest = "(call $put (i32.const 32) (i32.const 600) (i32.const 64) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 192))";
    let random = "(call $put (i32.const 32) (i32.const 1) (i32.const 0) (i32.const 60000) (i32.const 0) (i32.const 0) (i32.const 192))";
    for (what, change, body, want, limit) in [
        ("computing", (|_| {}) as Change, vec![endless], Err(Fault::Cpu), Limit::Cpu),
        (
            "time",
            |limits| {
                limits.cpu_max = Duration::from_secs(60);
                limits.time_max = Duration::from_millis(200);
            },
            vec![sleep],
            Err(Fault::Timeout),
            Limit::Time,
        ),
        ("memory", |limits| limits.memory_len_max = 8 << 20, vec![GROW], Err(Fault::Memory), Limit::Memory),
        (
            "memory of the plugin",
            |limits| limits.plugin_memory_len_max = 8 << 20,
            vec![GROW],
            Err(Fault::Memory),
            Limit::PluginMemory,
        ),
        (
            "bytes of a host call",
            |limits| limits.host_call_len_max = 50_000,
            vec![random],
            Err(Fault::HostCall),
            Limit::HostCall,
        ),
        (
            "bytes of a response",
            |limits| limits.response_len_max = 3,
            vec![],
            Err(Fault::ResponseTooLarge),
            Limit::Response,
        ),
        (
            "bytes of a transaction",
            |limits| limits.transaction_len_max = 1_000,
            vec![large, TOLD],
            Ok(4),
            Limit::Transaction,
        ),
        ("a key", |_| {}, vec![longest, TOLD], Ok(0), Limit::Argument),
        ("durable writes", |limits| limits.writes_per_minute_max = 0, vec![READ, WRITE, TOLD], Ok(4), Limit::Writes),
        ("log lines", |limits| limits.log_lines_per_second_max = 4, vec![lines], Ok(0), Limit::LogLines),
    ] {
        let request = [&body.concat(), ANSWER].concat().leak();
        let host = Host::with_limits(Guest { request, ..Guest::default() }, change).await;
        assert_eq!(host.call().await, want, "{what}");
        let met: Vec<_> = host.plugin.stats().limits.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(met, [(limit.as_str(), 1)], "{what}");
    }
}

#[tokio::test]
async fn alarms_are_counted_and_their_payload_is_bounded() {
    let set = |payload: u32| {
        format!(
            "(call $set (i32.const 32) (i32.const 1) (i32.const 1000) (i32.const 0) (i32.const 0) (i32.const 0)
                (i32.const 0) (i32.const {payload}) (i32.const 192)) {TOLD}"
        )
    };
    let letter = "(i32.store8 (i32.const 32) (i32.const 110))";
    for (what, alarms_max, payload, want, limit) in
        [("too many", 0, 0, 4, Limit::Alarms), ("a long payload", 10, 4_097, 0, Limit::Argument)]
    {
        let request = [letter, &set(payload), ANSWER].concat().leak();
        let guest = Guest { world: "personality", request, ..Guest::default() };
        let host = Host::with_limits(guest, |limits| limits.alarms_max = alarms_max).await;
        assert_eq!(host.call().await, Ok(want), "{what}");
        assert_eq!(host.plugin.stats().limit(limit), 1, "{what}");
        assert!(host.store.alarms().unwrap().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn durable_writes_are_counted_when_they_are_committed() {
    let host =
        Host::with_limits(Guest { request: [READ, WRITE, ANSWER].concat().leak(), ..Guest::default() }, |limits| {
            limits.writes_per_minute_max = 2;
        })
        .await;
    for want in [1, 2, 3] {
        assert_eq!(host.call().await, Ok(want));
    }
    assert_eq!((host.number(), host.plugin.stats().limit(Limit::Writes)), (Some(2), 1), "the third was refused");
}

#[tokio::test]
async fn calls_above_the_plugins_share_of_computing_queue() {
    let burn = "
        (local.set 1 (i32.const 0))
        (loop $on (local.set 1 (i32.add (local.get 1) (i32.const 1)))
            (br_if $on (i32.lt_u (local.get 1) (i32.const 4000000))))";
    let guest = || Guest { request: [burn, ANSWER].concat().leak(), ..Guest::default() };
    for (percent, queues) in [(1, true), (0, false)] {
        let host = Host::with_limits(guest(), |limits| {
            limits.cpu_percent_max = percent;
            limits.cpu_max = Duration::from_secs(60);
            limits.time_max = Duration::from_millis(500);
        })
        .await;
        // One percent over ten seconds is a budget of 100 ms.
        for _ in 0..2_000 {
            let stats = host.plugin.stats();
            if stats.limit(Limit::CpuShare) > 0 || stats.cpu > Duration::from_millis(400) {
                break;
            }
            let _ = host.call().await;
        }
        assert_eq!(host.plugin.stats().limit(Limit::CpuShare) > 0, queues, "{percent} percent");
    }
}

#[tokio::test]
async fn a_full_queue_and_a_crowded_key_are_told_apart() {
    for (is_serialized, limit) in [(false, Limit::Queued), (true, Limit::CallersPerKey)] {
        let guest = Guest { request: "(loop (br 0)) unreachable", is_serialized, ..Guest::default() };
        let host = Host::with_limits(guest, |limits| {
            limits.cpu_max = Duration::from_secs(60);
            limits.time_max = Duration::from_millis(200);
            limits.in_flight_max = if is_serialized { 10 } else { 1 };
            limits.queued_max = if is_serialized { 10 } else { 0 };
            limits.callers_per_key_max = 1;
        })
        .await;
        let answers = tokio::join!(host.call(), host.call());
        assert_eq!(answers, (Err(Fault::Timeout), Err(Fault::TooManyCalls)));
        assert_eq!(host.plugin.stats().limit(limit), 1, "{}", limit.as_str());
    }
}
