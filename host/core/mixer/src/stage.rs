//! The picture of a mix: the scene's layout applied to who is there, and what is painted at a tick.
//!
//! The layout is applied when an input joins, leaves or becomes visible, not at every tick. Not here:
//! which picture an input shows (`feed`), scaling and painting (`heliu-codec`).

use std::collections::BTreeSet;

use heliu_model::{Composition, Draw, Fit, Layout, MediaTime, PublicationId, Rect, Scene, Size, Yuv};

use crate::feed::Feed;
use crate::{colour, geometry, layout};

/// For an intent without them, which the plugin's checks refuse.
const SIZE_DEFAULT: Size = Size { width: 1280, height: 720 };
const FRAME_RATE_DEFAULT: u32 = 25;
const FRAME_RATE_MAX: u32 = 120;

/// A scene and who is where in it.
#[derive(Debug)]
pub(crate) struct Stage {
    size: Size,
    background: Yuv,
    layout: Layout,
    places: Vec<Place>,
    seen: BTreeSet<PublicationId>,
}

#[derive(Debug)]
struct Place {
    region: String,
    publication: PublicationId,
    z: i32,
    fit: Fit,
    /// `None`: too small for a pixel.
    rect: Option<Rect>,
}

impl Stage {
    pub(crate) fn new(scene: &Scene, feeds: &[Feed]) -> Self {
        let mut stage = Self {
            size: geometry::canvas(scene.encoding.size.unwrap_or(SIZE_DEFAULT)),
            background: colour::parse(&scene.background),
            layout: scene.layout.clone(),
            places: Vec::new(),
            seen: BTreeSet::new(),
        };
        stage.arrange(feeds);
        stage
    }

    /// Pictures per second of a scene.
    pub(crate) fn frame_rate(scene: &Scene) -> u32 {
        scene.encoding.frame_rate.unwrap_or(FRAME_RATE_DEFAULT).clamp(1, FRAME_RATE_MAX)
    }

    /// Applies the layout to who is there.
    pub(crate) fn arrange(&mut self, feeds: &[Feed]) {
        let present: Vec<_> = feeds.iter().filter_map(|feed| feed.present(false)).collect();
        let place = |(region, publication): (&heliu_model::Region, &PublicationId)| Place {
            region: region.id.clone(),
            publication: publication.clone(),
            z: region.z,
            fit: region.fit,
            rect: geometry::place(region.area, self.size),
        };
        self.places = layout::apply(&self.layout, &present).into_iter().map(place).collect();
        self.seen = (0..feeds.len()).filter_map(|at| would_be_seen(&self.layout, feeds, at)).cloned().collect();
    }

    /// What is painted at a tick.
    pub(crate) fn compose(&self, pts: MediaTime, feeds: &[Feed]) -> Composition {
        let mut order: Vec<&Place> = self.places.iter().collect();
        order.sort_by_key(|place| place.z);
        let draws = order.into_iter().filter_map(|place| place.draw(feeds)).collect();
        Composition { size: self.size, background: self.background, draws, pts }
    }

    /// Region and publication, in filling order.
    pub(crate) fn regions(&self) -> Vec<(String, PublicationId)> {
        self.places.iter().map(|place| (place.region.clone(), place.publication.clone())).collect()
    }

    /// Has it a region, or would it have one with its first picture?
    pub(crate) fn is_seen(&self, publication: &PublicationId) -> bool {
        self.seen.contains(publication)
    }
}

/// The publication of the feed at this index, if it has a region as soon as it has a picture.
fn would_be_seen<'a>(layout: &'a Layout, feeds: &'a [Feed], at: usize) -> Option<&'a PublicationId> {
    let publication = &feeds[at].input.publication;
    let present: Vec<_> = feeds.iter().enumerate().filter_map(|(other, feed)| feed.present(other == at)).collect();
    layout::apply(layout, &present).iter().any(|(_, shown)| *shown == publication).then_some(publication)
}

impl Place {
    fn draw(&self, feeds: &[Feed]) -> Option<Draw> {
        let feed = feeds.iter().find(|feed| feed.input.publication == self.publication)?;
        let picture = feed.picture().filter(|picture| picture.size().width > 0 && picture.size().height > 0)?;
        let (crop, place) = geometry::meet(self.fit, picture.size(), self.rect?);
        Some(Draw { picture: picture.clone(), crop, place })
    }
}
