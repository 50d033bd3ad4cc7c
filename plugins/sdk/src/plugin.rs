//! `Plugin`: what a personality is, built once per instance.
//!
//! The same value answers `describe` and dispatches calls, so a route cannot be described and then
//! not be there. Most instances serve a call and are never asked what they are: building one allocates
//! next to nothing, and faces, schema and descriptor are made only to be told.

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
    name: &'static str,
    version: &'static str,
    routes: Vec<Route>,
    faces: Vec<Box<dyn Fn() -> Face>>,
    request_id: Option<&'static str>,
    apps: &'static [&'static str],
    events: &'static [&'static str],
    config_schema: Option<fn() -> Value>,
    guard: Option<Guard>,
    admit: Option<Admit>,
    on_event: Option<OnEvent>,
    on_alarm: Option<OnAlarm>,
}

/// One REST operation, for those that need more than [`Plugin::get`] and its sisters.
pub struct Route {
    id: &'static str,
    method: &'static str,
    path: &'static str,
    serialize: &'static [&'static str],
    headers: Option<&'static [&'static str]>,
    body_bytes_max: Option<u32>,
    time_ms_max: Option<u32>,
    call: Call,
}

impl Route {
    /// `path`: `/rooms/{room}`, a final `{rest...}` takes the tail. `id`: the operation's, unique.
    #[must_use]
    pub fn new<A>(method: &'static str, path: &'static str, id: &'static str, handler: impl Handler<A>) -> Self {
        Self {
            id,
            method,
            path,
            serialize: &[],
            headers: None,
            body_bytes_max: None,
            time_ms_max: None,
            call: Box::new(move |request| handler.call(request)),
        }
    }

    /// Calls with the same values of these path names run one after another.
    #[must_use]
    pub fn serialize(mut self, names: &'static [&'static str]) -> Self {
        self.serialize = names;
        self
    }

    /// Wall time, waiting included; at most 120 000.
    #[must_use]
    pub fn time_ms_max(mut self, time_ms_max: u32) -> Self {
        self.time_ms_max = Some(time_ms_max);
        self
    }

    fn described(&self) -> manifest::Route {
        manifest::Route {
            id: self.id.to_owned(),
            method: self.method.to_owned(),
            path: self.path.to_owned(),
            serialize: owned(self.serialize),
            headers: self.headers.map(owned),
            body_bytes_max: self.body_bytes_max,
            time_ms_max: self.time_ms_max,
            openapi: None,
        }
    }
}

impl Plugin {
    /// Name and version as they appear in logs.
    #[must_use]
    pub fn new(name: &'static str, version: &'static str) -> Self {
        Self {
            name,
            version,
            routes: Vec::new(),
            faces: Vec::new(),
            request_id: None,
            apps: &[],
            events: &[],
            config_schema: None,
            guard: None,
            admit: None,
            on_event: None,
            on_alarm: None,
        }
    }

    /// A `GET` route.
    #[must_use]
    pub fn get<A>(self, path: &'static str, id: &'static str, handler: impl Handler<A>) -> Self {
        self.route(Route::new("GET", path, id, handler))
    }

    /// A `POST` route.
    #[must_use]
    pub fn post<A>(self, path: &'static str, id: &'static str, handler: impl Handler<A>) -> Self {
        self.route(Route::new("POST", path, id, handler))
    }

    /// A `PUT` route.
    #[must_use]
    pub fn put<A>(self, path: &'static str, id: &'static str, handler: impl Handler<A>) -> Self {
        self.route(Route::new("PUT", path, id, handler))
    }

    /// A `DELETE` route.
    #[must_use]
    pub fn delete<A>(self, path: &'static str, id: &'static str, handler: impl Handler<A>) -> Self {
        self.route(Route::new("DELETE", path, id, handler))
    }

    /// Any route.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(route);
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
        self.routes.iter_mut().for_each(|route| route.body_bytes_max = Some(bytes));
        self
    }

    /// Of all routes so far: only these headers are handed over. Fewer is faster.
    #[must_use]
    pub fn headers(mut self, names: &'static [&'static str]) -> Self {
        self.routes.iter_mut().for_each(|route| route.headers = Some(names));
        self
    }

    /// What the host answers alone. At least one, for `/`. Made only when the host asks what the plugin is.
    #[must_use]
    pub fn face(mut self, face: impl Fn() -> Face + 'static) -> Self {
        self.faces.push(Box::new(face));
        self
    }

    /// The header that carries the client's request id, both ways; lower case.
    #[must_use]
    pub fn request_id(mut self, header: &'static str) -> Self {
        self.request_id = Some(header);
        self
    }

    /// JSON Schema of the operator's `config` table. Made only when the host asks what the plugin is.
    #[must_use]
    pub fn config_schema(mut self, schema: fn() -> Value) -> Self {
        self.config_schema = Some(schema);
        self
    }

    /// Decides who may publish and play under these apps; `*` takes every app nobody else owns.
    #[must_use]
    pub fn admit(
        mut self,
        apps: &'static [&'static str],
        admit: impl Fn(&Attempt) -> Result<Grant, Refusal> + 'static,
    ) -> Self {
        self.apps = apps;
        self.admit = Some(Box::new(admit));
        self
    }

    /// Wants events of these kinds: `publication.*`.
    #[must_use]
    pub fn on_event(
        mut self,
        kinds: &'static [&'static str],
        handler: impl Fn(&Event) -> Result<(), Error> + 'static,
    ) -> Self {
        self.events = kinds;
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
        let mut faces: Vec<manifest::Face> = self.faces.iter().map(|face| face().0).collect();
        if faces.is_empty() {
            faces.push(Face::new("/").0);
        }
        Descriptor {
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            sdk: concat!("heliu-sdk ", env!("CARGO_PKG_VERSION"), ", rust").to_owned(),
            routes: self.routes.iter().map(Route::described).collect(),
            channels: Vec::new(),
            mounts: Vec::new(),
            faces,
            request_id: self.request_id.map(str::to_owned),
            apps: owned(self.apps),
            events: owned(self.events),
            config_schema: self.config_schema.map(|schema| schema().to_string()),
            openapi: None,
        }
    }

    /// `Err`: a refusal, whose records and orders must be forgotten.
    pub(crate) fn handle_request(&self, request: &Request) -> Result<Response, Response> {
        if let Some(guard) = &self.guard {
            guard(request)?;
        }
        let route = self.routes.iter().find(|route| route.id == request.route);
        // The host sends only what `describe` told it.
        route.map_or_else(|| Err(Response::empty(404)), |route| (route.call)(request))
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
