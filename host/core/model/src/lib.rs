//! The words of heliu as types: ids, addresses, time, frames, wishes and what became of them.
//!
//! Plain data without behaviour beyond its own validity. Every other crate speaks in these types, so
//! nothing here may know a protocol, a codec library, a plugin or a vendor.

mod address;
mod admission;
mod cidr;
mod composition;
mod event;
mod frame;
mod id;
mod intent;
mod job;
mod network;
mod percent;
mod picture;
mod reality;
mod rtmp_url;
mod status;
mod time;

pub use address::{Address, AddressError};
pub use admission::{Attempt, Direction, Grant, Refusal, Takeover};
pub use cidr::{Cidr, CidrError};
pub use composition::{Composition, Draw, Rect, Yuv};
pub use event::{Event, EventKind, LeaveReason};
pub use frame::{AacFormat, Format, Frame, H264Format, Kind, OpusFormat, Size};
pub use id::{EgressId, EndpointId, IdError, MixerId, Namespace, ParticipantId, PublicationId, RoomId};
pub use intent::{
    AddressIntent, Area, EgressIntent, Encoding, Fit, FormatWish, Layout, MixerIntent, Primary, Region, Scene, Sound,
    Source, Table, Voice,
};
pub use job::{Job, JobState, Noun};
pub use network::Network;
pub use percent::percent_decode;
pub use picture::Picture;
pub use reality::{Command, EgressReality, EgressStage, Intents, MixerReality, MixerStage, Observed, Revision};
pub use rtmp_url::{RtmpUrl, UrlError};
pub use status::{
    Datagrams, EgressStatus, InputStatus, MixerStatus, Players, PublicationStatus, RenditionStatus, RoomStatus,
    SourceStatus, Status, Totals, TrackStatus, Traffic, Transcoded,
};
pub use time::{MediaTime, Timestamp};
