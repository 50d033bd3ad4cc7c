//! Takes what the media plane tells and hands it to the courier.
//!
//! The media plane never waits for us: what does not fit into the channel it counts as lost. Then every
//! room that lives, or lived as far as was told, is looked at anew by its plugin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_model::{Event, EventKind, PublicationId, RoomId};
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
    told: BTreeMap<RoomId, BTreeSet<PublicationId>>,
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
                tracing::info!(room = %event.room, publication = %status.id, protocol = status.protocol, "publication started");
                self.told.entry(event.room.clone()).or_default().insert(status.id.clone());
            }
            EventKind::PublicationEnded { publication, reason, .. } => {
                tracing::info!(room = %event.room, %publication, reason = reason.as_str(), "publication ended");
                if let Some(told) = self.told.get_mut(&event.room) {
                    told.remove(publication);
                }
                self.told.retain(|_, told| !told.is_empty());
            }
            EventKind::ParticipantJoined { participant, protocol } => {
                tracing::info!(room = %event.room, %participant, protocol, "participant joined");
            }
            EventKind::ParticipantLeft { participant, reason } => {
                tracing::info!(room = %event.room, %participant, reason = reason.as_str(), "participant left");
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
        let alive = |room: &RoomId| status.rooms.get(room).into_iter().flat_map(|room| &room.publications);
        self.told =
            status.rooms.keys().map(|room| (room.clone(), alive(room).map(|it| it.id.clone()).collect())).collect();
    }
}
