//! `Plugin`: what a personality is, built once per instance.
//!
//! The same value answers `describe` and dispatches calls, so a route cannot be described and then
//! not be there.

use serde_json::Value;

use crate::admission::{Attempt, Grant, Refusal};
use crate::bindings::exports::heliu::personality::manifest::{self, Descriptor};
use crate::bindings::heliu::personality::http::Request;
use crate::bindings::heliu::personality::types::Error;
use crate::event::{Alarm, Event};
use crate::face::{Face, owned};
use crate::handler::Handler;
use crate::response::{IntoResponse, Response};

type Call = Box<dyn Fn(&Request) -> Result<Response, Response>>;
type Guard = Box<dyn Fn(&Request) -> Result<(), Response>>;
type Admit = Box<dyn Fn(&Attempt) -> Result<Grant, Refusal>>;
type OnEvent = Box<dyn Fn(&Event) -> Result<(), Error>>;
type OnAlarm = Box<dyn Fn(&Alarm) -> Result<(), Error>>;

/// A personality.
pub struct Plugin {
    descriptor: Descriptor,
    calls: Vec<Call>,
    guard: Option<Guard>,
    admit: Option<Admit>,
    on_event: Option<OnEvent>,
    on_alarm: Option<OnAlarm>,
}

/// One REST operation, for those that need more than [`Plugin::get`] and its sisters.
pub struct Route {
    route: manifest::Route,
    call: Call,
}

impl Route {
    /// `path`: `/rooms/{room}`, a final `{rest...}` takes the tail. `id`: the operation's, unique.
    #[must_use]
    pub fn new<A>(method: &str, path: &str, id: &str, handler: impl Handler<A>) -> Self {
        let route = manifest::Route {
            id: id.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            serialize: Vec::new(),
            headers: None,
            body_bytes_max: None,
            time_ms_max: None,
            openapi: None,
        };
        Self { route, call: Box::new(move |request| handler.call(request)) }
    }

    /// Calls with the same values of these path names run one after another.
    #[must_use]
    pub fn serialize(mut self, names: &[&str]) -> Self {
        self.route.serialize = owned(names);
        self
    }

    /// Wall time, waiting included; at most 120 000.
    #[must_use]
    pub fn time_ms_max(mut self, time_ms_max: u32) -> Self {
        self.route.time_ms_max = Some(time_ms_max);
        self
    }
}

