//! The two narrow places where control and media meet: what is wished (`Intents`), what is
//! (`Observed`), and what to do about the difference (`Command`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Address, AddressIntent, EgressId, EgressIntent, MixerId, MixerIntent, Timestamp};

/// The store's commit number; grows with every change of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

/// All wishes of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Intents {
    /// Each with the revision at which it was last put.
    pub mixers: BTreeMap<MixerId, (Revision, Arc<MixerIntent>)>,
    /// Each with the revision at which it was last put.
    pub egresses: BTreeMap<EgressId, (Revision, Arc<EgressIntent>)>,
    /// Public names.
    pub addresses: BTreeMap<Address, (Revision, Arc<AddressIntent>)>,
}

/// All that the media plane does by order, at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// Including those that are stopping.
    pub mixers: BTreeMap<MixerId, MixerReality>,
    /// Including those that are closing.
    pub egresses: BTreeMap<EgressId, EgressReality>,
    /// Public names in force.
    pub addresses: BTreeMap<Address, Revision>,
}

/// One mixer as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct MixerReality {
    /// Which wish it follows.
    pub revision: Revision,
    /// The wish itself.
    pub intent: Arc<MixerIntent>,
    /// How far it is.
    pub stage: MixerStage,
    /// Since when.
    pub since: Timestamp,
    /// In a row.
    pub failures: u32,
}

/// How far a mixer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MixerStage {
    /// Ordered, no output yet.
    Starting,
    /// Composing.
    Running,
    /// Asked to end; still holds its publication.
    Stopping,
    /// Ended by itself. Stays listed until it is started again or stopped.
    Failed {
        /// In words.
        detail: String,
    },
}

/// One egress as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct EgressReality {
    /// Which wish it follows.
    pub revision: Revision,
    /// The wish itself.
    pub intent: Arc<EgressIntent>,
    /// How far it is.
    pub stage: EgressStage,
    /// Since when.
    pub since: Timestamp,
    /// Tries in a row that did not reach `Running`.
    pub failures: u32,
    /// Last trouble, in words; empty if none.
    pub detail: String,
}

/// How far an egress is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EgressStage {
    /// Connecting, or waiting for its source.
    Starting,
    /// Media flows.
    Running,
    /// Connected, but the source gives nothing.
    Stalled,
    /// Asked to end; may still hold its target.
    Stopping,
    /// This try is over. Stays listed until it is started again or stopped.
    Down,
}

/// What the media plane is told. Repeating one that has been carried out changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Run this mixer, or change the one that runs under this id (same room and publication).
    PutMixer(MixerId, Revision, Arc<MixerIntent>),
    /// End it; it leaves `Observed` when its publication is gone.
    StopMixer(MixerId),
    /// Connect, or change the source of the one that runs under this id (same URL).
    PutEgress(EgressId, Revision, Arc<EgressIntent>),
    /// End it cleanly; it leaves `Observed` when its connection is gone.
    StopEgress(EgressId),
    /// Open a public name, or change what is behind it.
    PutAddress(Revision, Arc<AddressIntent>),
    /// Close it; its players end.
    StopAddress(Address),
}
