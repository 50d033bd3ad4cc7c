//! Pages for people: publish from a camera or a screen by WHIP, play any address by WHEP.
//!
//! They load nothing from anywhere else, and may not: their policy says so.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::Response as HttpResponse;

use crate::answer;

/// Files of the host's own, and nothing else (CSP level 3). Media of a page comes by WebRTC, which no
/// policy covers.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);
const PERMISSIONS: HeaderValue = HeaderValue::from_static("camera=(self), microphone=(self), display-capture=(self)");

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

const PAGES: [Page; 6] = [
    Page { path: "/-/publish", content_type: HTML, text: include_str!("pages/publish.html") },
    Page { path: "/-/publish.js", content_type: SCRIPT, text: include_str!("pages/publish.js") },
    Page { path: "/-/play", content_type: HTML, text: include_str!("pages/play.html") },
    Page { path: "/-/play.js", content_type: SCRIPT, text: include_str!("pages/play.js") },
    Page { path: "/-/session.js", content_type: SCRIPT, text: include_str!("pages/session.js") },
    Page { path: "/-/style.css", content_type: STYLE, text: include_str!("pages/style.css") },
];

impl Page {
    /// By its path.
    pub(crate) fn find(path: &str) -> Option<Self> {
        PAGES.into_iter().find(|page| page.path == path)
    }
}

/// Answers one request for a page.
pub(crate) fn answer(page: Page, method: &Method) -> HttpResponse {
    if method != Method::GET {
        let mut response = answer::neutral(405, "method not allowed");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let mut response = HttpResponse::new(Body::from(page.text));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, HeaderValue::from_static(page.content_type)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    ] {
        headers.insert(name, value);
    }
    response
}
