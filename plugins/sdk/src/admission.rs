//! May this media client publish or play here, and as whom?

pub use crate::bindings::exports::heliu::personality::admission::{Attempt, Direction, Grant, Refusal, Takeover};
use crate::bindings::heliu::personality::types::Error;

impl Attempt {
    /// The segments behind the app.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.name.split('/').collect()
    }
}

impl Grant {
    /// Sound and pictures, in or out. Who is there stays (`Takeover::Refuse`); a player does not wait.
    #[must_use]
    pub fn new(room: &str, participant: &str, publication: &str) -> Self {
        Self {
            room: room.to_owned(),
            participant: participant.to_owned(),
            publication: publication.to_owned(),
            audio: true,
            video: true,
            takeover: Takeover::Refuse,
            wait_ms: 0,
            bitrate_kbps_max: None,
            seconds_max: None,
            options: Vec::new(),
        }
    }

    /// Publish: what if the id is taken.
    #[must_use]
    pub fn takeover(self, takeover: Takeover) -> Self {
        Self { takeover, ..self }
    }

    /// Play: how long to wait for a publication that is not there.
    #[must_use]
    pub fn wait_ms(self, wait_ms: u32) -> Self {
        Self { wait_ms, ..self }
    }
}

impl Refusal {
    /// HTTP status, which other protocols translate, and a reason for the client.
    #[must_use]
    pub fn new(status: u16, reason: &str) -> Self {
        Self { status, reason: reason.to_owned() }
    }
}

/// The host could not tell what the plugin asked: the client may try again.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        crate::log::warn("admission without an answer of the host", &[("error", &error.to_string())]);
        Self::new(503, "try again later")
    }
}
