//! The limits a plugin can meet (`wit/README.md` §5), as names for counters.
//!
//! Not here: their numbers ([`crate::Limits`]) and what happens when one is met; each is enforced where
//! the thing it bounds lives.

use crate::bindings::types::Error;

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Computing time of one run.
    Cpu,
    /// Computing time of all calls together; a call had to queue for it.
    CpuShare,
    /// Wall time of one call.
    Time,
    /// Calls that wait for their turn.
    Queued,
    /// Callers of one serialization key.
    CallersPerKey,
    /// Calls that wait inside an effect.
    Waiting,
    /// Memory of one instance.
    Memory,
    /// Memory of all instances together.
    PluginMemory,
    /// Bytes a guest hands over in one host call.
    HostCall,
    /// Bytes of a response.
    Response,
    /// Bytes of one transaction.
    Transaction,
    /// The plugin's share of the store, on disk or in memory.
    Store,
    /// Durable writes in one minute.
    Writes,
    /// Alarms that are set.
    Alarms,
    /// Recorded answers of one call, kept for a replay.
    Replay,
    /// Log lines in one second.
    LogLines,
    /// Length or form of a key, value, id, list or payload: the guest was told `invalid`.
    Argument,
    /// The operator's ceiling of mixers.
    Mixers,
    /// The operator's ceiling of pixels per second.
    Codec,
    /// The operator's ceiling of egresses.
    Egresses,
}

impl Limit {
    /// Every limit, for counters.
    pub const ALL: [Self; 20] = [
        Self::Cpu,
        Self::CpuShare,
        Self::Time,
        Self::Queued,
        Self::CallersPerKey,
        Self::Waiting,
        Self::Memory,
        Self::PluginMemory,
        Self::HostCall,
        Self::Response,
        Self::Transaction,
        Self::Store,
        Self::Writes,
        Self::Alarms,
        Self::Replay,
        Self::LogLines,
        Self::Argument,
        Self::Mixers,
        Self::Codec,
        Self::Egresses,
    ];

    /// For metrics labels and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::CpuShare => "cpu-share",
            Self::Time => "time",
            Self::Queued => "queued",
            Self::CallersPerKey => "callers-per-key",
            Self::Waiting => "waiting",
            Self::Memory => "memory",
            Self::PluginMemory => "plugin-memory",
            Self::HostCall => "host-call",
            Self::Response => "response",
            Self::Transaction => "transaction",
            Self::Store => "store",
            Self::Writes => "writes",
            Self::Alarms => "alarms",
            Self::Replay => "replay",
            Self::LogLines => "log-lines",
            Self::Argument => "argument",
            Self::Mixers => "mixers",
            Self::Codec => "codec",
            Self::Egresses => "egresses",
        }
    }

    /// The limit behind what a guest is told; `None`: it was told something else.
    pub(crate) fn behind(error: &Error) -> Option<Self> {
        match error {
            Error::Invalid(_) => Some(Self::Argument),
            Error::Exhausted(name) => Self::ALL.into_iter().find(|limit| limit.as_str() == name),
            Error::NotFound | Error::AlreadyExists | Error::Denied(_) | Error::Unavailable(_) | Error::Timeout => None,
        }
    }
}
