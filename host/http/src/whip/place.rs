//! Which paths are WHIP's and WHEP's.

use heliu_media::SessionId;
use heliu_model::{Address, Direction};

/// Methods of an endpoint.
pub(super) const OF_ENDPOINT: &str = "OPTIONS, POST";
/// Methods of a session.
const OF_SESSION: &str = "DELETE, OPTIONS, PATCH";

/// What is at such a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where offers are posted.
    Endpoint(Direction, Address),
    /// Where a session is, if the path can be one's at all.
    Session(Option<SessionId>),
}

impl Place {
    /// By a raw path; `None`: nothing of ours. Segments of an address are percent-decoded once, `+` is
    /// itself.
    pub(crate) fn find(path: &str) -> Option<Self> {
        if let Some(id) = path.strip_prefix("/whip-session/") {
            return Some(Self::Session(SessionId::parse(id)));
        }
        let (direction, address) = match (path.strip_prefix("/whip/"), path.strip_prefix("/whep/")) {
            (Some(address), _) => (Direction::Publish, address),
            (_, Some(address)) => (Direction::Play, address),
            (None, None) => return None,
        };
        Some(Self::Endpoint(direction, Address::from_path(address).ok()?))
    }

    pub(super) fn allowed(&self) -> &'static str {
        match self {
            Self::Endpoint(..) => OF_ENDPOINT,
            Self::Session(_) => OF_SESSION,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_session_stands_behind_the_prefix() {
        let endpoint = |direction, address| Some(Place::Endpoint(direction, Address::parse(address).unwrap()));
        let id = "00112233445566778899aabbccddeeff";
        for (path, want) in [
            ("/whip/live/a", endpoint(Direction::Publish, "live/a")),
            ("/whep/live/a/b", endpoint(Direction::Play, "live/a/b")),
            ("/whip/live/a+b%20c", endpoint(Direction::Publish, "live/a+b c")),
            ("/whip/live/a.flv", endpoint(Direction::Publish, "live/a.flv")),
            ("/whip/live", None),
            ("/whip/live/", None),
            ("/whip/live/..", None),
            ("/whip/live/%ff", None),
            ("/whip", None),
            ("/whipper/live/a", None),
            ("/live/whip/a", None),
            (&format!("/whip-session/{id}"), Some(Place::Session(SessionId::parse(id)))),
            ("/whip-session/1", Some(Place::Session(None))),
            ("/whip-session/", Some(Place::Session(None))),
            (&format!("/whip-session/{id}/"), Some(Place::Session(None))),
        ] {
            assert_eq!(Place::find(path), want, "{path}");
        }
    }
}
