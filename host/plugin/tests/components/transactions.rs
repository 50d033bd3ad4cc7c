//! Calls that meet: run again, committed once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use heliu_model::{Address, Attempt, Direction, Timestamp};
use heliu_plugin::{Alarm, Fault, PluginEvent};
use heliu_store::{Collection, Key, Transaction, Value};

use crate::guest::{ANSWER, COMMIT, Guest, HOOK, NOT_TAKEN, READ, WRITE};
use crate::host::Host;

#[tokio::test]
async fn calls_side_by_side_all_count() {
    let host = Host::with(Guest { request: [READ, WRITE, ANSWER].concat().leak(), ..Guest::default() }).await;
    let mut answers: Vec<u32> =
        futures_util::future::join_all((0..20).map(|_| host.call())).await.into_iter().map(Result::unwrap).collect();
    answers.sort_unstable();
    assert_eq!(answers, (1..=20).collect::<Vec<_>>(), "each number was given once");
    assert_eq!(host.number(), Some(20));
}

#[tokio::test]
async fn a_call_that_met_another_runs_again_unseen() {
    let host = Host::with(Guest { request: [READ, HOOK, WRITE, ANSWER].concat().leak(), ..Guest::default() }).await;
    let (runs, other) = (Arc::new(AtomicU32::new(0)), host.set_number(40));
    let seen = Arc::clone(&runs);
    host.set_hook(move || {
        if seen.fetch_add(1, Ordering::Relaxed) < 2 {
            other();
        }
    });
    assert_eq!(host.call().await, Ok(41));
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    let stats = host.plugin.stats();
    assert_eq!((stats.calls, stats.conflicts, stats.reruns), (1, 2, 2));
}

#[tokio::test]
async fn the_last_run_cannot_lose() {
    let guest = Guest { request: [READ, HOOK, WRITE, ANSWER].concat().leak(), ..Guest::default() };
    let host = Host::with_limits(guest, |limits| limits.runs_max = 3).await;
    let other = host.set_number(40);
    host.set_hook(other);
    assert_eq!(host.call().await, Ok(41));
    assert_eq!(host.plugin.stats().reruns, 2);
}

#[tokio::test]
async fn a_call_without_records_never_conflicts() {
    let host = Host::with(Guest { request: [READ, HOOK, ANSWER].concat().leak(), ..Guest::default() }).await;
    let other = host.set_number(40);
    host.set_hook(other);
    assert_eq!(host.call().await, Ok(0), "as of its snapshot");
    assert_eq!(host.plugin.stats().conflicts, 0);
}

#[tokio::test]
async fn a_trap_after_an_effect_keeps_what_was_committed() {
    let guest =
        Guest { request: [READ, WRITE, COMMIT, READ, WRITE, "unreachable"].concat().leak(), ..Guest::default() };
    let host = Host::with(guest).await;
    assert_eq!(host.call().await, Err(Fault::Trap));
    assert_eq!(host.number(), Some(1));
}

#[tokio::test]
async fn rollback_forgets_what_was_put() {
    let host =
        Host::with(Guest { request: [READ, WRITE, "(call $rollback)", ANSWER].concat().leak(), ..Guest::default() })
            .await;
    assert_eq!(host.call().await, Ok(1));
    assert_eq!(host.number(), None);
}

#[tokio::test]
async fn calls_of_one_key_do_not_meet() {
    let request = [READ, WRITE, ANSWER].concat().leak();
    let host = Host::with(Guest { request, is_serialized: true, ..Guest::default() }).await;
    futures_util::future::join_all((0..20).map(|_| host.call())).await;
    assert_eq!((host.number(), host.plugin.stats().conflicts), (Some(20), 0));
}

#[tokio::test]
async fn an_alarm_is_gone_with_the_call_that_took_it() {
    let write = [READ, WRITE].concat();
    for (what, end, want, number, is_left) in [
        ("taken", "(i32.const 384)", Ok(()), Some(1), false),
        ("not taken", NOT_TAKEN, Err(Fault::Refused), None, true),
        ("trapped", "unreachable", Err(Fault::Trap), None, true),
    ] {
        let happening = [&write, end].concat().leak();
        let host = Host::with(Guest { world: "personality", happening, ..Guest::default() }).await;
        set_alarm(&host, 7).await;
        assert_eq!(host.plugin.handle_alarm(&alarm(7)).await, want, "{what}");
        assert_eq!(host.number(), number, "{what}");
        assert_eq!(!host.store.alarms().unwrap().is_empty(), is_left, "{what}");
    }
}

