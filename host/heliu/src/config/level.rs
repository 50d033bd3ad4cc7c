//! What `log.level` may say: a level, then perhaps other levels for parts of the host.
//!
//! The filter behind it takes a word it does not know as the name of a part, and is silent about all
//! others: a typing error would silence errors.

use super::ConfigError;

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

pub(super) fn check(level: &str) -> Result<(), ConfigError> {
    let mut directives = level.split(',').map(str::trim);
    let begins_with_level =
        directives.next().is_some_and(|first| LEVELS.contains(&first.to_ascii_lowercase().as_str()));
    let says_level = |directive: &str| directive.rsplit_once('=').is_some_and(|(_, level)| LEVELS.contains(&level));
    if begins_with_level && directives.all(says_level) {
        return Ok(());
    }
    Err(ConfigError::Level { level: level.to_owned() })
}
