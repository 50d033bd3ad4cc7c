//! Calls that meet another one after an effect: the effect happened once, and the client does not notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use heliu_model::Timestamp;
use heliu_plugin::{Alarm, Fault, Limit};
use heliu_store::{Collection, Key, Store, Transaction, Value};

use crate::guest::{ANSWER, COMMIT, Guest, HOOK, READ, WRITE};
use crate::host::Host;

const WAIT: &str = "(call $wait (i32.const 3) (i32.const 32) (i32.const 1) (i32.const 10) (i32.const 424))";
/// Reads the number under `n`, and lets it lie.
const LOOK: &str = "(call $get (i32.const 32) (i32.const 1) (i32.const 160))";
/// Writes the scratch bytes under `n`.
const PUT: &str =
    "(call $put (i32.const 32) (i32.const 1) (i32.const 64) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 192))";

#[tokio::test]
async fn a_conflict_after_an_effect_is_run_again_behind_it() {
    for (what, effects, waits) in [("commit", [COMMIT, ""], 0), ("wait", [WAIT, ""], 1), ("both", [COMMIT, WAIT], 1)] {
        let effects = effects.concat();
        let host = Host::with(guest(&[READ, WRITE, &effects, READ, HOOK, WRITE, ANSWER])).await;
        let other = host.set_number(40);
        host.set_hook(once(other));
        assert_eq!(host.call().await, Ok(41), "{what}");
        assert_eq!(host.number(), Some(41), "{what}");
        let stats = host.plugin.stats();
        assert_eq!((stats.conflicts, stats.reruns, stats.replays), (1, 1, 1), "{what}");
        assert_eq!(host.plane.waits.load(Ordering::Relaxed), waits, "{what}: it waited once");
    }
}

#[tokio::test]
async fn a_calm_call_commits_at_each_effect() {
    for (what, effect) in [("commit", COMMIT), ("wait", WAIT)] {
        let host = Host::with(guest(&[READ, WRITE, effect, READ, WRITE, ANSWER])).await;
        assert_eq!(host.call().await, Ok(2), "{what}");
        assert_eq!(host.number(), Some(2), "{what}");
        assert_eq!(host.plugin.stats().replays, 0, "{what}");
    }
}

#[tokio::test]
async fn a_conflict_before_any_effect_runs_all_of_it_again() {
    for (what, effect) in [("commit", COMMIT), ("wait", WAIT)] {
        let host = Host::with(guest(&[READ, HOOK, WRITE, effect, ANSWER])).await;
        let other = host.set_number(40);
        host.set_hook(once(other));
        assert_eq!(host.call().await, Ok(41), "{what}");
        let stats = host.plugin.stats();
        assert_eq!((stats.reruns, stats.replays), (1, 0), "{what}");
    }
}

#[tokio::test]
async fn the_last_run_cannot_lose_behind_any_number_of_effects() {
    let part = [READ, HOOK, WRITE].concat();
    let host =
        Host::with_limits(guest(&[&part, COMMIT, &part, WAIT, &part, ANSWER]), |limits| limits.runs_max = 2).await;
    host.set_hook(host.set_number(40));
    // The first run loses its first transaction; in the second the hook's writes wait for each commit.
    let answer = host.call().await.unwrap();
    assert!((41..=43).contains(&answer), "{answer}");
    assert_eq!(host.plugin.stats().reruns, 1);
}

#[tokio::test]
async fn time_and_chance_are_told_again_as_they_were() {
    for (what, ask) in [
        (
            "chance",
            "(call $random (i32.const 4) (i32.const 400)) (i32.store (i32.const 64) (i32.load (i32.load (i32.const 400))))",
        ),
        ("time", "(i32.store (i32.const 64) (i32.wrap_i64 (call $now)))"),
    ] {
        let letter = "(i32.store8 (i32.const 32) (i32.const 110))";
        let host = Host::with(guest(&[letter, ask, PUT, COMMIT, LOOK, HOOK, PUT, ANSWER])).await;
        let seen = Arc::new(AtomicU32::new(0));
        let (other, store, first) = (host.set_number(40), host.store.clone(), Arc::clone(&seen));
        host.set_hook(once(move || {
            first.store(number(&store), Ordering::Relaxed);
            other();
        }));
        assert_eq!(host.call().await, Ok(seen.load(Ordering::Relaxed)), "{what}: both runs had the same");
        assert_eq!(host.plugin.stats().replays, 1, "{what}");
    }
}

