//! A plugin that fails again and again is left alone for a while.

use std::time::Duration;

use heliu_plugin::Fault;

use crate::guest::{ANSWER, Guest};
use crate::host::{Host, request};

/// Fails while the scratch word that `routes` names is asked for: the route's id begins with `l`.
const FAIL_IF_ASKED: &str =
    "(if (i32.eq (i32.const 108) (i32.load8_u (i32.load offset=8 (local.get 0)))) (then unreachable))";

#[tokio::test]
async fn eight_faults_in_a_row_and_the_next_calls_are_answered_at_once() {
    let host = Host::with(guest()).await;
    for _ in 0..8 {
        assert_eq!(fail(&host).await, Fault::Trap);
    }
    for _ in 0..20 {
        assert_eq!(host.call().await, Err(Fault::BreakerOpen));
    }
    let stats = host.plugin.stats();
    assert_eq!((stats.fault(Fault::Trap), stats.fault(Fault::BreakerOpen)), (8, 20));
    assert_eq!((stats.is_breaker_open, stats.breaker_opened, stats.instances), (true, 1, 8), "it was not woken");
    assert_eq!(Fault::BreakerOpen.when(), 503);

    let mut tries = 0;
    while host.call().await.is_err() {
        tries += 1;
        assert!(tries < 600, "it is tried again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!host.plugin.stats().is_breaker_open);
    assert_eq!(host.call().await, Ok(0), "all are let through again");
}

#[tokio::test]
async fn good_calls_between_keep_it_closed() {
    let host = Host::with(guest()).await;
    for _ in 0..20 {
        assert_eq!(fail(&host).await, Fault::Trap);
        assert_eq!(host.call().await, Ok(0));
        assert_eq!(host.call().await, Ok(0));
    }
    let stats = host.plugin.stats();
    assert_eq!((stats.breaker_opened, stats.fault(Fault::Trap)), (0, 20));
}

#[tokio::test]
async fn a_host_that_is_slow_is_not_the_plugins_fault() {
    let guest = Guest { request: "(loop (br 0)) unreachable", ..Guest::default() };
    let host = Host::with_limits(guest, |limits| {
        limits.cpu_max = Duration::from_secs(60);
        limits.time_max = Duration::from_millis(10);
    })
    .await;
    for _ in 0..20 {
        assert_eq!(host.call().await, Err(Fault::Timeout));
    }
}

#[tokio::test]
async fn faults_among_many_good_calls_cost_nobody_else() {
    few_among_many(2_000, 8).await;
}

/// `cargo nextest run --release -p heliu-plugin --run-ignored only`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a minute in a release build"]
async fn thirty_two_faults_among_200_000_good_calls_cost_nobody_else() {
    few_among_many(200_000, 32).await;
}

async fn few_among_many(good: u32, bad: u32) {
    for reuse in [heliu_plugin::Reuse::Fresh, heliu_plugin::Reuse::Reuse] {
        let host = Host::with_limits(guest(), |limits| {
            limits.cpu_percent_max = 0;
            limits.reuse = reuse;
        })
        .await;
        let every = good / bad;
        let caller = async |first: u32| {
            for at in (first..good).step_by(16) {
                if at % every == 0 {
                    assert_eq!(fail(&host).await, Fault::Trap);
                }
                assert_eq!(host.call().await, Ok(0), "call {at}");
            }
        };
        futures_util::future::join_all((0..16).map(caller)).await;
        let stats = host.plugin.stats();
        assert_eq!((stats.calls, stats.fault(Fault::Trap)), (u64::from(good + bad), u64::from(bad)), "{reuse:?}");
        let faults: u64 = stats.faults.iter().map(|(_, count)| count).sum();
        assert_eq!(faults, u64::from(bad), "{reuse:?}: no other fault");
    }
}

async fn fail(host: &Host) -> Fault {
    host.plugin.handle_request(request("loop", "x")).await.unwrap_err()
}

fn guest() -> Guest {
    Guest {
        routes: vec![("do", "POST", "/do/{what}"), ("loop", "POST", "/loop/{what}")],
        request: [FAIL_IF_ASKED, ANSWER].concat().leak(),
        ..Guest::default()
    }
}
