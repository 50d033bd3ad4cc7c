//! What the host answers alone, in the vendor's shape: headers, cross-origin rules, faults.

use serde::Serialize;

use crate::bindings::exports::heliu::personality::manifest;
use crate::bindings::heliu::personality::types::Field;

/// How a part of the path space looks to the outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Face(pub(crate) manifest::Face);

/// Cross-origin rules; preflights never reach the plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Cors(manifest::Cors);

impl Face {
    /// A part of the path space: `/`, `/v1`. The longest one that fits a path counts.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self(manifest::Face { path: path.to_owned(), headers: Vec::new(), cors: None, faults: Vec::new() })
    }

    /// A header of every answer, faults and preflights included.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0.headers.push(Field { name: name.to_owned(), value: value.to_owned() });
        self
    }

    /// Answers preflights.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.0.cors = Some(cors.0);
        self
    }

    /// What to answer when the host must say 404, 405, 413, 429, 500, 503 or 504 (`when`; 0: whatever
    /// has no entry of its own): `status` with this JSON, in whose texts `{message}` and `{request}`
    /// are filled in.
    ///
    /// # Panics
    /// The value has no JSON: a bug of the plugin.
    #[must_use]
    pub fn fault(mut self, when: u16, status: u16, body: &impl Serialize) -> Self {
        self.0.faults.push(manifest::Fault {
            when,
            status,
            content_type: "application/json; charset=utf-8".to_owned(),
            body: serde_json::to_string(body).expect("a fault's type has a JSON form"),
        });
        self
    }
}

impl Cors {
    /// Every origin, without cookies.
    #[must_use]
    pub fn any_origin(methods: &[&str], headers: &[&str]) -> Self {
        Self(manifest::Cors {
            origins: vec!["*".to_owned()],
            methods: owned(methods),
            headers: owned(headers),
            expose: Vec::new(),
            credentials: false,
            max_age_s: 86_400,
            status: 204,
        })
    }

    /// These origins alone, with cookies and authorization.
    #[must_use]
    pub fn origins(origins: &[&str], methods: &[&str], headers: &[&str]) -> Self {
        let Self(any) = Self::any_origin(methods, headers);
        Self(manifest::Cors { origins: owned(origins), credentials: true, ..any })
    }
}

pub(crate) fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
