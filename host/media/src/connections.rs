//! How many RTMP clients came, and what became of those that came to nothing.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a client came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dismissal {
    /// Too many clients, in all or of its address.
    Full,
    /// It did not ask in time.
    Late,
    /// It went before it asked.
    Closed,
    /// It speaks something else.
    Malformed,
    /// Its connection broke.
    Lost,
    /// It asked, and was refused.
    Refused,
}

impl Dismissal {
    const ALL: [Self; 6] = [Self::Full, Self::Late, Self::Closed, Self::Malformed, Self::Lost, Self::Refused];

    fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Late => "late",
            Self::Closed => "closed",
            Self::Malformed => "malformed",
            Self::Lost => "lost",
            Self::Refused => "refused",
        }
    }
}

/// Since the start, of all listeners together.
#[derive(Debug, Default)]
pub struct Counts {
    came: AtomicU64,
    dismissed: [AtomicU64; Dismissal::ALL.len()],
}

/// One moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Open at this moment.
    pub open: u64,
    /// Since the start.
    pub came: u64,
    /// Came to nothing since the start, by cause.
    pub dismissed: [(&'static str, u64); Dismissal::ALL.len()],
}

impl Counts {
    /// One came.
    pub fn note_came(&self) {
        self.came.fetch_add(1, Ordering::Relaxed);
    }

    /// One came to nothing.
    pub fn note(&self, dismissal: Dismissal) {
        self.dismissed[dismissal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// With those that are open, who are counted elsewhere.
    pub fn read(&self, open: usize) -> Connections {
        let count = |cause: Dismissal| self.dismissed[cause as usize].load(Ordering::Relaxed);
        Connections {
            open: open as u64,
            came: self.came.load(Ordering::Relaxed),
            dismissed: Dismissal::ALL.map(|cause| (cause.as_str(), count(cause))),
        }
    }
}
