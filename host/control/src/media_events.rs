//! Takes what the media plane tells and hands it to the courier.
//!
//! The media plane never waits for us: what does not fit into the channel it counts as lost. Then every
//! room that lives, or lived as far as was told, is looked at anew by its plugin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_model::{Address, Event, EventKind, PublicationId, PublicationStatus, RoomId, RoomStatus};
use tokio::sync::mpsc;

use crate::courier::Courier;
use crate::side::MediaSide;
use crate::stats::Stats;
use crate::wording;

pub(crate) struct MediaEvents {
    pub(crate) media: Arc<dyn MediaSide>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) stats: Arc<Stats>,
    lost: u64,
    /// Publications that have been told to start, and not to end.
    told: BTreeMap<RoomId, BTreeMap<PublicationId, Option<Address>>>,
}

impl MediaEvents {
    pub(crate) fn new(media: Arc<dyn MediaSide>, courier: Arc<Courier>, stats: Arc<Stats>) -> Self {
        Self { media, courier, stats, lost: 0, told: BTreeMap::new() }
    }

    /// Until the media plane is gone.
    pub(crate) async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        while let Some(event) = events.recv().await {
            self.handle(&event);
            self.check_losses();
        }
    }

    fn handle(&mut self, event: &Event) {
        match &event.kind {
            EventKind::PublicationStarted(status) => {
                let PublicationStatus { id, address, protocol, .. } = status;
                tracing::info!(room = %event.room, address = name(address), publication = %id, protocol, "publication started");
                self.told.entry(event.room.clone()).or_default().insert(id.clone(), address.clone());
            }
            EventKind::PublicationEnded { publication, reason, .. } => {
                let address = self.told.get_mut(&event.room).and_then(|told| told.remove(publication)).flatten();
                let (room, cause) = (&event.room, reason.as_str());
                tracing::info!(%room, address = name(&address), %publication, cause, "publication ended");
                self.told.retain(|_, told| !told.is_empty());
            }
            EventKind::ParticipantJoined { participant, protocol } => {
                tracing::debug!(room = %event.room, %participant, protocol, "participant joined");
            }
            EventKind::ParticipantLeft { participant, reason } => {
                tracing::debug!(room = %event.room, %participant, cause = reason.as_str(), "participant left");
            }
            EventKind::PublicationChanged(status) if status.is_stalled => {
                let PublicationStatus { id, address, .. } = status;
                tracing::info!(room = %event.room, address = name(address), publication = %id, "publication stalled");
            }
            EventKind::PublicationChanged(_) => {}
        }
        self.courier.tell(&event.room, wording::of_event(event), event.at);
    }

    fn check_losses(&mut self) {
        let lost = self.media.events_lost();
        if lost <= self.lost {
            return;
        }
        tracing::warn!(events = lost - self.lost, "media events lost");
        self.stats.events_lost.add(lost - self.lost);
        self.lost = lost;
        let status = self.media.status();
        let rooms: BTreeSet<&RoomId> = status.rooms.keys().chain(self.told.keys()).collect();
        rooms.into_iter().for_each(|room| self.courier.resync(room));
        let alive =
            |room: &RoomStatus| room.publications.iter().map(|it| (it.id.clone(), it.address.clone())).collect();
        self.told = status.rooms.iter().map(|(id, room)| (id.clone(), alive(room))).collect();
    }
}

/// A mixer's publication came in by none.
fn name(address: &Option<Address>) -> Option<&str> {
    address.as_ref().map(Address::as_str)
}
