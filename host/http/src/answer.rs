//! Answers as HTTP: the plugin's own, the host's in the look of a face, the host's neutral ones.

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response as HttpResponse;
use heliu_plugin::{Alone, Face, Response};

/// Headers that describe the connection and not the answer: hyper's to write, whatever a plugin says.
const OF_THE_CONNECTION: [HeaderName; 5] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// What the host says where no face speaks for it.
pub(crate) fn neutral(status: u16, message: &str) -> HttpResponse {
    let body = format!("{{\"error\":\"{}\"}}", escape(message));
    build(status, &[("content-type".to_owned(), "application/json".to_owned())], body.into())
}

/// What the host tells an operator.
pub(crate) fn json(status: u16, value: &serde_json::Value) -> HttpResponse {
    build(status, &[("content-type".to_owned(), "application/json".to_owned())], value.to_string().into())
}

/// A fault in the look of the face, or neutral where it has none. Without the face's headers.
pub(crate) fn fault(face: &Face, when: u16, message: &str, request: &str) -> HttpResponse {
    match face.fault(when, message, request) {
        Some(Alone { status, headers, body }) => build(status, &headers, body.into()),
        None => neutral(when, message),
    }
}

/// The same with this status, whatever the face's shape says of others: HTTP itself was broken, or somebody
/// else decided.
pub(crate) fn fault_as(face: &Face, status: StatusCode, message: &str, request: &str) -> HttpResponse {
    let mut response = fault(face, status.as_u16(), message, request);
    *response.status_mut() = status;
    response
}

/// What a plugin answered, or `None` if it cannot be said in HTTP.
pub(crate) fn of_plugin(response: Response) -> Option<HttpResponse> {
    let is_sayable = |(name, value): &(String, String)| header_pair(name, value).is_some();
    let may_be_sent = StatusCode::from_u16(response.status).is_ok_and(|status| status.as_u16() >= 200)
        && response.headers.iter().all(is_sayable);
    may_be_sent.then(|| build(response.status, &response.headers, response.body))
}

/// An answer to `OPTIONS`, the face's headers included.
pub(crate) fn preflight(alone: Alone) -> HttpResponse {
    build(alone.status, &alone.headers, alone.body.into())
}

/// Adds what every answer of a face carries. What the answer says itself wins, except that `vary` grows.
pub(crate) fn add_headers(headers: &mut HeaderMap, of_face: &[(String, String)]) {
    let own: Vec<HeaderName> = headers.keys().cloned().collect();
    for (name, value) in of_face.iter().filter_map(|(name, value)| header_pair(name, value)) {
        if name == header::VARY || !own.contains(&name) {
            headers.append(name, value);
        }
    }
}

/// The answer to `HEAD`: that to `GET` without its body, whose length is told.
pub(crate) fn shorten(mut response: HttpResponse) -> HttpResponse {
    let has_length = ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&response.status());
    if let Some(len) = response.body().size_hint().exact().filter(|_| has_length) {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    }
    *response.body_mut() = Body::empty();
    response
}

fn build(status: u16, headers: &[(String, String)], body: Vec<u8>) -> HttpResponse {
    let mut response = HttpResponse::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers.iter().filter_map(|(name, value)| header_pair(name, value)) {
        if !OF_THE_CONNECTION.contains(&name) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A plugin's words within JSON's quotes (RFC 8259 §7).
fn escape(text: &str) -> String {
    let escaped = |character: char| match character {
        '"' | '\\' => format!("\\{character}"),
        character if character < ' ' => format!("\\u{:04x}", u32::from(character)),
        character => character.to_string(),
    };
    text.chars().map(escaped).collect()
}

fn header_pair(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
}
