//! Why a configuration is refused: always one sentence, with the place to look at.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The start stops; nothing has happened yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file itself.
    #[error("cannot read the configuration {}: {reason}", .path.display())]
    Unreadable {
        /// As given.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// No TOML, an unknown key, a wrong type.
    #[error("{} line {line}: {message}", .path.display())]
    InFile {
        /// As given.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// A variable that names no key, or has no value for it.
    #[error("the variable {name} does not fit the configuration: {message}")]
    InVariable {
        /// The variable.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// A typing error would silence everything.
    #[error("log.level {level:?} is no level: error, warn, info, debug or trace, then perhaps module=level, by commas")]
    Level {
        /// As configured.
        level: String,
    },
    /// Demonstration keys where strangers can reach them.
    #[error(
        "plugins.{plugin} is a demonstration (demo = true) and {listener} is open to others: \
         listen on 127.0.0.1 instead in {place}"
    )]
    OpenDemo {
        /// The plugin's table.
        plugin: String,
        /// As configured.
        listener: String,
        /// The line to change.
        place: String,
    },
    /// A plugin bound to nothing.
    #[error("plugins.{plugin}.http lists {listener}, and no [[http]] listens there")]
    UnknownListener {
        /// The plugin's table.
        plugin: String,
        /// As configured.
        listener: SocketAddr,
    },
    /// The second would find the port taken.
    #[error("{one} and {other} are two listeners on one port")]
    SameListener {
        /// As configured.
        one: SocketAddr,
        /// As configured.
        other: SocketAddr,
    },
    /// What nobody can be called.
    #[error("{table}.hosts: {host:?} is no name and no address; both stand without port")]
    Host {
        /// Where it stands.
        table: &'static str,
        /// As configured.
        host: String,
    },
    /// Two ingests of one name.
    #[error("two [[source]] tables publish at {address}")]
    SameSource {
        /// As configured, without its query.
        address: String,
    },
}

impl ConfigError {
    pub(super) fn in_file(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let line = line_of(text, error.span().unwrap_or_default());
        Self::InFile { path: path.to_owned(), line, message: error.message().replace('\n', "; ") }
    }
}

/// The line, from 1, in which a span begins.
pub(super) fn line_of(text: &str, span: Range<usize>) -> usize {
    let before = text.get(..span.start).unwrap_or(text);
    before.matches('\n').count() + 1
}
