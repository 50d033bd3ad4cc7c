//! Makes a store that remembers many rooms: `rooms <file> <plugin> <count>`, for `host/load/bench/restart.sh`.
//!
//! A room is what a personality notes about one: a record of some hundred bytes, what it claims, an entry
//! under its channel, a public name, and an alarm of next month. Nothing in it makes media run.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made ends")]

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use heliu_model::{Address, AddressIntent, Namespace, Timestamp};
use heliu_store::{Alarm, Collection, Key, Store, Transaction, Value};
use serde::Serialize;

/// Rooms in one commit.
const BATCH: u64 = 500;
const MONTH_MS: u64 = 30 * 86_400_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, plugin, count] = &arguments[..] else { panic!("rooms <file> <plugin> <count>") };
    let (plugin, count): (Namespace, u64) = (plugin.parse().unwrap(), count.parse().unwrap());
    let store = Store::open(Path::new(file)).unwrap();
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    for first in (0..count).step_by(usize::try_from(BATCH).unwrap()) {
        let mut transaction = Transaction::at(store.snapshot().unwrap().revision());
        for number in first..count.min(first + BATCH) {
            let records = room(&plugin, number, Timestamp(now + MONTH_MS));
            transaction.writes.extend(records.map(|(key, bytes)| (key, Some(Value::new(bytes)))));
        }
        store.commit(transaction).await.unwrap();
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

fn room(plugin: &Namespace, number: u64, due: Timestamp) -> [(Key, Vec<u8>); 5] {
    let url = format!("rtmp://cdn.example.com/live/stream-{number}?token=0123456789abcdef0123456789abcdef");
    let task = serde_json::json!({
        "id": number.to_string(), "resolution": "1280x720", "outputs": [url], "main_endpoint": "host",
        "channel": { "appId": "app", "channelId": number.to_string() },
    });
    let alarm = Alarm { due, key: Some(format!("app/{number}")), payload: "empty".to_owned() };
    let name = format!("live/room-{number}");
    let address = AddressIntent {
        address: Address::parse(&name).unwrap(),
        room: format!("{plugin}/app-{number}").parse().unwrap(),
        publication: "mix".parse().unwrap(),
        wait_ms: 0,
        hold_ms: 0,
    };
    [
        (Key::new(plugin, Collection::Data, format!("task/{number:020}")), json(&task)),
        (Key::new(plugin, Collection::Data, format!("output/{number:064x}")), b"{\"task\":1,\"place\":null}".to_vec()),
        (Key::new(plugin, Collection::Data, format!("channel/app/{number}/{number:020}")), b"null".to_vec()),
        (Key::new(plugin, Collection::Address, name), json(&address)),
        (Key::new(plugin, Collection::Alarm, format!("idle/app/{number}")), json(&alarm)),
    ]
}
