//! A host without media, sockets and wasm, for native unit tests of a plugin.
//!
//! It keeps the contract's promises where a plugin can see them: a call is a transaction, a refusal
//! leaves nothing, wishes are visible as lists, time is moved by hand, limits refuse. Jobs run as soon
//! as they are wished, unless the test says otherwise.
//!
//! Not here: conflicts between simultaneous calls (there are none on one thread), limits of CPU and
//! memory, and media.

mod exchange;
pub(crate) mod imports;
mod state;
mod story;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::admission::{Attempt, Direction, Grant, Refusal};
use crate::bindings::heliu::personality::types::{Error, Noun};
use crate::bindings::heliu::personality::{addresses, egresses, mixers, status};
use crate::event::{Alarm, Event};
use crate::export::Entry;
use crate::plugin::Plugin;

pub use exchange::Answer;
use state::State;
pub use story::{Step, Story};

/// One host with one plugin.
pub struct FakeHost {
    entry: Entry,
    state: State,
    events: u64,
}

impl FakeHost {
    /// An empty store, no limits, the Unix epoch.
    #[must_use]
    pub fn new(plugin: fn() -> Plugin) -> Self {
        Self { entry: Entry(plugin), state: State::default(), events: 0 }
    }

    /// With this `config` table.
    #[must_use]
    pub fn config(mut self, config: &Value) -> Self {
        self.state.config = config.to_string();
        self
    }

