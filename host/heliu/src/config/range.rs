//! A range of addresses in the file; read with it, so that a mistake is told with its line.

use heliu_model::{Cidr, CidrError};
use serde::Deserialize;

/// `127.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(try_from = "String")]
#[cfg_attr(test, serde(into = "String"))]
pub struct Range(pub Cidr);

impl TryFrom<String> for Range {
    type Error = CidrError;

    fn try_from(text: String) -> Result<Self, CidrError> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
impl From<Range> for String {
    fn from(range: Range) -> Self {
        range.0.to_string()
    }
}
