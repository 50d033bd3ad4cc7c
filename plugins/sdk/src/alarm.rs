//! Wake-ups: records like any other, due after the commit.

use crate::bindings::heliu::personality::types::Error;
use crate::host;

/// Replaces an alarm of the same name. `key`: serialization key of the call, usually a room.
///
/// # Errors
/// `exhausted`: too many alarms, or the payload is over 4 KiB.
pub fn set(name: &str, after_ms: u32, key: Option<&str>, payload: &str) -> Result<(), Error> {
    host::alarms::set(name, after_ms, key, payload)
}

/// Fine if there is none.
///
/// # Errors
/// The name is no id.
pub fn cancel(name: &str) -> Result<(), Error> {
    host::alarms::cancel(name)
}
