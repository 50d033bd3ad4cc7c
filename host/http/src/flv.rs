//! FLV over HTTP: a request for a media file becomes a viewer, the answer's body its stream.
//!
//! What is refused looks as the owner of the app says. Players in browsers come from other origins:
//! where the owner says nothing about that, everybody may read.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response as HttpResponse;
use futures_util::StreamExt;
use heliu_media::ViewRequest;
use heliu_model::{Address, Refusal};

use crate::answer;
use crate::exchange::{Call, Client, all_headers, authority, other_methods};

/// A day: browsers ask again after two hours at most anyway.
const PREFLIGHT_AGE: HeaderValue = HeaderValue::from_static("86400");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// Answers one request for the FLV file of an address.
pub(crate) async fn answer(
    client: &Client,
    call: &Call<'_>,
    address: Address,
    method: &Method,
    head: &Parts,
) -> HttpResponse {
    let origin = head.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let mut response = match *method {
        Method::OPTIONS => match call.face.preflight(origin) {
            Some(alone) => return answer::preflight(alone),
            None => preflight(),
        },
        Method::GET => play(client, call, address, head).await,
        _ => other_methods(call, method, &["GET".to_owned()]),
    };
    let headers = response.headers_mut();
    answer::add_headers(headers, &call.face.headers_for(origin));
    if call.face.cors.is_none() {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    }
    response
}

async fn play(client: &Client, call: &Call<'_>, address: Address, head: &Parts) -> HttpResponse {
    let request = ViewRequest {
        address,
        query: head.uri.query().map(str::to_owned),
        authority: Some(authority(head)).filter(|authority| !authority.is_empty()),
        headers: all_headers(&head.headers),
        peer: client.peer.to_string(),
    };
    match client.edge.media.play_flv(request).await {
        Ok(stream) => {
            // The connection has no place among those of the REST APIs any more, and ends with the stream.
            client.place.give_back();
            let mut stop = client.stop.clone();
            let stopped = async move {
                let _ = stop.wait_for(|stop| *stop).await;
            };
            let mut response = HttpResponse::new(Body::from_stream(stream.take_until(Box::pin(stopped))));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/x-flv"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(refusal) => refuse(call, &refusal),
    }
}

fn refuse(call: &Call<'_>, refusal: &Refusal) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.status).ok().filter(|status| status.as_u16() >= 400);
    let status = status.unwrap_or(StatusCode::FORBIDDEN);
    // What the plugin refuses with is the answer.
    answer::fault_as(call.face, status, &refusal.reason, call.id)
}

fn preflight() -> HttpResponse {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = HeaderMap::from_iter([
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, ANY),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE),
        (header::ALLOW, METHODS),
    ]);
    response
}