impl Plugin {
    /// Name and version as they appear in logs.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        let descriptor = Descriptor {
            name: name.to_owned(),
            version: version.to_owned(),
            sdk: concat!("heliu-sdk ", env!("CARGO_PKG_VERSION"), ", rust").to_owned(),
            routes: Vec::new(),
            channels: Vec::new(),
            mounts: Vec::new(),
            faces: Vec::new(),
            request_id: None,
            apps: Vec::new(),
            events: Vec::new(),
            config_schema: None,
            openapi: None,
        };
        Self { descriptor, calls: Vec::new(), guard: None, admit: None, on_event: None, on_alarm: None }
    }

    /// A `GET` route.
    #[must_use]
    pub fn get<A>(self, path: &str, id: &str, handler: impl Handler<A>) -> Self {
        self.route(Route::new("GET", path, id, handler))
    }

    /// A `POST` route.
    #[must_use]
    pub fn post<A>(self, path: &str, id: &str, handler: impl Handler<A>) -> Self {
        self.route(Route::new("POST", path, id, handler))
    }

    /// A `PUT` route.
    #[must_use]
    pub fn put<A>(self, path: &str, id: &str, handler: impl Handler<A>) -> Self {
        self.route(Route::new("PUT", path, id, handler))
    }

    /// A `DELETE` route.
    #[must_use]
    pub fn delete<A>(self, path: &str, id: &str, handler: impl Handler<A>) -> Self {
        self.route(Route::new("DELETE", path, id, handler))
    }

    /// Any route.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.descriptor.routes.push(route.route);
        self.calls.push(route.call);
        self
    }

    /// Asked before every handler: may this request pass? `Err` is the answer.
    #[must_use]
    pub fn guard<R: IntoResponse>(mut self, guard: impl Fn(&Request) -> Result<(), R> + 'static) -> Self {
        self.guard = Some(Box::new(move |request| guard(request).map_err(R::into_response)));
        self
    }

    /// Of all routes so far: larger bodies get fault 413.
    #[must_use]
    pub fn body_bytes_max(mut self, bytes: u32) -> Self {
        self.descriptor.routes.iter_mut().for_each(|route| route.body_bytes_max = Some(bytes));
        self
    }

    /// Of all routes so far: only these headers are handed over. Fewer is faster.
    #[must_use]
    pub fn headers(mut self, names: &[&str]) -> Self {
        self.descriptor.routes.iter_mut().for_each(|route| route.headers = Some(owned(names)));
        self
    }

    /// What the host answers alone. At least one, for `/`.
    #[must_use]
    pub fn face(mut self, face: Face) -> Self {
        self.descriptor.faces.push(face.0);
        self
    }

    /// The header that carries the client's request id, both ways; lower case.
    #[must_use]
    pub fn request_id(mut self, header: &str) -> Self {
        self.descriptor.request_id = Some(header.to_owned());
        self
    }

    /// JSON Schema of the operator's `config` table.
    #[must_use]
    pub fn config_schema(mut self, schema: &Value) -> Self {
        self.descriptor.config_schema = Some(schema.to_string());
        self
    }

    /// Decides who may publish and play under these apps; `*` takes every app nobody else owns.
    #[must_use]
    pub fn admit(mut self, apps: &[&str], admit: impl Fn(&Attempt) -> Result<Grant, Refusal> + 'static) -> Self {
        self.descriptor.apps = owned(apps);
        self.admit = Some(Box::new(admit));
        self
    }

    /// Wants events of these kinds: `publication.*`.
    #[must_use]
    pub fn on_event(mut self, kinds: &[&str], handler: impl Fn(&Event) -> Result<(), Error> + 'static) -> Self {
        self.descriptor.events = owned(kinds);
        self.on_event = Some(Box::new(handler));
        self
    }

    /// Takes the alarms it has set.
    #[must_use]
    pub fn on_alarm(mut self, handler: impl Fn(&Alarm) -> Result<(), Error> + 'static) -> Self {
        self.on_alarm = Some(Box::new(handler));
        self
    }

    pub(crate) fn descriptor(&self) -> Descriptor {
        let mut descriptor = self.descriptor.clone();
        if descriptor.faces.is_empty() {
            descriptor.faces.push(Face::new("/").0);
        }
        descriptor
    }

    /// `Err`: a refusal, whose records and orders must be forgotten.
    pub(crate) fn handle_request(&self, request: &Request) -> Result<Response, Response> {
        if let Some(guard) = &self.guard {
            guard(request)?;
        }
        let routes = self.descriptor.routes.iter().zip(&self.calls);
        let mut calls = routes.filter(|(route, _)| route.id == request.route).map(|(_, call)| call);
        // The host sends only what `describe` told it.
        calls.next().map_or_else(|| Err(Response::empty(404)), |call| call(request))
    }

    pub(crate) fn handle_attempt(&self, attempt: &Attempt) -> Result<Grant, Refusal> {
        match &self.admit {
            Some(admit) => admit(attempt),
            None => Err(Refusal::new(404, "not found")),
        }
    }

    pub(crate) fn handle_event(&self, event: &Event) -> Result<(), Error> {
        self.on_event.as_ref().map_or(Ok(()), |handler| handler(event))
    }

    pub(crate) fn handle_alarm(&self, alarm: &Alarm) -> Result<(), Error> {
        self.on_alarm.as_ref().map_or(Ok(()), |handler| handler(alarm))
    }
}
