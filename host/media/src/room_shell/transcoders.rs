//! Transcoders in a room: begun and ended as the room says, their results handed back to it.

use heliu_model::{EndpointId, Frame, Kind, LeaveReason, PublicationId};
use heliu_room::Rendition;

use super::{Hands, RoomShell};
use crate::endpoint::{Endpoint, Transcoder};

impl RoomShell {
    /// Hands what a transcoder has made to the room. False: it is gone.
    pub fn drive_transcoder(&mut self, id: EndpointId) -> bool {
        let Some(Endpoint::Transcoder(transcoder)) = self.endpoints.get_mut(&id) else { return false };
        let (publication, rendition) = (transcoder.publication().clone(), transcoder.rendition());
        match transcoder.drive() {
            Ok(frames) => {
                frames.into_iter().for_each(|frame| self.handle_rendition(&publication, rendition, frame));
                true
            }
            Err(reason) => {
                tracing::warn!(room = %self.id, endpoint = %id, %publication, cause = %reason, "transcoder failed");
                self.room.fail_rendition(&publication, rendition, reason);
                self.end(id, LeaveReason::Closed);
                false
            }
        }
    }

    /// Somebody needs this rendition.
    pub(super) fn start_transcoder(&mut self, publication: &PublicationId, rendition: Rendition) {
        let id = self.worker.next_endpoint();
        let (transcoder, wake) = match Transcoder::new(publication, rendition, self.clock, &self.worker.pool) {
            Ok(made) => made,
            Err(reason) => return self.room.fail_rendition(publication, rendition, reason),
        };
        let name = rendition.as_str();
        tracing::info!(room = %self.id, endpoint = %id, %publication, rendition = name, "transcoder started");
        let wish = transcoder.wish(id);
        self.endpoints.insert(id, Endpoint::Transcoder(Box::new(transcoder)));
        if self.subscribe(wish).is_err() {
            // It has ended meanwhile.
            self.endpoints.remove(&id);
            return;
        }
        if let Some(Endpoint::Transcoder(transcoder)) = self.endpoints.get_mut(&id) {
            transcoder.go_live();
        }
        self.worker.drive_transcoder(&self.id, id, wake);
    }

    /// Nobody needs it any more.
    pub(super) fn stop_transcoder(&mut self, publication: &PublicationId, rendition: Rendition) {
        if let Some(id) = self.transcoder(publication, rendition) {
            tracing::info!(room = %self.id, endpoint = %id, %publication, "transcoder stopped");
            self.end(id, LeaveReason::Left);
        }
    }

    /// Who makes pictures anew makes one that a viewer can begin with.
    pub(super) fn force_keyframe_of(&mut self, publication: &PublicationId) {
        if let Some(id) = self.transcoder(publication, Rendition::WithoutBPictures)
            && let Some(Endpoint::Transcoder(transcoder)) = self.endpoints.get_mut(&id)
        {
            transcoder.force_keyframe();
        }
    }

    fn handle_rendition(&mut self, publication: &PublicationId, rendition: Rendition, frame: Frame) {
        let Self { room, endpoints, clock, worker, .. } = self;
        let is_sound = frame.kind() == Kind::Audio;
        let sink = &mut Hands::new(endpoints, worker, clock);
        room.handle_rendition(publication, rendition, frame, clock.now(), sink);
        self.note_sound(is_sound);
    }

    fn transcoder(&self, publication: &PublicationId, rendition: Rendition) -> Option<EndpointId> {
        let is_it = |endpoint: &Endpoint| {
            let Endpoint::Transcoder(known) = endpoint else { return false };
            known.publication() == publication && known.rendition() == rendition
        };
        self.endpoints.iter().find(|(_, endpoint)| is_it(endpoint)).map(|(id, _)| *id)
    }
}
