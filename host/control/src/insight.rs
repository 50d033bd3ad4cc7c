//! The host as operators see it: everything known about one address or one room, at one moment.
//!
//! Joins what lies in several hands: wishes (store), reality (media plane), answers (door). Nothing
//! is kept for it but the last admissions. No key leaves: of a target only host and app are shown, of a
//! client's query nothing.
//!
//! Not here: how it reaches the operator (`heliu-http`), and sums (metrics).

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_model::{Address, Intents, RoomId, Status};
use serde_json::{Value, json};

use crate::dead_letters::DeadLetters;
use crate::side::PluginSide;
use crate::stats::Stats;
use crate::view::HostView;

mod admission;
mod egress;
mod mixer;
mod publication;

/// Cheap to clone.
#[derive(Clone)]
pub struct Insight {
    pub(crate) view: HostView,
    pub(crate) plugins: Arc<[Arc<dyn PluginSide>]>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) dead_letters: Arc<DeadLetters>,
}

/// What a look is made of.
struct Moment {
    intents: Intents,
    status: Arc<Status>,
}

impl Insight {
    /// Who owns an address, what was answered there, what flows. `None`: nothing is known of it.
    #[must_use]
    pub fn explain_address(&self, address: &Address) -> Option<Value> {
        let moment = self.look();
        let admissions = self.view.admissions().of(address);
        let public = moment.intents.addresses.get(address).map(|(_, intent)| intent);
        let rooms = moment.rooms_of(address, public.map(|intent| &intent.room));
        let fed_by: Vec<Value> = moment.egresses_to(address, &self.view).collect();
        if admissions.is_empty() && public.is_none() && rooms.is_empty() && fed_by.is_empty() {
            return None;
        }
        let owner = self.plugins.iter().find(|plugin| plugin.owns_app(address.app()));
        Some(json!({
            "address": address.as_str(),
            "owner": owner.map(|plugin| plugin.namespace().as_str()),
            "public": public.map(|intent| json!({
                "room": intent.room.as_str(),
                "publication": intent.publication.as_str(),
            })),
            "admissions": admissions.iter().map(admission::words).collect::<Vec<_>>(),
            "rooms": rooms.iter().filter_map(|room| self.room(&moment, room)).collect::<Vec<_>>(),
            "fed_by": fed_by,
        }))
    }

    /// What is in a room, and what is wished for it. `None`: nothing is known of it.
    #[must_use]
    pub fn explain_room(&self, room: &RoomId) -> Option<Value> {
        self.room(&self.look(), room)
    }

    /// What no plugin would take.
    #[must_use]
    pub fn dead_letters(&self) -> Value {
        self.dead_letters.list()
    }

    /// What became of events and alarms.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    fn look(&self) -> Moment {
        let intents = self.view.store().intents().unwrap_or_else(|error| {
            tracing::error!(%error, "intents cannot be read");
            Intents::default()
        });
        Moment { intents, status: self.view.media_status() }
    }

    fn room(&self, moment: &Moment, room: &RoomId) -> Option<Value> {
        let Moment { intents, status } = moment;
        let here = status.rooms.get(room);
        let mixers: Vec<Value> = mixer::of_room(moment, room, &self.view).collect();
        let egresses: Vec<Value> = egress::of_room(moment, room, &self.view).collect();
        let addresses: Vec<&str> = intents
            .addresses
            .iter()
            .filter(|(_, (_, intent))| intent.room == *room)
            .map(|(address, _)| address.as_str())
            .collect();
        if here.is_none() && mixers.is_empty() && egresses.is_empty() && addresses.is_empty() {
            return None;
        }
        let publications = here.iter().flat_map(|room| {
            room.publications.iter().map(|status| publication::words(status, room.sources.get(&status.id)))
        });
        let players = here.iter().flat_map(|room| &room.players).map(publication::players);
        Some(json!({
            "room": room.as_str(),
            "owner": room.namespace().as_str(),
            "public_names": addresses,
            "publications": publications.collect::<Vec<_>>(),
            "viewers": here.map_or(0, |room| room.viewers),
            "players": players.collect::<Vec<_>>(),
            "mixers": mixers,
            "egresses": egresses,
        }))
    }
}

impl Moment {
    /// Where something of this name is published or played.
    fn rooms_of(&self, address: &Address, public: Option<&RoomId>) -> BTreeSet<RoomId> {
        let rooms = self.status.rooms.iter().filter(|(_, room)| {
            let publishes = room.publications.iter().any(|publication| publication.address.as_ref() == Some(address));
            publishes || room.players.contains_key(address)
        });
        rooms.map(|(id, _)| id).chain(public).cloned().collect()
    }

    /// Pushes of this host into itself that come in under this name.
    fn egresses_to(&self, address: &Address, view: &HostView) -> impl Iterator<Item = Value> {
        let leads_there = |url: &str| view.locate_own(url).as_ref() == Some(address);
        let egresses = self.intents.egresses.iter().filter(move |(_, (_, intent))| leads_there(&intent.url));
        egresses.map(|(id, wish)| egress::words(self, id, wish, view))
    }
}
