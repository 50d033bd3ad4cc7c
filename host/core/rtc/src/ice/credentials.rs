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

/// Letters that credentials may hold (RFC 8839 §5.4).
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Credentials {
    /// New ones: 72 random bits that name a session, 192 that keep it.
    #[must_use]
    pub fn random() -> Self {
        Self { ufrag: letters::<12>(), pwd: letters::<32>() }
    }
}

fn letters<const LEN: usize>() -> String {
    let mut random = [0; LEN];
    getrandom::fill(&mut random).expect("the system has random numbers");
    random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 64)])).collect()
}

/// The password is left out.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}
