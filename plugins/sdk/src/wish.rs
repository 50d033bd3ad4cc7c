//! Wishes: what the plugin wants from the media plane, as values that become records with `put`.
//!
//! The host makes them true and keeps them true, over crashes too, until `delete`.

use crate::bindings::heliu::personality::addresses::Address as AddressRecord;
pub use crate::bindings::heliu::personality::addresses::Place;
use crate::bindings::heliu::personality::egresses::Egress as EgressRecord;
use crate::bindings::heliu::personality::mixers::{
    Layout, Mixer as MixerRecord, Scene as SceneRecord, Sound as SoundRecord, Table,
};
use crate::bindings::heliu::personality::types::{Encoding, Error, Field, Format, Size, Source};
use crate::host::{addresses, egresses, mixers};

const NO_ENCODING: Encoding =
    Encoding { format: None, size: None, frame_rate: None, bitrate_kbps: None, keyframe_ms: None };

/// Many publications of a room to one. Runs, with background and silence, from `put` to `delete`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixer(MixerRecord);

/// What a mixer shows: H.264.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene(SceneRecord);

/// What a mixer sounds like: AAC-LC, 48 kHz, stereo.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound(SoundRecord);

/// A push.
#[derive(Debug, Clone, PartialEq)]
pub struct Egress(EgressRecord);

/// A public name that everybody may play without being admitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Address(AddressRecord);

impl Mixer {
    /// Mixes the room's publications and publishes the result there under `publication`.
    #[must_use]
    pub fn new(room: &str, publication: &str) -> Self {
        Self(MixerRecord {
            room: room.to_owned(),
            publication: publication.to_owned(),
            scene: None,
            sound: None,
            options: Vec::new(),
        })
    }

    /// With pictures.
    #[must_use]
    pub fn scene(mut self, scene: Scene) -> Self {
        self.0.scene = Some(scene.0);
        self
    }

    /// With sound.
    #[must_use]
    pub fn sound(mut self, sound: Sound) -> Self {
        self.0.sound = Some(sound.0);
        self
    }

    /// Starts it, or changes the one of this id.
    ///
    /// # Errors
    /// `exhausted`: the host's limits leave no room for it.
    pub fn put(&self, id: &str) -> Result<(), Error> {
        mixers::put(id, &self.0)
    }

    /// Ends the one of this id, and its publication with it. Fine if there is none.
    ///
    /// # Errors
    /// The host's.
    pub fn delete(id: &str) -> Result<(), Error> {
        mixers::delete(id)
    }
}

impl Scene {
    /// A black canvas with places by number of inputs.
    #[must_use]
    pub fn new(width: u32, height: u32, frame_rate: u32, table: Table) -> Self {
        Self(SceneRecord {
            encoding: Encoding {
                format: Some(Format { codec: "h264".to_owned(), profile: None, sample_rate: None, channels: None }),
                size: Some(Size { width, height }),
                frame_rate: Some(frame_rate),
                ..NO_ENCODING
            },
            background: "#000000".to_owned(),
            layout: Layout::Table(table),
            options: Vec::new(),
        })
    }

    /// Target; without: the host's choice.
    #[must_use]
    pub fn bitrate_kbps(mut self, bitrate_kbps: u32) -> Self {
        self.0.encoding.bitrate_kbps = Some(bitrate_kbps);
        self
    }

    /// Longest distance between key pictures.
    #[must_use]
    pub fn keyframe_ms(mut self, keyframe_ms: u32) -> Self {
        self.0.encoding.keyframe_ms = Some(keyframe_ms);
        self
    }

    /// `#rrggbb`.
    #[must_use]
    pub fn background(mut self, colour: &str) -> Self {
        colour.clone_into(&mut self.0.background);
        self
    }
}

impl Sound {
    /// Everybody in the room, except what mixers made.
    #[must_use]
    pub fn everyone() -> Self {
        let format = Format { codec: "aac".to_owned(), profile: None, sample_rate: Some(48_000), channels: Some(2) };
        let encoding = Encoding { format: Some(format), ..NO_ENCODING };
        Self(SoundRecord { voices: None, encoding, options: Vec::new() })
    }
}

impl Egress {
    /// Pushes sound and pictures of one publication by RTMP, as they come, again and again until it is
    /// deleted.
    #[must_use]
    pub fn rtmp(room: &str, publication: &str, url: &str) -> Self {
        let source = Source { publication: publication.to_owned(), layer: None, encoding: NO_ENCODING };
        Self(EgressRecord {
            room: room.to_owned(),
            audio: Some(source.clone()),
            video: Some(source),
            protocol: "rtmp".to_owned(),
            url: url.to_owned(),
            attempts_max: None,
            options: Vec::new(),
        })
    }

    /// Starts it, or changes the one of this id. It waits for another push that still closes this URL.
    ///
    /// # Errors
    /// `denied`: the operator's filter forbids this target. `invalid`: no URL of this protocol.
    pub fn put(&self, id: &str) -> Result<(), Error> {
        egresses::put(id, &self.0)
    }

    /// Ends the one of this id cleanly. Fine if there is none.
    ///
    /// # Errors
    /// The host's.
    pub fn delete(id: &str) -> Result<(), Error> {
        egresses::delete(id)
    }
}

impl Address {
    /// What players of the name get; it need not be there.
    #[must_use]
    pub fn new(room: &str, publication: &str) -> Self {
        Self(AddressRecord { room: room.to_owned(), publication: publication.to_owned(), options: Vec::new() })
    }

    /// How long a player waits for what is not there, instead of "not found".
    #[must_use]
    pub fn wait_ms(mut self, wait_ms: u32) -> Self {
        self.0.options.push(Field { name: "wait-ms".to_owned(), value: wait_ms.to_string() });
        self
    }

    /// Opens the name, or changes what is behind it.
    ///
    /// # Errors
    /// `already-exists`: the name is another plugin's.
    pub fn put(&self, app: &str, name: &str) -> Result<(), Error> {
        addresses::put(app, name, &self.0)
    }

    /// Closes the name; its players end. Fine if it is closed.
    ///
    /// # Errors
    /// The host's.
    pub fn delete(app: &str, name: &str) -> Result<(), Error> {
        addresses::delete(app, name)
    }
}

/// Does this URL point to this host, and to which name?
#[must_use]
pub fn locate(url: &str) -> Option<Place> {
    addresses::locate(url)
}

/// URLs of a name: `rtmp` and others, with the host of `authority` where no public name is configured.
#[must_use]
pub fn urls(app: &str, name: &str, authority: Option<&str>) -> Vec<Field> {
    addresses::urls(app, name, authority)
}
