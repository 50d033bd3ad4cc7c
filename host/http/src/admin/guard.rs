//! Keeps foreign web pages away from the admin listener, which asks nobody for a password.
//!
//! A page can make its own name point to 127.0.0.1 (DNS rebinding), so only requests that call the
//! listener by a name of its own pass. A page can send a plain form anywhere, so whatever is not a
//! reading carries a header that no form can send and no script may without CORS.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, Method, header, uri::Authority};
use axum::middleware::Next;
use axum::response::Response;

use crate::answer;

/// Carried by every request that changes something; any value.
const ORDER_HEADER: HeaderName = HeaderName::from_static("x-heliu-admin");

/// By which names the listener may be called.
#[derive(Debug)]
pub(super) struct Guard {
    listen: IpAddr,
    hosts: Vec<String>,
}

impl Guard {
    /// `hosts`: without port.
    pub(super) fn new(listen: SocketAddr, hosts: &[String]) -> Self {
        Self { listen: listen.ip(), hosts: hosts.iter().map(|host| plain(host)).collect() }
    }

    fn knows(&self, authority: &str) -> bool {
        // What is no authority is nobody's name.
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        let host = plain(authority.host());
        match host.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
            Ok(ip) => ip.is_loopback() || ip == self.listen.to_canonical() || self.hosts.contains(&host),
            Err(_) => host == "localhost" || self.hosts.contains(&host),
        }
    }
}

/// Lets a request through, or answers 403 with the reason.
pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(|host| guard.knows(host)) {
        return answer::neutral(403, "this name is not in admin.hosts");
    }
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !only_reads && !request.headers().contains_key(ORDER_HEADER) {
        return answer::neutral(403, "the header x-heliu-admin is missing");
    }
    next.run(request).await
}

/// As names are compared: without brackets, final dot and capitals.
fn plain(host: &str) -> String {
    host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase()
}
