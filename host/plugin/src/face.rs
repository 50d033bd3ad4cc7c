//! The vendor's look of what the host answers alone: headers, CORS and faults of a [`Face`].
//!
//! Pure: request facts in, headers and bodies out. Who sends them is the HTTP edge's business.

use crate::descriptor::{Cors, Face, FaultShape};

/// An answer the host makes without entering the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    /// HTTP status.
    pub status: u16,
    /// Names are lower case.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: String,
}

impl Face {
    /// Is `path` this face's, or below it? `/v1` covers `/v1` and `/v1/x`, not `/v10`.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let prefix = self.path.trim_end_matches('/');
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// What every answer of the face carries beside its own: the face's headers, and CORS for the
    /// caller's `Origin`.
    #[must_use]
    pub fn headers_for(&self, origin: Option<&str>) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        if let Some(cors) = &self.cors {
            headers.extend(cors.headers_for(origin));
        }
        headers
    }

    /// The answer for `when` (404, 405, 413, 429, 500, 503, 504); `None`: the face has no shape for it
    /// and the host's neutral one serves. `headers_for` is not included.
    #[must_use]
    pub fn fault(&self, when: u16, message: &str, request: &str) -> Option<Alone> {
        let exact = self.faults.iter().find(|shape| shape.when == when);
        let shape = exact.or_else(|| self.faults.iter().find(|shape| shape.when == 0))?;
        let headers = vec![("content-type".to_owned(), shape.content_type.clone())];
        Some(Alone { status: shape.status, headers, body: shape.fill(message, request) })
    }

    /// The answer to an `OPTIONS` request, `headers_for` included; `None` without CORS rules.
    #[must_use]
    pub fn preflight(&self, origin: Option<&str>) -> Option<Alone> {
        let cors = self.cors.as_ref()?;
        let mut headers = self.headers_for(origin);
        headers.extend(cors.preflight_headers());
        Some(Alone { status: cors.status, headers, body: String::new() })
    }
}

impl FaultShape {
    fn fill(&self, message: &str, request: &str) -> String {
        let is_json = self.content_type.contains("json");
        let [message, request] =
            [message, request].map(|text| if is_json { escape_json(text) } else { text.to_owned() });
        fill_in(&self.body, &[("{message}", &message), ("{request}", &request)])
    }
}

/// Fills in one pass, so that a value that holds a placeholder stays as it is.
fn fill_in(body: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        match values.iter().find(|(name, _)| from.starts_with(name)) {
            Some((name, value)) => {
                filled.push_str(value);
                rest = &from[name.len()..];
            }
            None => {
                filled.push('{');
                rest = &from[1..];
            }
        }
    }
    filled + rest
}

fn escape_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

impl Cors {
    fn headers_for(&self, origin: Option<&str>) -> Vec<(String, String)> {
        let is_open = self.origins.iter().any(|allowed| allowed == "*");
        let mut headers = Vec::new();
        match origin {
            _ if is_open && !self.credentials => headers.push(field("access-control-allow-origin", "*")),
            Some(origin) if is_open || self.origins.iter().any(|allowed| allowed == origin) => {
                headers.push(field("access-control-allow-origin", origin));
                headers.push(field("vary", "origin"));
            }
            Some(_) | None => {
                // What is cached for one origin must not be shown to another.
                headers.push(field("vary", "origin"));
                return headers;
            }
        }
        if self.credentials {
            headers.push(field("access-control-allow-credentials", "true"));
        }
        if !self.expose.is_empty() {
            headers.push(field("access-control-expose-headers", &self.expose.join(", ")));
        }
        headers
    }

    fn preflight_headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![field("access-control-allow-methods", &self.methods.join(", "))];
        if !self.headers.is_empty() {
            headers.push(field("access-control-allow-headers", &self.headers.join(", ")));
        }
        headers.push(field("access-control-max-age", &self.max_age_s.to_string()));
        headers
    }
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_covers_whole_segments() {
        for (face, path, want) in [
            ("/", "/", true),
            ("/", "/a", true),
            ("/v1", "/v1", true),
            ("/v1", "/v1/", true),
            ("/v1", "/v1/a", true),
            ("/v1", "/v10", false),
            ("/v1", "/", false),
        ] {
            assert_eq!(face_at(face).covers(path), want, "{face} {path}");
        }
    }

    #[test]
    fn faults_are_filled_once_and_escaped_for_json() {
        let mut face = face_at("/");
        face.faults.push(shape(404, 200, "application/json", r#"{"code":8,"message":"{message}","id":"{request}"}"#));
        face.faults.push(shape(0, 500, "text/plain", "{message} {x} {request}"));

        for (what, when, message, status, body) in [
            ("exact", 404, "no", 200, r#"{"code":8,"message":"no","id":"r1"}"#),
            ("escaped", 404, "a\"b\n", 200, r#"{"code":8,"message":"a\"b\n","id":"r1"}"#),
            ("not filled twice", 404, "{request}", 200, r#"{"code":8,"message":"{request}","id":"r1"}"#),
            ("the rest, as text", 503, "a\"b", 500, "a\"b {x} r1"),
        ] {
            let answer = face.fault(when, message, "r1").unwrap();
            assert_eq!((answer.status, answer.body.as_str()), (status, body), "{what}");
        }
        assert_eq!(face_at("/").fault(404, "no", "r1"), None, "no shape at all");
    }

    #[test]
    fn cors_follows_the_rules_of_the_face() {
        let listed = |origins: &[&str], credentials| Cors {
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            methods: vec!["POST".into(), "GET".into()],
            headers: vec!["content-type".into()],
            expose: vec![],
            credentials,
            max_age_s: 60,
            status: 204,
        };
        for (what, cors, origin, want) in [
            ("open", listed(&["*"], false), None, Some("*")),
            ("open with credentials echoes", listed(&["*"], true), Some("https://a"), Some("https://a")),
            ("listed", listed(&["https://a"], false), Some("https://a"), Some("https://a")),
            ("not listed", listed(&["https://a"], false), Some("https://b"), None),
        ] {
            let face = Face { cors: Some(cors), ..face_at("/") };
            let answer = face.preflight(origin).unwrap();
            let got = answer.headers.iter().find(|(name, _)| name == "access-control-allow-origin");
            assert_eq!(got.map(|(_, value)| value.as_str()), want, "{what}");
            assert!(answer.headers.contains(&field("access-control-allow-methods", "POST, GET")), "{what}");
            assert_eq!(answer.status, 204, "{what}");
        }
        assert_eq!(face_at("/").preflight(None), None, "no rules, no answer");
    }

    fn face_at(path: &str) -> Face {
        Face { path: path.into(), headers: vec![], cors: None, faults: vec![] }
    }

    fn shape(when: u16, status: u16, content_type: &str, body: &str) -> FaultShape {
        FaultShape { when, status, content_type: content_type.into(), body: body.into() }
    }
}
