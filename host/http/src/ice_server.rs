//! STUN and TURN servers that clients are told of when they get their answer (RFC 9725 §4.6).

use std::fmt::{self, Write};

use axum::http::HeaderValue;

/// One server.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    url: String,
    link: HeaderValue,
}

/// Why a client could not be told of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IceServerError {
    /// Not `stun:`, `stuns:`, `turn:` or `turns:` and a host (RFC 7064, RFC 7065).
    #[error("an ICE server's url begins with stun:, stuns:, turn: or turns: and names a host")]
    Url,
    /// A control character in them, or one of them without the other.
    #[error("an ICE server has both a username and a credential, of plain text, or neither")]
    Credentials,
}

impl IceServer {
    /// A server, with what TURN asks for: user name and password.
    ///
    /// # Errors
    /// They cannot stand in a `Link` header.
    pub fn new(url: &str, credentials: Option<(&str, &str)>) -> Result<Self, IceServerError> {
        let host = ["stun:", "stuns:", "turn:", "turns:"].iter().find_map(|scheme| url.strip_prefix(scheme));
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"\\".contains(&byte));
        if host.is_none_or(str::is_empty) || !is_plain(url) {
            return Err(IceServerError::Url);
        }
        let mut link = format!("<{url}>; rel=\"ice-server\"");
        if let Some((username, credential)) = credentials {
            let [username, credential] = [username, credential].map(quoted);
            write!(link, "; username={username}; credential={credential}; credential-type=\"password\"")
                .expect("a String takes all text");
        }
        let mut link = HeaderValue::try_from(link).map_err(|_| IceServerError::Credentials)?;
        link.set_sensitive(credentials.is_some());
        Ok(Self { url: url.to_owned(), link })
    }

    /// The value of a `Link` header.
    pub(crate) fn link(&self) -> HeaderValue {
        self.link.clone()
    }
}

/// Without its password.
impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("url", &self.url).finish_non_exhaustive()
    }
}

/// RFC 9110 §5.6.4.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_link() {
        for (url, credentials, want) in [
            ("stun:stun.example.org", None, Ok("<stun:stun.example.org>; rel=\"ice-server\"")),
            (
                "turn:t.example.org:3478?transport=udp",
                Some(("u\"s", "p\\w")),
                Ok("<turn:t.example.org:3478?transport=udp>; rel=\"ice-server\"; username=\"u\\\"s\"; \
                    credential=\"p\\\\w\"; credential-type=\"password\""),
            ),
            ("http://t.example.org", None, Err(IceServerError::Url)),
            ("turn:", None, Err(IceServerError::Url)),
            ("turn:a>;b", None, Err(IceServerError::Url)),
            ("turn:a b", None, Err(IceServerError::Url)),
            ("turn:a", Some(("u\r\n", "p")), Err(IceServerError::Credentials)),
        ] {
            let made = IceServer::new(url, credentials);
            let link = made.clone().map(|made| made.link().to_str().unwrap().to_owned());
            assert_eq!(link.as_deref().map_err(|error| *error), want, "{url}");
            assert!(!format!("{made:?}").contains("p\\"), "the password is shown");
        }
    }
}
