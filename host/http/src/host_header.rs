//! A request says once which host it is for (RFC 9112 §3.2). One that does not, or says it twice, may mean
//! another host to whoever stands between: it is refused before anybody looks at it.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Version, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::answer;

/// Lets good requests pass.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    match is_told(request.version(), request.headers()) {
        true => next.run(request).await,
        false => answer::neutral(400, "a request needs one valid Host"),
    }
}

/// HTTP/1.0 does not know the header. An empty one is for targets without a host.
fn is_told(version: Version, headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => host.is_empty() || is_host(host.as_bytes()),
        (Some(_), Some(_)) => false,
    }
}

/// A host and perhaps a port, but no user.
fn is_host(text: &[u8]) -> bool {
    !text.contains(&b'@') && Authority::try_from(text).is_ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn one_valid_host_is_told() {
        for (version, hosts, want) in [
            (Version::HTTP_11, &["h"][..], true),
            (Version::HTTP_11, &["media.example.org:8080"], true),
            (Version::HTTP_11, &["[2001:db8::1]:80"], true),
            (Version::HTTP_11, &["a_b"], true),
            (Version::HTTP_11, &[""], true),
            (Version::HTTP_11, &[], false),
            (Version::HTTP_11, &["h", "h"], false),
            (Version::HTTP_11, &["a b"], false),
            (Version::HTTP_11, &["a/b"], false),
            (Version::HTTP_11, &["user@h"], false),
            (Version::HTTP_11, &["\u{e9}"], false),
            (Version::HTTP_10, &[], true),
            (Version::HTTP_10, &["h", "i"], false),
        ] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
            }
            assert_eq!(is_told(version, &headers), want, "{version:?} {hosts:?}");
        }
    }
}
