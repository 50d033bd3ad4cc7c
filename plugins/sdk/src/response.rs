//! Answers.

use serde::Serialize;

use crate::bindings::heliu::personality::http;
use crate::bindings::heliu::personality::types::Field;
use crate::extract::Json;

/// What a client gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Response(pub(crate) http::Response);

/// Can be the answer of a handler.
pub trait IntoResponse {
    /// As an answer.
    fn into_response(self) -> Response;
}

impl Response {
    /// A status alone.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self(http::Response { status, headers: Vec::new(), body: http::Body::Empty })
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: u16, text: &str) -> Self {
        Self::bytes(status, "text/plain; charset=utf-8", text.as_bytes().to_vec())
    }

    /// JSON, keys in the order of the type's fields.
    ///
    /// # Panics
    /// The value has no JSON (a map whose keys are no text): a bug of the plugin.
    #[must_use]
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("an answer's type has a JSON form");
        Self::bytes(status, "application/json; charset=utf-8", body)
    }

    /// Any bytes.
    #[must_use]
    pub fn bytes(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let response = http::Response { status, headers: Vec::new(), body: http::Body::Bytes(body) };
        Self(response).header("content-type", content_type)
    }

    /// With one more header; `name` in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0.headers.push(Field { name: name.to_owned(), value: value.to_owned() });
        self
    }
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        Response::json(200, &self.0)
    }
}
