//! What the operator wrote for this plugin.

use serde::de::DeserializeOwned;

use crate::bindings::heliu::personality::types::Error;
use crate::{host, json};

/// The `config` table, which the host has checked against the plugin's schema.
///
/// # Errors
/// It does not fit `T`: type and schema disagree.
pub fn read<T: DeserializeOwned>() -> Result<T, Error> {
    json::from_slice(host::config::read().as_bytes()).map_err(|misfit| Error::Invalid(format!("config.{misfit}")))
}
