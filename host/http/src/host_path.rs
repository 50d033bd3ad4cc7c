//! Which paths belong to the host on every listener, whatever personalities are there (architecture §4,
//! *Who owns a path*): `/-/`, `/whip`, `/whep` and `/whip-session`. A descriptor with a route there is
//! refused when it is loaded.
//!
//! `/healthz` and `/readyz` are routes of their own.

use axum::body::Body;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response as HttpResponse;

use crate::exchange::Client;
use crate::pages::Page;
use crate::{answer, pages, whip};

/// What is at a path of the host's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPath {
    /// WHIP, WHEP and their sessions.
    Whip(whip::Place),
    /// A page for people.
    Page(Page),
    /// Reserved, and empty.
    Nothing,
}

impl HostPath {
    /// By a raw path; `None`: it is not the host's.
    pub(crate) fn find(path: &str) -> Option<Self> {
        let first = path.strip_prefix('/')?.split('/').next()?;
        match first {
            "whip" | "whep" | "whip-session" => Some(whip::Place::find(path).map_or(Self::Nothing, Self::Whip)),
            "-" => Some(Page::find(path).map_or(Self::Nothing, Self::Page)),
            _ => None,
        }
    }

    /// Answers one request there.
    pub(crate) async fn answer(self, client: &Client, method: &Method, head: &Parts, body: Body) -> HttpResponse {
        match self {
            Self::Whip(place) => whip::answer(client, place, method, head, body).await,
            Self::Page(page) => pages::answer(page, method),
            Self::Nothing => answer::neutral(404, "not found"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_prefixes_are_whole_segments() {
        for (path, is_ours, is_something) in [
            ("/whip/live/a", true, true),
            ("/whip", true, false),
            ("/whep/", true, false),
            ("/whip-session/x", true, true),
            ("/-/publish", true, true),
            ("/-/play", true, true),
            ("/-/play/", true, false),
            ("/-/other", true, false),
            ("/-", true, false),
            ("/whipper", false, false),
            ("/--/publish", false, false),
            ("/live/a.flv", false, false),
            ("/", false, false),
            ("*", false, false),
        ] {
            let found = HostPath::find(path);
            let is = (found.is_some(), found.is_some_and(|found| found != HostPath::Nothing));
            assert_eq!(is, (is_ours, is_something), "{path}");
        }
    }
}
