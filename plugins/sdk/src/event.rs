//! What happened, and times that have come.

use serde::de::DeserializeOwned;

pub use crate::bindings::exports::heliu::personality::events::{Alarm, Event};
use crate::bindings::heliu::personality::types::Error;
use crate::json;

impl Event {
    /// The members of its kind (`wit/README.md` §6).
    ///
    /// # Errors
    /// The members do not fit `T`.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, Error> {
        json::from_slice(self.data.as_bytes()).map_err(|misfit| Error::Invalid(format!("data.{misfit}")))
    }
}
