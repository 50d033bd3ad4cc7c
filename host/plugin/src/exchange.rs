//! One HTTP exchange as a plugin sees it, whole (`wit/types.wit`, interface `http`).

use std::fmt;

/// What the client sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The client's own id, else made by the host.
    pub id: String,
    /// `Route::id` that matched.
    pub route: String,
    /// Upper case.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// The Host header as sent, port included.
    pub authority: String,
    /// Path as sent, not decoded.
    pub path: String,
    /// Query as sent, without `?`.
    pub query: Option<String>,
    /// Percent-decoded values of the template's names.
    pub params: Vec<(String, String)>,
    /// Order and repeats as received, names lower case, cut to the route's.
    pub headers: Vec<(String, String)>,
    /// Client address without port.
    pub peer: String,
    /// As sent.
    pub body: Vec<u8>,
}

/// What to answer with. At most 8 MiB by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status, 200 to 599.
    pub status: u16,
    /// In this order.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: Vec<u8>,
}

/// Names the request without what may be secret: query, headers and body.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("id", &self.id).field("route", &self.route).finish_non_exhaustive()
    }
}