#[tokio::test]
async fn what_was_asked_before_an_effect_is_not_asked_again() {
    let host = Host::with(guest(&[READ, HOOK, WRITE, COMMIT, READ, HOOK, WRITE, ANSWER])).await;
    let (asked, other) = (Arc::new(AtomicU32::new(0)), host.set_number(40));
    let count = Arc::clone(&asked);
    host.set_hook(move || {
        if count.fetch_add(1, Ordering::Relaxed) == 1 {
            other();
        }
    });
    assert_eq!(host.call().await, Ok(41));
    assert_eq!(asked.load(Ordering::Relaxed), 3, "once before the effect, twice behind it");
}

#[tokio::test]
async fn a_call_that_asked_too_much_is_told_of_the_conflict() {
    let body = [READ, WRITE, COMMIT, READ, HOOK, WRITE, ANSWER];
    let host = Host::with_limits(guest(&body), |limits| limits.tape_len_max = 100).await;
    host.set_hook(host.set_number(40));
    assert_eq!(host.call().await, Err(Fault::Conflict));
    assert_eq!(host.number(), Some(40), "the first part was true, the second is not");
    let stats = host.plugin.stats();
    assert_eq!((stats.fault(Fault::Conflict), stats.limit(Limit::Replay)), (1, 1));
}

#[tokio::test]
async fn an_alarm_that_somebody_sets_again_behind_an_effect_stays() {
    let happening = [READ, WRITE, COMMIT, READ, HOOK, WRITE, "(i32.const 384)"].concat().leak();
    let host = Host::with(Guest { world: "personality", happening, ..Guest::default() }).await;
    commit(&host.store, alarm_record(7)).await;
    let (other, store) = (host.set_number(40), host.store.clone());
    host.set_hook(once(move || {
        let store = store.clone();
        let set = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(commit(&store, alarm_record(9)));
        });
        set.join().unwrap();
        other();
    }));
    let alarm = Alarm { name: "n".into(), key: None, payload: "x".into(), due: Timestamp(7), attempt: 1 };
    assert_eq!(host.plugin.handle_alarm(&alarm).await, Ok(()));
    assert_eq!(host.number(), Some(41));
    let left: Vec<u64> = host.store.alarms().unwrap().iter().map(|pending| pending.alarm.due.0).collect();
    assert_eq!(left, [9]);
}

fn guest(body: &[&str]) -> Guest {
    Guest { request: body.concat().leak(), ..Guest::default() }
}

fn once(act: impl Fn() + Send + 'static) -> impl FnMut() + Send + 'static {
    let mut is_first = true;
    move || {
        if std::mem::take(&mut is_first) {
            act();
        }
    }
}

fn number(store: &Store) -> u32 {
    let key = Key::new(&"p".parse().unwrap(), Collection::Data, "n");
    let bytes = store.snapshot().unwrap().get(&key).unwrap().unwrap();
    u32::from_le_bytes(bytes.try_into().unwrap())
}

fn alarm_record(due: u64) -> (Key, Value) {
    let alarm = heliu_store::Alarm { due: Timestamp(due), key: None, payload: "x".into() };
    let key = Key::new(&"p".parse().unwrap(), Collection::Alarm, "n");
    (key, Value::new(serde_json::to_vec(&alarm).unwrap()))
}

async fn commit(store: &Store, (key, value): (Key, Value)) {
    let mut transaction = Transaction::at(store.snapshot().unwrap().revision());
    transaction.writes.insert(key, Some(value));
    store.commit(transaction).await.unwrap();
}
