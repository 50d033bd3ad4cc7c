//! What a plugin says about itself, as plain data (`wit/exports.wit`, interface `manifest`).
//!
//! Checked once at load, so whoever holds a [`Descriptor`] need not check again: route ids are
//! unique, templates parse, there is a face for `/`, and nothing asks for what this host lacks.
//!
//! Not here: channels and mounts, which this host does not serve and therefore refuses at load.

use crate::template::Template;

/// Everything the host knows about a plugin before the first call.
#[derive(Debug, Clone, PartialEq)]
pub struct Descriptor {
    /// As in the package.
    pub name: String,
    /// As in the package.
    pub version: String,
    /// Language and SDK version, for support.
    pub sdk: String,
    /// REST operations.
    pub routes: Vec<Route>,
    /// At least one, for `/`.
    pub faces: Vec<Face>,
    /// Header that carries the client's request id both ways, lower case.
    pub request_id: Option<String>,
    /// Media apps it admits clients to unless the operator lists others; `*`: what nobody else names.
    pub apps: Vec<String>,
    /// Event kinds wanted, as patterns: `publication.*`.
    pub events: Vec<String>,
    /// JSON Schema of the operator's `config` table.
    pub config_schema: Option<serde_json::Value>,
    /// OpenAPI 3.1 `info` and `components`.
    pub openapi: Option<serde_json::Value>,
}

/// One REST operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Stable and unique: `request.route`, metrics label, OpenAPI operationId.
    pub id: String,
    /// Upper case, or `*` for every method not served by another route of the path.
    pub method: String,
    /// Where it is.
    pub template: Template,
    /// Parameter names whose values, joined by `/`, are the serialization key; empty: side by side.
    pub serialize: Vec<String>,
    /// Headers to hand over, lower case, `x-…-*` for a prefix; `None`: all.
    pub headers: Option<Vec<String>>,
    /// Bytes; larger bodies get fault 413.
    pub body_len_max: usize,
    /// Wall time in milliseconds, waiting included, at most 120 000; `None`: the host's limit.
    pub time_ms_max: Option<u32>,
    /// OpenAPI 3.1 operation object.
    pub openapi: Option<serde_json::Value>,
}

/// How a part of the path space looks to the outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// `/`, `/v1`, …; without a trailing slash except for the root.
    pub path: String,
    /// Added to every answer, faults and preflights included. Names are lower case.
    pub headers: Vec<(String, String)>,
    /// Answers OPTIONS for every path of the face; `None`: no CORS headers.
    pub cors: Option<Cors>,
    /// The vendor's shapes of what the host answers alone.
    pub faults: Vec<FaultShape>,
}

/// The vendor's own shape for what the host must answer alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultShape {
    /// 404, 405, 413, 429, 500, 503 or 504; 0: whatever has no entry of its own.
    pub when: u16,
    /// Status to send.
    pub status: u16,
    /// `content-type` of the body.
    pub content_type: String,
    /// `{message}` and `{request}` are filled in.
    pub body: String,
}

/// Cross-origin rules; preflights never enter wasm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// `*` or exact origins; with `credentials` the caller's origin is echoed.
    pub origins: Vec<String>,
    /// Allowed methods, as sent.
    pub methods: Vec<String>,
    /// Allowed request headers, as sent.
    pub headers: Vec<String>,
    /// Readable response headers.
    pub expose: Vec<String>,
    /// Cookies and authorization from other origins.
    pub credentials: bool,
    /// Of the preflight answer, in seconds.
    pub max_age_s: u32,
    /// Status of the preflight answer: 200 or 204.
    pub status: u16,
}

impl Descriptor {
    /// The route of this id.
    #[must_use]
    pub fn route(&self, id: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.id == id)
    }

    /// Does the plugin want events of this kind?
    #[must_use]
    pub fn wants_event(&self, kind: &str) -> bool {
        self.events.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => kind.starts_with(prefix),
            None => pattern == kind,
        })
    }

    /// How `path` (as the plugin's templates see it, without the operator's `base`) looks to the
    /// outside: the face with the longest matching prefix.
    #[must_use]
    pub fn face(&self, path: &str) -> &Face {
        let covering = self.faces.iter().filter(|face| face.covers(path));
        covering.max_by_key(|face| face.path.len()).expect("load refuses a descriptor without a face for /")
    }
}

impl Route {
    /// Is this request header (lower case) handed over?
    #[must_use]
    pub fn takes_header(&self, name: &str) -> bool {
        let Some(wanted) = &self.headers else { return true };
        wanted.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => wanted == name,
        })
    }
}
