//! One request and its answer: find the owner, read the body, make the call, dress the answer.
//!
//! Raw path, raw query, Host and the order of headers reach the plugin as sent: signatures cover them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request as HttpRequest, StatusCode, header};
use axum::response::Response as HttpResponse;
use axum::routing::any;
use heliu_plugin::{Face, Request, Route};
use tokio::sync::watch;

use crate::body::{self, BodyError};
use crate::dispatch::{Dispatch, Found, Personality, Place};
use crate::host_path::HostPath;
use crate::negotiate::Negotiate;
use crate::play::Play;
use crate::request_id::{self, RequestIds};
use crate::{Config, Readiness, Stats, answer, flv, health, places};

/// What all connections share.
pub(crate) struct Edge {
    pub(crate) config: Arc<Config>,
    pub(crate) dispatch: Arc<dyn Dispatch>,
    pub(crate) media: Arc<dyn Play>,
    /// `None`: this host has no WebRTC.
    pub(crate) sessions: Option<Arc<dyn Negotiate>>,
    pub(crate) readiness: Readiness,
    pub(crate) request_ids: RequestIds,
    pub(crate) stats: Stats,
}

/// One connection's way to the edge.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) edge: Arc<Edge>,
    /// As configured.
    pub(crate) listener: SocketAddr,
    pub(crate) peer: IpAddr,
    /// Its place among the connections.
    pub(crate) place: places::Place,
    /// The edge is to stop: endless answers end.
    pub(crate) stop: watch::Receiver<bool>,
}

/// What is to be answered, before it is dressed.
pub(crate) struct Call<'a> {
    pub(crate) owner: &'a dyn Personality,
    pub(crate) face: &'a Face,
    pub(crate) id: &'a str,
}

impl Client {
    /// Everything a public listener has.
    pub(crate) fn routes(self) -> Router {
        let own = health::routes(self.edge.readiness.clone());
        own.fallback_service(Router::new().fallback(any(to_plugins)).with_state(self))
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: HttpRequest<Body>) -> HttpResponse {
        let (head, body) = request.into_parts();
        let is_head = head.method == Method::HEAD;
        let method = if is_head { Method::GET } else { head.method.clone() };
        if let Some(own) = HostPath::find(head.uri.path()) {
            let id = self.edge.request_ids.take(None, &head.headers);
            let response = own.answer(self, &method, &head, body).await;
            return self.dress(response, is_head, None, &id);
        }
        let (header, id, response) = match self.edge.dispatch.find(self.listener, method.as_str(), head.uri.path()) {
            Found::Nobody => (None, self.edge.request_ids.take(None, &head.headers), answer::neutral(404, "not found")),
            Found::Flv { owner, address } => {
                let descriptor = owner.descriptor();
                let id = self.edge.request_ids.take(descriptor.request_id.as_deref(), &head.headers);
                let call = Call { owner: &*owner, face: owner.face(head.uri.path()), id: &id };
                let response = flv::answer(self, &call, address, &method, &head).await;
                (descriptor.request_id.clone(), id, response)
            }
            Found::Owned { owner, place } => {
                let descriptor = owner.descriptor();
                let id = self.edge.request_ids.take(descriptor.request_id.as_deref(), &head.headers);
                let call = Call { owner: &*owner, face: owner.face(head.uri.path()), id: &id };
                let response = self.answer_owned(&call, place, &method, &head, body).await;
                (descriptor.request_id.clone(), id, response)
            }
        };
        self.dress(response, is_head, header.as_deref(), &id)
    }

    /// Counts an answer, and gives it its id under that header.
    fn dress(&self, response: HttpResponse, is_head: bool, header: Option<&str>, id: &str) -> HttpResponse {
        self.edge.stats.note(response.status().as_u16());
        let mut response = if is_head { answer::shorten(response) } else { response };
        if let Some((name, value)) = request_id::header(header, id) {
            response.headers_mut().insert(name, value);
        }
        response
    }

