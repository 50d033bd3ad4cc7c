//! Hands one frame, or all that is kept, to those receivers of a publication's frames who should get it.

use heliu_model::{Frame, MediaTime};

use crate::accepts::{Needs, Rendition};
use crate::publication::{Formats, Publication};
use crate::room::{Delivery, Sink};
use crate::subscription::{Subscription, View};

/// A publication at one moment, seen by its receivers. What they are told of its formats is put together
/// once for all who need the same.
pub struct Receivers<'a> {
    publication: &'a Publication,
    now: MediaTime,
    has_video: bool,
    formats: Vec<(Needs, Formats)>,
}

impl<'a> Receivers<'a> {
    pub fn new(publication: &'a Publication, now: MediaTime) -> Self {
        Self { publication, now, has_video: publication.may_have_video(now), formats: Vec::new() }
    }

    /// A frame of the publication, which keeps it already, or of one of its renditions.
    pub fn hand_out(
        publication: &mut Publication,
        rendition: Option<Rendition>,
        frame: &Frame,
        now: MediaTime,
        sink: &mut dyn Sink,
    ) {
        let mut subscriptions = std::mem::take(&mut publication.subscriptions);
        let mut receivers = Receivers::new(publication, now);
        let is_kept = publication.keeps(rendition, frame);
        for subscription in subscriptions.iter_mut().filter(|known| known.wish.view == View::Frames) {
            let has_begun = receivers.take_up(subscription, sink);
            let is_its = subscription.needs.of(frame.kind()) == rendition;
            // Who begins with what is kept has had it.
            if is_its && !(has_begun && is_kept) {
                receivers.offer(subscription, frame, sink);
            }
        }
        publication.subscriptions = subscriptions;
    }

    /// Gives all that is kept to one that was held until what it needs is there. False: it is held still,
    /// or was not.
    pub fn take_up(&mut self, subscription: &mut Subscription, sink: &mut dyn Sink) -> bool {
        if !subscription.takes_up(|needs| self.publication.is_ready(needs), self.now) {
            return false;
        }
        for frame in self.publication.kept(subscription.needs) {
            self.offer(subscription, frame, sink);
        }
        true
    }

    fn offer(&mut self, subscription: &mut Subscription, frame: &Frame, sink: &mut dyn Sink) {
        if !subscription.admits(frame, self.has_video) {
            return;
        }
        let formats = self.formats(subscription.needs);
        let (endpoint, publication) = (subscription.wish.endpoint, &subscription.wish.publication);
        sink.handle_frame(Delivery { endpoint, publication, frame, formats });
    }

    fn formats(&mut self, needs: Needs) -> &Formats {
        let known = self.formats.iter().position(|(known, _)| *known == needs);
        let at = known.unwrap_or_else(|| {
            self.formats.push((needs, self.publication.formats(needs, self.now)));
            self.formats.len() - 1
        });
        &self.formats[at].1
    }
}
