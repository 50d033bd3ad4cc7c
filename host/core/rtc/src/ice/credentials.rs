//! A username fragment and a password: who may check connectivity with a session.

use std::fmt;

/// One side's short-term credentials (RFC 8839 §5.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// 4..=256 characters. Public: it stands in every check.
    pub ufrag: String,
    /// 22..=256 characters. Secret.
    pub pwd: String,
}

/// The password is left out.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}
