//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): offers come by POST, sessions go on by PATCH and end by
//! DELETE. The paths are the host's own on every listener.
//!
//! Browsers come from any origin: who may publish or play is said by the bearer token or the URL, never by
//! a cookie, so any page may ask.
//!
//! Not here: what an offer or a fragment says. That is text for the media plane.

mod etag;
mod place;
mod trouble;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response as HttpResponse;
use heliu_media::{NegotiationError, OfferRequest, SessionId, Trickle, Trickled};
use heliu_model::{Address, Direction};

use crate::body;
use crate::exchange::{Client, all_headers, authority};
use crate::negotiate::Negotiate;

pub(crate) use place::Place;
use trouble::Trouble;

/// Of an offer or a fragment, in bytes.
const BODY_LEN_MAX: usize = 64 * 1024;
const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
/// `*` would not cover `authorization`.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, if-match");
const READABLE_HEADERS: HeaderValue = HeaderValue::from_static(
    "accept-patch, accept-post, allow, etag, link, location, retry-after, www-authenticate, x-request-id",
);
const ANY: HeaderValue = HeaderValue::from_static("*");
/// A day: browsers ask again after two hours at most anyway.
const PREFLIGHT_AGE: HeaderValue = HeaderValue::from_static("86400");

/// Answers one request for an endpoint or a session.
pub(crate) async fn answer(client: &Client, place: Place, method: &Method, head: &Parts, body: Body) -> HttpResponse {
    let allowed = place.allowed();
    let answered = match (place, method.as_str()) {
        (_, "OPTIONS") => Ok(options(allowed)),
        (Place::Endpoint(direction, address), "POST") => offer(client, direction, address, head, body).await,
        (Place::Session(session), "PATCH") => trickle(client, session, head, body).await,
        (Place::Session(session), "DELETE") => end(client, session).await,
        _ => Err(Trouble::Method),
    };
    let mut response = answered.unwrap_or_else(|trouble| trouble.answer(allowed));
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READABLE_HEADERS);
    response
}

/// RFC 9725 §4.2.
async fn offer(
    client: &Client,
    direction: Direction,
    address: Address,
    head: &Parts,
    body: Body,
) -> Result<HttpResponse, Trouble> {
    let sdp = text(client, head, body, SDP).await?;
    let request = OfferRequest {
        direction,
        protocol: match direction {
            Direction::Publish => "whip",
            Direction::Play => "whep",
        },
        address,
        query: head.uri.query().map(str::to_owned),
        authority: Some(authority(head)).filter(|authority| !authority.is_empty()),
        peer: client.peer.to_string(),
        headers: all_headers(&head.headers),
        sdp,
    };
    let negotiated = sessions(client)?.offer(request).await?;
    let mut response = typed(StatusCode::CREATED, SDP, negotiated.sdp);
    let headers = response.headers_mut();
    let location = format!("/whip-session/{}", negotiated.session);
    headers.insert(header::LOCATION, HeaderValue::try_from(location).expect("hexadecimal digits are plain"));
    headers.insert(header::ETAG, etag::quoted(&negotiated.etag));
    headers.insert(ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT));
    for server in &client.edge.config.ice_servers {
        headers.append(header::LINK, server.link());
    }
    Ok(response)
}

/// RFC 9725 §4.3.
async fn trickle(
    client: &Client,
    session: Option<SessionId>,
    head: &Parts,
    body: Body,
) -> Result<HttpResponse, Trouble> {
    let fragment = text(client, head, body, FRAGMENT).await?;
    let session = session.ok_or(NegotiationError::NotFound)?;
    let etag = etag::wanted(&head.headers)?;
    match sessions(client)?.trickle(session, Trickle { etag, fragment }).await? {
        Trickled::Noted => Ok(empty(StatusCode::NO_CONTENT)),
        Trickled::Restarted { etag, fragment } => {
            let mut response = typed(StatusCode::OK, FRAGMENT, fragment);
            response.headers_mut().insert(header::ETAG, etag::quoted(&etag));
            Ok(response)
        }
    }
}

/// RFC 9725 §4.2: 200, and 404 the second time.
async fn end(client: &Client, session: Option<SessionId>) -> Result<HttpResponse, Trouble> {
    sessions(client)?.end(session.ok_or(NegotiationError::NotFound)?).await?;
    Ok(empty(StatusCode::OK))
}

/// What may be done here; browsers ask before they post from elsewhere (RFC 9725 §4.2).
fn options(allowed: &'static str) -> HttpResponse {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(allowed));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE);
    if allowed == place::OF_ENDPOINT {
        headers.insert(ACCEPT_POST, HeaderValue::from_static(SDP));
    } else {
        headers.insert(ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT));
    }
    response
}

/// A body of that type.
async fn text(client: &Client, head: &Parts, body: Body, media_type: &'static str) -> Result<String, Trouble> {
    let told = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = told.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(media_type) {
        return Err(Trouble::MediaType(media_type));
    }
    let bytes = body::read(&head.headers, body, BODY_LEN_MAX, client.edge.config.body_time_max).await?;
    String::from_utf8(bytes).map_err(|_| NegotiationError::Garbage("the body is not UTF-8".to_owned()).into())
}

fn sessions(client: &Client) -> Result<&dyn Negotiate, Trouble> {
    client.edge.sessions.as_deref().ok_or(Trouble::Negotiation(NegotiationError::Unavailable))
}

fn typed(status: StatusCode, media_type: &'static str, body: String) -> HttpResponse {
    let mut response = HttpResponse::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn empty(status: StatusCode) -> HttpResponse {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = status;
    response
}
