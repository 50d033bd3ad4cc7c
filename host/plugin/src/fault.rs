//! Why a call gave no answer. The host then answers alone, in the shape of the plugin's face.

/// A call that failed. Nothing of its open transaction happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// The guest trapped: a panic, or it broke the contract.
    #[error("the plugin failed")]
    Trap,
    /// It computed longer than it may.
    #[error("the plugin took too much computing time")]
    Cpu,
    /// It trapped after it was refused memory.
    #[error("the plugin needed too much memory")]
    Memory,
    /// Its wall time was over.
    #[error("the plugin did not answer in time")]
    Timeout,
    /// The guest answered with an error (events and alarms only).
    #[error("the plugin refused the event")]
    Refused,
    /// The response is no HTTP answer, or of a kind this host does not serve.
    #[error("the plugin's answer is not valid")]
    BadResponse,
    /// The response is larger than it may be.
    #[error("the plugin's answer is too large")]
    ResponseTooLarge,
    /// It handed over more at once than it may.
    #[error("the plugin handed over too much")]
    HostCall,
    /// As many calls wait as may.
    #[error("too many calls")]
    TooManyCalls,
    /// It failed too often lately; it was not called.
    #[error("the plugin has failed too often")]
    BreakerOpen,
    /// Another call changed what this one read after an effect, and what it had asked before is too
    /// much to be told again.
    #[error("the call met another one")]
    Conflict,
    /// Run again after an effect, it asked something else than it did before.
    #[error("the plugin took another way")]
    AnotherWay,
    /// The store cannot write: full, or its disk is.
    #[error("the store is full")]
    StoreFull,
    /// The store cannot read or write.
    #[error("the store failed")]
    Store,
    /// The plugin does not export what was called.
    #[error("the plugin does not answer such calls")]
    NotExported,
}

impl Fault {
    /// Which entry of `face.faults` tells it: 429, 500, 503 or 504.
    #[must_use]
    pub fn when(self) -> u16 {
        match self {
            Self::Trap | Self::Memory | Self::Refused | Self::BadResponse | Self::ResponseTooLarge | Self::HostCall => {
                500
            }
            Self::Cpu | Self::Timeout => 504,
            Self::TooManyCalls => 429,
            Self::BreakerOpen
            | Self::Conflict
            | Self::AnotherWay
            | Self::StoreFull
            | Self::Store
            | Self::NotExported => 503,
        }
    }

    /// Is the plugin itself to blame, not its callers nor the host? Time that is over is not: computing
    /// has a limit of its own, and who only waited, waited for the host.
    #[must_use]
    pub fn is_the_plugins(self) -> bool {
        match self {
            Self::Trap
            | Self::Cpu
            | Self::Memory
            | Self::BadResponse
            | Self::ResponseTooLarge
            | Self::HostCall
            | Self::AnotherWay => true,
            Self::Timeout
            | Self::Refused
            | Self::TooManyCalls
            | Self::BreakerOpen
            | Self::Conflict
            | Self::StoreFull
            | Self::Store
            | Self::NotExported => false,
        }
    }

    /// Every cause, for counters.
    pub const ALL: [Self; 15] = [
        Self::Trap,
        Self::Cpu,
        Self::Memory,
        Self::Timeout,
        Self::Refused,
        Self::BadResponse,
        Self::ResponseTooLarge,
        Self::HostCall,
        Self::TooManyCalls,
        Self::BreakerOpen,
        Self::Conflict,
        Self::AnotherWay,
        Self::StoreFull,
        Self::Store,
        Self::NotExported,
    ];

    /// For metrics labels and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::BadResponse => "bad-response",
            Self::ResponseTooLarge => "response-too-large",
            Self::HostCall => "host-call",
            Self::TooManyCalls => "too-many-calls",
            Self::BreakerOpen => "breaker-open",
            Self::Conflict => "conflict",
            Self::AnotherWay => "another-way",
            Self::StoreFull => "store-full",
            Self::Store => "store",
            Self::NotExported => "not-exported",
        }
    }
}
