//! Instances are kept for the next call, or not; what one plugin leaves in memory no other ever sees.

use std::sync::Arc;

use heliu_plugin::{Fault, Limits, Plane, Plugins, Reuse};
use heliu_store::Store;

use crate::guest::{ANSWER, COMMIT, Guest, HOOK, READ, WRITE};
use crate::host::{FakePlane, Host, config_of, request, workshop};

/// Counts the calls of an instance and answers with the number.
const COUNT: &str = "
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store (i32.const 64) (global.get $calls))";
const CANARY: &str = "(i64.const 0x5ca1ab1e0ddba11)";

#[tokio::test]
async fn an_instance_serves_one_call_or_many() {
    for (reuse, want, made) in [(Reuse::Fresh, [1, 1, 1], 3), (Reuse::Reuse, [1, 2, 3], 1)] {
        let host = Host::with_limits(counting(&[]), |limits| limits.reuse = reuse).await;
        for want in want {
            assert_eq!(host.call().await, Ok(want), "{reuse:?}");
        }
        assert_eq!(host.plugin.stats().instances, made, "{reuse:?}");
    }
}

#[tokio::test]
async fn an_instance_is_thrown_away_after_a_fault() {
    let fail = "(if (i32.eq (i32.const 108) (i32.load8_u (i32.load offset=8 (local.get 0)))) (then unreachable))";
    let routes = vec![("do", "POST", "/do/{what}"), ("loop", "POST", "/loop/{what}")];
    let host = reusing(Guest { routes, ..counting(&[fail]) }).await;
    assert_eq!((host.call().await, host.call().await), (Ok(1), Ok(2)));
    assert_eq!(host.plugin.handle_request(request("loop", "x")).await, Err(Fault::Trap));
    assert_eq!(host.call().await, Ok(1));
}

#[tokio::test]
async fn an_instance_that_has_grown_large_is_not_kept() {
    let host = reusing(counting(&["(drop (memory.grow (i32.const 300)))"])).await;
    assert_eq!((host.call().await, host.call().await), (Ok(1), Ok(1)));
    assert_eq!(host.plugin.stats().memory_len, 0, "and its memory is given back");
}

#[tokio::test]
async fn a_run_after_a_conflict_has_a_fresh_instance() {
    let host = reusing(counting(&[READ, HOOK, WRITE, COUNT])).await;
    assert_eq!(host.call().await, Ok(1 + 1));
    let (mut is_first, other) = (true, host.set_number(40));
    host.set_hook(move || {
        if std::mem::take(&mut is_first) {
            other();
        }
    });
    assert_eq!(host.call().await, Ok(1 + 1), "the second run began anew");
    assert_eq!(host.number(), Some(41));
}

#[tokio::test]
async fn a_guest_that_decides_by_its_memory_takes_another_way() {
    // The first call of an instance asks for the time before the effect, later ones do not.
    let moody = "(if (i32.eq (global.get $calls) (i32.const 1)) (then (drop (call $now))))";
    let host = reusing(counting(&[READ, moody, WRITE, COMMIT, READ, HOOK, WRITE])).await;
    assert_eq!(host.call().await, Ok(3));
    host.set_hook(host.set_number(40));
    assert_eq!(host.call().await, Err(Fault::AnotherWay));
    assert_eq!(host.plugin.stats().fault(Fault::AnotherWay), 1);
}

#[tokio::test]
async fn what_one_plugin_leaves_in_memory_no_other_finds() {
    // Fills five megabytes behind its image; looks through all memory, that of fresh pages included.
    let grow = "(drop (memory.grow (i32.const 80)))";
    let fill = walk(&format!("(i64.store (local.get 1) {CANARY})"));
    let look = walk(&format!(
        "(if (i64.eq (i64.load (local.get 1)) {CANARY})
            (then (i32.store (i32.const 64) (i32.add (i32.const 1) (i32.load (i32.const 64))))))"
    ));
    for (keeps, finds) in [(Reuse::Fresh, Reuse::Fresh), (Reuse::Fresh, Reuse::Reuse), (Reuse::Reuse, Reuse::Reuse)] {
        let plugins = pair([grow, &fill, ANSWER].concat().leak(), [grow, &look, ANSWER].concat().leak(), |first| {
            // So few that the second plugin gets the first one's place in the pool.
            let reuse = if first { keeps } else { finds };
            Limits { in_flight_max: 1, waiting_max: 0, idle_max: 0, reuse, ..Limits::default() }
        })
        .await;
        for round in 0..20 {
            let [left, seen] = [&plugins.0, &plugins.1].map(|plugin| plugin.handle_request(request("do", "x")));
            assert_eq!(left.await.unwrap().status, 200);
            assert_eq!(seen.await.unwrap().body, [0; 4], "{keeps:?} {finds:?}, round {round}");
        }
    }
}

#[tokio::test]
async fn a_canary_is_found_by_who_left_it() {
    // Else the test above would prove nothing.
    let fill = format!("(i64.store (i32.const 300000) {CANARY})");
    let look = walk(&format!(
        "(if (i64.eq (i64.load (local.get 1)) {CANARY}) (then (i32.store (i32.const 64) (i32.const 1))))"
    ));
    let grow = "(if (i32.lt_u (memory.size) (i32.const 80)) (then (drop (memory.grow (i32.const 80)))))";
    let host = reusing(Guest { request: [grow, &look, &fill, ANSWER].concat().leak(), ..Guest::default() }).await;
    assert_eq!((host.call().await, host.call().await), (Ok(0), Ok(1)));
}

/// Goes through memory from the second page on, at the local 1 in steps of eight.
fn walk(act: &str) -> String {
    format!(
        "(local.set 1 (i32.const 65536))
        (loop $next {act}
            (local.set 1 (i32.add (local.get 1) (i32.const 8)))
            (br_if $next (i32.lt_u (local.get 1) (i32.mul (memory.size) (i32.const 65536)))))"
    )
}

fn counting(parts: &[&str]) -> Guest {
    Guest { request: [COUNT, &parts.concat(), ANSWER].concat().leak(), ..Guest::default() }
}

async fn reusing(guest: Guest) -> Host {
    Host::with_limits(guest, |limits| limits.reuse = Reuse::Reuse).await
}

async fn pair(
    first: &'static str,
    second: &'static str,
    limits: impl Fn(bool) -> Limits,
) -> (Arc<heliu_plugin::Plugin>, Arc<heliu_plugin::Plugin>) {
    let dir = tempfile::tempdir().unwrap();
    let configs = [("a", first), ("b", second)].map(|(name, request)| {
        let mut config = config_of(name, Guest { request, ..Guest::default() }.write(dir.path(), name));
        config.base = format!("/{name}");
        config.limits = limits(name == "a");
        config
    });
    let plane: Arc<dyn Plane> = Arc::new(FakePlane::default());
    let plugins = Plugins::load(configs.into(), Store::in_memory(), plane, workshop()).await.unwrap();
    let get = |name: &str| Arc::clone(plugins.get(&name.parse().unwrap()).unwrap());
    (get("a"), get("b"))
}
