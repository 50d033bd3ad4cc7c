//! Log lines; plugin, request and room are added by the host. Written even if the call fails.

use crate::bindings::heliu::personality::log::Level;
use crate::bindings::heliu::personality::types::Field;
use crate::host;

/// A decision and its reason. `message` is constant, data goes into `fields`.
pub fn debug(message: &str, fields: &[(&str, &str)]) {
    write(Level::Debug, message, fields);
}

/// A life event.
pub fn info(message: &str, fields: &[(&str, &str)]) {
    write(Level::Info, message, fields);
}

/// Degraded, will recover.
pub fn warn(message: &str, fields: &[(&str, &str)]) {
    write(Level::Warn, message, fields);
}

/// An operator must act.
pub fn error(message: &str, fields: &[(&str, &str)]) {
    write(Level::Error, message, fields);
}

fn write(level: Level, message: &str, fields: &[(&str, &str)]) {
    let field = |(name, value): &(&str, &str)| Field { name: (*name).to_owned(), value: (*value).to_owned() };
    host::log::write(level, message, &fields.iter().map(field).collect::<Vec<_>>());
}
