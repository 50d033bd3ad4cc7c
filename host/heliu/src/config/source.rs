//! The operator's own ingests: where each publishes and what.
//!
//! Both keys are read with the file, so that a mistake is told with its line.

use std::collections::BTreeSet;
use std::fmt;

use heliu_model::{Address, AddressError};
use heliu_pattern::{Pattern, PatternError};
use serde::Deserialize;

use super::ConfigError;

/// One ingest. It asks for admission like any publisher.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Where it publishes: `app/name`, with a query if its admission wants one.
    pub address: SourceAddress,
    /// What it publishes.
    pub url: SourceUrl,
}

/// An address and what follows its `?`. The query may hold a secret: `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(try_from = "String")]
#[cfg_attr(test, serde(into = "String"))]
pub struct SourceAddress {
    /// Without the query.
    pub address: Address,
    /// Told to admission.
    pub query: Option<String>,
}

/// `test:…`, the only kind that is served.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(try_from = "String")]
#[cfg_attr(test, serde(into = "String"))]
pub struct SourceUrl {
    /// What it asks for.
    pub pattern: Pattern,
}

/// Two publishers of one name that both come back would fight for ever.
pub(super) fn check(sources: &[Source]) -> Result<(), ConfigError> {
    let mut known = BTreeSet::new();
    match sources.iter().find(|source| !known.insert(&source.address.address)) {
        Some(twice) => Err(ConfigError::SameSource { address: twice.address.address.to_string() }),
        None => Ok(()),
    }
}

impl TryFrom<String> for SourceAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        let (address, query) = match text.split_once('?') {
            Some((address, query)) => (address, Some(query.to_owned())),
            None => (text.as_str(), None),
        };
        Ok(Self { address: Address::parse(address)?, query })
    }
}

impl TryFrom<String> for SourceUrl {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        Ok(Self { pattern: Pattern::parse(&text)? })
    }
}

#[cfg(test)]
impl From<SourceAddress> for String {
    fn from(SourceAddress { address, query }: SourceAddress) -> Self {
        query.map_or(address.to_string(), |query| format!("{address}?{query}"))
    }
}

/// Enough for a test that compares keys.
#[cfg(test)]
impl From<SourceUrl> for String {
    fn from(_: SourceUrl) -> Self {
        "test:bars".to_owned()
    }
}

impl fmt::Debug for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{}", self.address, if self.query.is_some() { "?…" } else { "" })
    }
}
