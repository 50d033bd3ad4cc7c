//! Ends the tasks of a channel that stays empty, if the operator set `empty_channel_timeout_s`.
//!
//! Who publishes is kept from events under `~pub/`, so that an alarm and a publisher who comes at the
//! same moment see each other in the store. One alarm per channel; creating a task in an empty channel
//! starts its time again.

use heliu_sdk::{Alarm, Error, Event, Table, alarm, log, status};
use serde::Deserialize;

use crate::channel::Channel;
use crate::config::Config;
use crate::task;

/// `<app>/<channel>/<publication>`.
const PUBLISHERS: Table<String, ()> = Table::new("~pub/");

/// A task was made; its channel may be empty.
pub fn task_created(channel: &Channel) -> Result<(), Error> {
    match Config::read()?.empty_channel_ms() {
        Some(after_ms) => start_if_empty(channel, after_ms),
        None => Ok(()),
    }
}

/// Publishers come and go.
pub fn handle_event(event: &Event) -> Result<(), Error> {
    let Some(after_ms) = Config::read()?.empty_channel_ms() else {
        return Ok(());
    };
    match (event.kind.as_str(), event.room.as_deref().and_then(Channel::of_room)) {
        ("host.started", _) => task::channels()?.iter().try_for_each(|channel| start_if_empty(channel, after_ms)),
        ("publication.started", Some(channel)) if is_started_by_somebody(event)? => {
            PUBLISHERS.put(&publisher(&channel, &event.subject), &())?;
            stop(&channel)
        }
        ("publication.ended", Some(channel)) => {
            PUBLISHERS.delete(&publisher(&channel, &event.subject))?;
            start_if_empty(&channel, after_ms)
        }
        ("room.resync", Some(channel)) => resync(&channel, after_ms),
        _ => Ok(()),
    }
}

/// A channel was empty for long.
pub fn handle_alarm(alarm: &Alarm) -> Result<(), Error> {
    let Some(channel) = Channel::of_room(&alarm.payload) else {
        return Ok(());
    };
    if !is_empty(&channel)? {
        return Ok(());
    }
    log::info("the channel stayed empty, its tasks end", &[("channel", &channel.room())]);
    task::delete_all_of(&channel)
}

#[derive(Deserialize)]
struct Started {
    publication: Publication,
}

#[derive(Deserialize)]
struct Publication {
    participant: Option<String>,
}

/// Mixers publish, too, and keep no channel alive.
fn is_started_by_somebody(event: &Event) -> Result<bool, Error> {
    let started: Started = event.data()?;
    Ok(started.publication.participant.is_some())
}

/// Events were lost: the host's list counts.
fn resync(channel: &Channel, after_ms: u32) -> Result<(), Error> {
    PUBLISHERS.clear(&format!("{}/", channel.room()))?;
    for publication in status::publications(&channel.room())? {
        if publication.participant.is_some() {
            PUBLISHERS.put(&publisher(channel, &publication.id), &())?;
        }
    }
    if is_empty(channel)? { start_if_empty(channel, after_ms) } else { stop(channel) }
}

fn start_if_empty(channel: &Channel, after_ms: u32) -> Result<(), Error> {
    if is_empty(channel)? && task::is_any_of(channel)? {
        alarm::set(&alarm_name(channel), after_ms, Some(&channel.room()), &channel.room())?;
    }
    Ok(())
}

/// Channels without a task have no alarm, and their publishers write nothing to the disk.
fn stop(channel: &Channel) -> Result<(), Error> {
    if task::is_any_of(channel)? { alarm::cancel(&alarm_name(channel)) } else { Ok(()) }
}

fn is_empty(channel: &Channel) -> Result<bool, Error> {
    Ok(PUBLISHERS.count(&format!("{}/", channel.room()))? == 0)
}

fn publisher(channel: &Channel, publication: &str) -> String {
    format!("{}/{publication}", channel.room())
}

fn alarm_name(channel: &Channel) -> String {
    format!("idle/{}", channel.room())
}
