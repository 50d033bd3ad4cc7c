//! HTTP without HTTP: what the edge does around a call, as far as a plugin's answers show it.

use crate::bindings::exports::heliu::personality::manifest::{Descriptor, Route};
use crate::bindings::heliu::personality::http;
use crate::bindings::heliu::personality::types::Field;
use crate::fake::FakeHost;

/// What the client got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// As text.
    pub body: String,
}

impl FakeHost {
    /// One request without headers.
    pub fn request(&mut self, method: &str, path: &str, body: &str) -> Answer {
        self.request_with(method, path, &[], body.as_bytes())
    }

    /// One request. `path` may carry a query; header names are lower case.
    pub fn request_with(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let descriptor = self.entry.describe();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let matches = |route: &Route| Some((route.clone(), params(&route.path, path)?));
        let candidates: Vec<_> = descriptor.routes.iter().filter_map(matches).collect();
        let Some((route, params)) = candidates.iter().find(|(route, _)| [method, "*"].contains(&&*route.method)) else {
            return fault(&descriptor, path, if candidates.is_empty() { 404 } else { 405 });
        };
        if route.body_bytes_max.is_some_and(|bytes_max| body.len() > bytes_max as usize) {
            return fault(&descriptor, path, 413);
        }
        let wanted =
            |name: &str| route.headers.as_ref().is_none_or(|headers| headers.iter().any(|header| header == name));
        let request = http::Request {
            id: "request".to_owned(),
            route: route.id.clone(),
            method: method.to_owned(),
            scheme: "http".to_owned(),
            authority: "localhost".to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
            params: params.clone(),
            headers: headers.iter().filter(|(name, _)| wanted(name)).map(|(name, value)| field(name, value)).collect(),
            peer: "192.0.2.1".to_owned(),
            body: body.to_vec(),
        };
        let entry = self.entry;
        let response = self.within(|| entry.handle_request(&request));
        Answer { status: response.status, body: text(response.body) }
    }
}

fn field(name: &str, value: &str) -> Field {
    Field { name: name.to_owned(), value: value.to_owned() }
}

fn text(body: http::Body) -> String {
    match body {
        http::Body::Empty => String::new(),
        http::Body::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        http::Body::Asset(name) | http::Body::Recording(name) => name,
    }
}

fn fault(descriptor: &Descriptor, path: &str, when: u16) -> Answer {
    let faces = descriptor.faces.iter().filter(|face| path.starts_with(&face.path));
    let face = faces.max_by_key(|face| face.path.len());
    let fault = face.and_then(|face| {
        let by = |when| face.faults.iter().find(move |fault| fault.when == when);
        by(when).or_else(|| by(0))
    });
    match fault {
        Some(fault) => Answer { status: fault.status, body: fault.body.clone() },
        None => Answer { status: when, body: String::new() },
    }
}

/// Values of the template's names, if the path fits it.
fn params(template: &str, path: &str) -> Option<Vec<Field>> {
    let mut values = path.strip_suffix('/').unwrap_or(path).split('/');
    let mut params = Vec::new();
    for part in template.split('/') {
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix("...}")) {
            params.push(field(name, &values.collect::<Vec<_>>().join("/")));
            return Some(params);
        }
        let value = values.next()?;
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if !value.is_empty() => params.push(field(name, value)),
            None if part == value => {}
            _ => return None,
        }
    }
    values.next().is_none().then_some(params)
}