    async fn answer_owned(
        &self,
        call: &Call<'_>,
        place: Place,
        method: &Method,
        head: &Parts,
        body: Body,
    ) -> HttpResponse {
        let origin = head.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        if method == Method::OPTIONS
            && let Some(alone) = call.face.preflight(origin)
        {
            return answer::preflight(alone);
        }
        let mut response = match place {
            Place::Nothing => answer::fault(call.face, 404, "not found", call.id),
            Place::OtherMethods(allowed) => other_methods(call, method, &allowed),
            Place::Route { id, params } => match call.owner.descriptor().route(&id) {
                Some(route) => self.call(call, route, params, method, head, body).await,
                None => answer::fault(call.face, 404, "not found", call.id),
            },
        };
        answer::add_headers(response.headers_mut(), &call.face.headers_for(origin));
        response
    }

    async fn call(
        &self,
        call: &Call<'_>,
        route: &Route,
        params: Vec<(String, String)>,
        method: &Method,
        head: &Parts,
        body: Body,
    ) -> HttpResponse {
        let time_max = self.edge.config.body_time_max;
        let body = match body::read(&head.headers, body, route.body_len_max, time_max).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => return answer::fault(call.face, 413, "body too large", call.id),
            Err(BodyError::TooSlow) => {
                let status = StatusCode::REQUEST_TIMEOUT;
                return answer::fault_as(call.face, status, "the body did not come in time", call.id);
            }
            Err(BodyError::Broken) => {
                return answer::fault_as(call.face, StatusCode::BAD_REQUEST, "the body is broken", call.id);
            }
        };
        let request = Request {
            id: call.id.to_owned(),
            route: route.id.clone(),
            method: method.to_string(),
            scheme: "http".to_owned(),
            authority: authority(head),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            params,
            headers: taken_headers(route, &head.headers),
            peer: self.peer.to_string(),
            body,
        };
        let trouble = match call.owner.handle_request(request).await {
            Ok(response) => match answer::of_plugin(response) {
                Some(response) => return response,
                None => heliu_plugin::Fault::BadResponse,
            },
            Err(fault) => fault,
        };
        tracing::warn!(request = call.id, route = route.id, fault = trouble.as_str(), "a call failed");
        answer::fault(call.face, trouble.when(), &trouble.to_string(), call.id)
    }
}

async fn to_plugins(State(client): State<Client>, request: HttpRequest<Body>) -> HttpResponse {
    client.answer(request).await
}

/// 405, or what may be asked for. Both say which methods there are (RFC 9110 §9.3.7, §15.5.6).
pub(crate) fn other_methods(call: &Call<'_>, method: &Method, allowed: &[String]) -> HttpResponse {
    let mut response = if method == Method::OPTIONS {
        let mut response = HttpResponse::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    } else {
        answer::fault(call.face, 405, "method not allowed", call.id)
    };
    if let Ok(value) = HeaderValue::from_str(&allow(allowed)) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// The methods as a client may use them: `HEAD` comes with `GET`.
fn allow(methods: &[String]) -> String {
    let mut methods: Vec<&str> = methods.iter().map(String::as_str).collect();
    if methods.contains(&"*") {
        methods = vec!["DELETE", "GET", "PATCH", "POST", "PUT"];
    }
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.dedup();
    methods.join(", ")
}

/// The host a client asked for, with port if sent; empty: it did not say.
pub(crate) fn authority(head: &Parts) -> String {
    match head.headers.get(header::HOST) {
        Some(host) => String::from_utf8_lossy(host.as_bytes()).into_owned(),
        None => head.uri.authority().map(ToString::to_string).unwrap_or_default(),
    }
}

fn taken_headers(route: &Route, headers: &HeaderMap) -> Vec<(String, String)> {
    let mut headers = all_headers(headers);
    headers.retain(|(name, _)| route.takes_header(name));
    headers
}

/// As text; names are lower case, values of one name in their order.
pub(crate) fn all_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}
