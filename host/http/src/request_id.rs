//! The name of one request in logs and answers: the client's own where its plugin says so, else ours.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// Where an id goes that no plugin wants elsewhere.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id of a client that is taken over, in bytes.
const LEN_MAX: usize = 128;

/// Makes ids that do not repeat within one life of the host, and hardly ever between two.
#[derive(Debug)]
pub(crate) struct RequestIds {
    life: u64,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        // The standard library's hasher is seeded at random; a name for logs needs no more.
        Self { life: RandomState::new().build_hasher().finish(), next: AtomicU64::new(1) }
    }

    /// The client's id if `header` names one that is fit to be written to a log, else a fresh one.
    pub(crate) fn take(&self, header: Option<&str>, headers: &HeaderMap) -> String {
        let own = header.and_then(|name| headers.get(name)).and_then(|value| value.to_str().ok());
        match own.filter(|own| (1..=LEN_MAX).contains(&own.len())) {
            Some(own) => own.to_owned(),
            None => format!("{:016x}-{:x}", self.life, self.next.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// The header that carries the id back.
pub(crate) fn header(header: Option<&str>, id: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = header.and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok()).unwrap_or(HEADER);
    Some((name, HeaderValue::from_str(id).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_id_is_taken_where_its_plugin_says_so() {
        let ids = RequestIds::new();
        let long = "x".repeat(LEN_MAX + 1);
        for (what, header, sent, is_taken) in [
            ("named and sent", Some("x-reqid"), "abc", true),
            ("not named", None, "abc", false),
            ("empty", Some("x-reqid"), "", false),
            ("too long", Some("x-reqid"), long.as_str(), false),
            ("another header", Some("x-other"), "abc", false),
        ] {
            let headers = HeaderMap::from_iter([(HeaderName::from_static("x-reqid"), sent.parse().unwrap())]);
            assert_eq!(ids.take(header, &headers) == sent, is_taken, "{what}");
        }
    }

    #[test]
    fn our_ids_do_not_repeat() {
        let ids = RequestIds::new();
        let none = HeaderMap::new();
        assert_ne!(ids.take(None, &none), ids.take(None, &none));
    }
}