    /// With one more secret.
    #[must_use]
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.state.secrets.insert(name.to_owned(), value.to_owned());
        self
    }

    /// URLs with this host (and port, if it is not the scheme's own) point here.
    #[must_use]
    pub fn own_authority(mut self, authority: &str) -> Self {
        self.state.own_authorities.push(authority.to_owned());
        self
    }

    /// At most so many mixers.
    #[must_use]
    pub fn mixers_max(mut self, mixers_max: usize) -> Self {
        self.state.mixers_max = Some(mixers_max);
        self
    }

    /// Pushes to this URL are forbidden by the operator.
    #[must_use]
    pub fn denied_url(mut self, url: &str) -> Self {
        self.state.denied_urls.push(url.to_owned());
        self
    }

    /// Where an intent stands, whenever somebody asks.
    pub fn set_job(&mut self, noun: Noun, id: &str, state: status::State, retries: u32, detail: &str) {
        self.state.set_job(noun, id, state, retries, detail);
    }

    /// Mixers wished for, by id.
    #[must_use]
    pub fn mixers(&self) -> &BTreeMap<String, mixers::Mixer> {
        &self.state.committed.mixers
    }

    /// Pushes wished for, by id.
    #[must_use]
    pub fn egresses(&self) -> &BTreeMap<String, egresses::Egress> {
        &self.state.committed.egresses
    }

    /// Public names wished for, by `app/name`.
    #[must_use]
    pub fn addresses(&self) -> &BTreeMap<String, addresses::Address> {
        &self.state.committed.addresses
    }

    /// Alarms set, by name, with the milliseconds until each is due.
    #[must_use]
    pub fn alarms(&self) -> BTreeMap<&str, u64> {
        let left = |due: u64| due.saturating_sub(self.state.now_ms);
        self.state.committed.alarms.iter().map(|(name, alarm)| (name.as_str(), left(alarm.due))).collect()
    }

    /// Keys of all records.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        self.state.committed.records.keys().map(String::as_str).collect()
    }

    /// Lines logged so far.
    #[must_use]
    pub fn log(&self) -> &[String] {
        &self.state.log
    }

    /// Runs code of the plugin, or functions of the SDK, in one transaction that is committed.
    pub fn within<T>(&mut self, code: impl FnOnce() -> T) -> T {
        let (value, state) = state::within(std::mem::take(&mut self.state), code);
        self.state = state;
        self.state.commit();
        value
    }

    /// Asks to publish at `app/name`.
    ///
    /// # Errors
    /// The plugin refuses.
    pub fn publish(&mut self, address: &str) -> Result<Grant, Refusal> {
        self.admit("rtmp", Direction::Publish, address)
    }

    /// Asks to play `app/name`.
    ///
    /// # Errors
    /// The plugin refuses.
    pub fn play(&mut self, address: &str) -> Result<Grant, Refusal> {
        self.admit("rtmp", Direction::Play, address)
    }

    /// Asks as this host's own push into itself.
    ///
    /// # Errors
    /// The plugin refuses.
    pub fn push_into_itself(&mut self, address: &str) -> Result<Grant, Refusal> {
        self.admit("egress", Direction::Publish, address)
    }

    /// Asks to attach to `app/name`.
    ///
    /// # Errors
    /// The plugin refuses.
    ///
    /// # Panics
    /// `address` has no `/`.
    pub fn admit(&mut self, protocol: &str, direction: Direction, address: &str) -> Result<Grant, Refusal> {
        let (app, name) = address.split_once('/').expect("an address is app/name");
        let attempt = Attempt {
            id: "attempt".to_owned(),
            protocol: protocol.to_owned(),
            direction,
            authority: None,
            app: app.to_owned(),
            name: name.to_owned(),
            query: None,
            headers: Vec::new(),
            peer: "192.0.2.1".to_owned(),
        };
        let entry = self.entry;
        self.within(|| entry.admit(&attempt))
    }

    /// Tells the plugin that something happened, if it asked for events of this kind.
    ///
    /// # Errors
    /// The plugin wants to be told again.
    pub fn event(&mut self, kind: &str, room: Option<&str>, subject: &str, data: &Value) -> Result<(), Error> {
        let patterns = self.entry.describe().events;
        if !patterns.iter().any(|pattern| state::fits(pattern, kind)) {
            return Ok(());
        }
        self.events += 1;
        let event = Event {
            id: self.events.to_string(),
            kind: kind.to_owned(),
            at: self.state.now_ms,
            room: room.map(str::to_owned),
            subject: subject.to_owned(),
            attempt: 1,
            data: data.to_string(),
        };
        let entry = self.entry;
        self.within(|| entry.handle_event(&event))
    }

    /// Somebody publishes in a room. `participant` `None`: a mixer.
    ///
    /// # Errors
    /// The plugin wants to be told again.
    pub fn publication_started(&mut self, room: &str, participant: Option<&str>, id: &str) -> Result<(), Error> {
        let since = self.state.now_ms;
        let protocol = if participant.is_some() { "rtmp" } else { "mixer" };
        let publication = status::Publication {
            id: id.to_owned(),
            participant: participant.map(str::to_owned),
            protocol: protocol.to_owned(),
            tracks: Vec::new(),
            since,
        };
        self.state.publications.entry(room.to_owned()).or_default().push(publication);
        let data = json!({ "publication": {
            "id": id, "participant": participant, "protocol": protocol, "tracks": [], "since": since,
        }});
        self.event("publication.started", Some(room), id, &data)
    }

    /// A publication is gone.
    ///
    /// # Errors
    /// The plugin wants to be told again.
    pub fn publication_ended(&mut self, room: &str, id: &str) -> Result<(), Error> {
        let publications = self.state.publications.entry(room.to_owned()).or_default();
        let participant =
            publications.iter().find(|publication| publication.id == id).and_then(|found| found.participant.clone());
        publications.retain(|publication| publication.id != id);
        self.event("publication.ended", Some(room), id, &json!({ "participant": participant, "reason": "left" }))
    }

    /// The host dies and comes back: volatile records and publications are gone.
    ///
    /// # Errors
    /// The plugin wants to be told again.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.state.forget_volatile();
        self.event("host.started", None, "run", &json!({}))
    }

    /// Lets time pass; alarms go off on the way.
    ///
    /// # Errors
    /// The plugin wants an alarm again.
    pub fn advance(&mut self, span: Duration) -> Result<(), Error> {
        let until = self.state.now_ms + u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        while let Some((name, alarm)) = self.state.take_due(until) {
            self.state.now_ms = self.state.now_ms.max(alarm.due);
            let alarm = Alarm { name, key: alarm.key, payload: alarm.payload, due: alarm.due, attempt: 1 };
            let entry = self.entry;
            self.within(|| entry.handle_alarm(&alarm))?;
        }
        self.state.now_ms = until;
        Ok(())
    }
}
