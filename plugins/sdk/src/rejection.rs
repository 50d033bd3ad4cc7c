//! Why an extractor could not take what the client sent.

use std::fmt;

use crate::json::Misfit;

/// A request that does not fit its handler. A plugin turns it into the vendor's shape by its one
/// `From<Rejection>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    part: Part,
    misfit: Misfit,
}

/// The part of a request that did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Values of the template's names.
    Path,
    /// What stands behind `?`.
    Query,
    /// A header.
    Header,
    /// The body.
    Body,
}

impl Rejection {
    pub(crate) fn new(part: Part, misfit: Misfit) -> Self {
        Self { part, misfit }
    }

    pub(crate) fn of(part: Part, place: &str, why: &str) -> Self {
        Self::new(part, Misfit { place: place.to_owned(), why: why.to_owned() })
    }

    /// Which part of the request.
    #[must_use]
    pub fn part(&self) -> Part {
        self.part
    }

    /// Where in that part: `channel.appId`, `outputs[2]`; empty: all of it.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.misfit.place
    }

    /// Where in the request: `body.channel.appId`.
    #[must_use]
    pub fn place(&self) -> String {
        self.misfit.clone().inside(self.part.as_str()).place
    }
}

impl Part {
    fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Body => "body",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.misfit.why)
    }
}

impl std::error::Error for Rejection {}