#[tokio::test]
async fn an_alarm_set_again_is_not_delivered_for_the_old_time() {
    let happening = [READ, WRITE, "(i32.const 384)"].concat().leak();
    let host = Host::with(Guest { world: "personality", happening, ..Guest::default() }).await;
    set_alarm(&host, 8).await;
    assert_eq!(host.plugin.handle_alarm(&alarm(7)).await, Ok(()));
    assert_eq!((host.number(), host.store.alarms().unwrap().len()), (None, 1));
}

#[tokio::test]
async fn an_alarm_may_set_itself_again() {
    let set = "
        (i32.store8 (i32.const 32) (i32.const 110))
        (call $set (i32.const 32) (i32.const 1) (i32.const 1000) (i32.const 0) (i32.const 0) (i32.const 0)
            (i32.const 0) (i32.const 0) (i32.const 288))";
    for (what, then) in [("at the end", ""), ("before an effect", COMMIT)] {
        let happening = [set, then, "(i32.const 384)"].concat().leak();
        let host = Host::with(Guest { world: "personality", happening, ..Guest::default() }).await;
        set_alarm(&host, 7).await;
        assert_eq!(host.plugin.handle_alarm(&alarm(7)).await, Ok(()), "{what}");
        let alarms = host.store.alarms().unwrap();
        assert_eq!(alarms.len(), 1, "{what}");
        assert!(alarms[0].alarm.due > Timestamp(7), "{what}");
    }
}

#[tokio::test]
async fn events_commit_or_are_told_again() {
    for (what, end, want, number) in
        [("taken", "(i32.const 384)", Ok(()), Some(1)), ("not taken", NOT_TAKEN, Err(Fault::Refused), None)]
    {
        let happening = [READ, WRITE, end].concat().leak();
        let host = Host::with(Guest { world: "personality", happening, ..Guest::default() }).await;
        assert_eq!(host.plugin.handle_event(&event()).await, want, "{what}");
        assert_eq!(host.number(), number, "{what}");
    }
    let host = Host::with(Guest::default()).await;
    assert_eq!(host.plugin.handle_event(&event()).await, Err(Fault::NotExported));
}

#[tokio::test]
async fn admission_grants_refuses_or_is_unavailable() {
    let letter = "(i32.store8 (i32.const 32) (i32.const 110))";
    let word = |at: u32| {
        format!("(i32.store (i32.const {at}) (i32.const 32)) (i32.store (i32.const {}) (i32.const 1))", at + 4)
    };
    let ids = [letter.to_owned(), word(516), word(524), word(532)].concat();
    let flags = "(i32.store (i32.const 540) (i32.const 0x020101)) (i32.store (i32.const 544) (i32.const 1500))";
    let grant: &str = [&ids, flags, "(i32.const 512)"].concat().leak();
    let host = Host::with(Guest { world: "personality", admit: grant, ..Guest::default() }).await;
    let granted = host.plugin.admit(&attempt()).await.unwrap();
    assert_eq!((granted.room.as_str(), granted.participant.as_str()), ("p/n", "n"));
    assert!(granted.audio && granted.video);
    assert_eq!((granted.takeover, granted.wait.as_millis()), (heliu_model::Takeover::Replace, 1500));

    for (what, admit, status) in [
        ("refused", Guest::default().admit, 403),
        ("trapped", "unreachable", 503),
        ("a loop", "(loop (br 0)) unreachable", 503),
        ("no room", "(i32.const 512)", 503),
    ] {
        let host = Host::with(Guest { world: "personality", admit, ..Guest::default() }).await;
        assert_eq!(host.plugin.admit(&attempt()).await.unwrap_err().status, status, "{what}");
    }
}

async fn set_alarm(host: &Host, due: u64) {
    let mut transaction = Transaction::at(host.store.snapshot().unwrap().revision());
    let alarm = heliu_store::Alarm { due: Timestamp(due), key: None, payload: "x".into() };
    let key = Key::new(host.plugin.namespace(), Collection::Alarm, "n");
    transaction.writes.insert(key, Some(Value::new(serde_json::to_vec(&alarm).unwrap())));
    host.store.commit(transaction).await.unwrap();
}

fn alarm(due: u64) -> Alarm {
    Alarm { name: "n".into(), key: None, payload: "x".into(), due: Timestamp(due), attempt: 1 }
}

fn event() -> PluginEvent {
    PluginEvent {
        id: "e1".into(),
        kind: "host.started".into(),
        at: Timestamp(1),
        room: Some("r".into()),
        subject: "s".into(),
        attempt: 1,
        data: "{}".into(),
    }
}

fn attempt() -> Attempt {
    Attempt {
        id: "c1".into(),
        protocol: "rtmp",
        direction: Direction::Publish,
        authority: None,
        address: Address::parse("live/a").unwrap(),
        query: Some("key=secret".into()),
        headers: vec![],
        peer: "127.0.0.1".into(),
    }
}
