//! Every answer that is no success: HTTP status, code and message of the vendor's API.

use heliu_sdk::{Error, IntoResponse, Part, Rejection, Response, log};
use serde::Serialize;

/// Why a call was refused. Nothing it did stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Another running task pushes there.
    OutputInUse {
        /// The task that does.
        task: String,
        /// As this call sent it.
        url: String,
    },
    /// Missing, ill-typed or out of range.
    InvalidParameter(String),
    /// The body is no JSON object.
    InvalidJson,
    /// The operator's limits leave no room.
    TooManyTasks,
    /// The mixer failed, or the host could not answer.
    Internal,
    /// No key, or a wrong one.
    Unauthorized,
    /// No task under this id.
    NoSuchTask(String),
    /// Nothing is served under this path.
    NoSuchPath,
    /// Not by this method.
    NoSuchMethod,
    /// Over 64 KiB.
    BodyTooLarge,
}

/// What a refused client reads.
#[derive(Debug, Serialize)]
pub struct Body {
    code: u32,
    message: String,
}

impl Refusal {
    /// Code and message.
    pub fn body(&self) -> Body {
        let (code, message) = match self {
            Self::OutputInUse { task, url } => (1, format!("living task[{task}]'s streamout[{url}] already exists")),
            Self::InvalidParameter(field) => (2, format!("invalid parameter: {field}")),
            Self::InvalidJson => (3, "invalid json".to_owned()),
            Self::TooManyTasks => (4, "too many living tasks".to_owned()),
            Self::Internal => (5, "internal error".to_owned()),
            Self::Unauthorized => (6, "unauthorized".to_owned()),
            Self::NoSuchTask(id) => (7, format!("living task[{id}] not found")),
            Self::NoSuchPath => (8, "not found".to_owned()),
            Self::NoSuchMethod => (9, "method not allowed".to_owned()),
            Self::BodyTooLarge => (10, "body too large".to_owned()),
        };
        Body { code, message }
    }

    /// The API answers 200 to whatever reached a handler with a valid key.
    fn status(&self) -> u16 {
        match self {
            Self::OutputInUse { .. }
            | Self::InvalidParameter(_)
            | Self::InvalidJson
            | Self::TooManyTasks
            | Self::Internal
            | Self::NoSuchTask(_) => 200,
            Self::Unauthorized => 401,
            Self::NoSuchPath => 404,
            Self::NoSuchMethod => 405,
            Self::BodyTooLarge => 413,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let response = Response::json(self.status(), &self.body());
        if self == Self::Unauthorized { response.header("www-authenticate", "Bearer") } else { response }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        // The API names fields, not their elements: `outputs`, never `outputs[2]`.
        let field = rejection.field().split('[').next().unwrap_or_default();
        if rejection.part() == Part::Body && field.is_empty() {
            return Self::InvalidJson;
        }
        Self::InvalidParameter(field.to_owned())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match &error {
            Error::Exhausted(limit) if ["mixers", "codec", "egresses"].contains(&limit.as_str()) => Self::TooManyTasks,
            _ => {
                log::warn("the host refused", &[("error", &error.to_string())]);
                Self::Internal
            }
        }
    }
}
