//! What goes wrong, as HTTP: the only place that knows the status codes.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response as HttpResponse;
use heliu_media::NegotiationError;

use crate::answer;
use crate::body::BodyError;

/// Seconds after which it is worth to ask again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Why a request came to nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Not one of the place's methods.
    Method,
    /// The body should be of this type.
    MediaType(&'static str),
    /// `If-Match` is missing.
    NoCondition,
    /// There is no body.
    Body(BodyError),
    /// The media plane says no.
    Negotiation(NegotiationError),
}

impl From<BodyError> for Trouble {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<NegotiationError> for Trouble {
    fn from(error: NegotiationError) -> Self {
        Self::Negotiation(error)
    }
}

impl Trouble {
    /// For a place with these methods.
    pub(super) fn answer(&self, allowed: &'static str) -> HttpResponse {
        let (status, message) = self.status();
        let mut response = answer::neutral(status, &message);
        let headers = response.headers_mut();
        match self {
            Self::Method => _ = headers.insert(header::ALLOW, HeaderValue::from_static(allowed)),
            // RFC 9110 §15.5.2: 401 says how to do better, and RFC 9725 §4.5 which way that is.
            _ if status == 401 => _ = headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            _ if status == 429 || status == 503 => _ = headers.insert(header::RETRY_AFTER, RETRY_AFTER),
            _ => {}
        }
        response
    }

    fn status(&self) -> (u16, String) {
        let told = |status, text: &str| (status, text.to_owned());
        match self {
            Self::Method => told(405, "method not allowed"),
            Self::MediaType(wanted) => (415, format!("the body must be of type {wanted}")),
            Self::NoCondition => told(428, "If-Match is missing"),
            Self::Body(BodyError::TooLarge) => told(413, "body too large"),
            Self::Body(BodyError::TooSlow) => told(408, "the body did not come in time"),
            Self::Body(BodyError::Broken) => told(400, "the body is broken"),
            Self::Negotiation(error) => (code(error), error_text(error)),
        }
    }
}

fn code(error: &NegotiationError) -> u16 {
    match error {
        NegotiationError::Garbage(_) => 400,
        // RFC 9725 §4.2 leaves it open between 400 and 422; this one says that the text itself is right.
        NegotiationError::Unmet(_) => 422,
        NegotiationError::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.status).ok().map(|status| status.as_u16());
            status.filter(|status| *status >= 400).unwrap_or(403)
        }
        NegotiationError::NotFound => 404,
        NegotiationError::Taken => 409,
        NegotiationError::Stale => 412,
        NegotiationError::Full | NegotiationError::Unavailable => 503,
    }
}

fn error_text(error: &NegotiationError) -> String {
    match error {
        NegotiationError::Refused(refusal) => refusal.reason.clone(),
        other => other.to_string(),
    }
}
