//! From the descriptor a guest gives to one the host relies on.
//!
//! Every rule of the contract about it is checked here, once; what this host does not serve is refused.

use std::collections::BTreeSet;

use heliu_model::Address;

use crate::bindings::exported::manifest;
use crate::bindings::types::Field;
use crate::descriptor::{Cors, Descriptor, Face, FaultShape, Route};
use crate::template::{Template, TemplateError};

/// Path prefixes that are the host's own on every listener.
const RESERVED: [&str; 6] = ["-", "whip", "whep", "whip-session", "healthz", "readyz"];
/// What a face may give a shape for.
const FAULTS: [u16; 8] = [0, 404, 405, 413, 429, 500, 503, 504];
const BODY_LEN_DEFAULT: usize = 1 << 20;
const BODY_LEN_MAX: usize = 8 << 20;
const TIME_MS_MAX: u32 = 120_000;
const ROUTES_LEN_MAX: usize = 1_000;

/// Why a descriptor is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// `channels` or `mounts`.
    #[error("it has `{0}`, which this host does not serve")]
    NotServed(&'static str),
    /// One id twice.
    #[error("two routes have the id `{0}`")]
    RouteTwice(String),
    /// One method and path twice.
    #[error("the routes `{first}` and `{second}` have one method and path")]
    PathTwice {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// Empty, too long or with a control character.
    #[error("a route's id is empty or not printable")]
    RouteId,
    /// Over 1 000.
    #[error("it has more than {ROUTES_LEN_MAX} routes")]
    TooManyRoutes,
    /// The template.
    #[error("the path of route `{route}` is wrong: {cause}")]
    Path {
        /// Which.
        route: String,
        /// What.
        cause: TemplateError,
    },
    /// Under a prefix of the host.
    #[error("the path of route `{0}` belongs to the host")]
    Reserved(String),
    /// No upper-case token, or one the host answers alone.
    #[error("the method of route `{0}` is not upper case, or is HEAD or OPTIONS, which the host answers")]
    Method(String),
    /// A name that is not in the path.
    #[error("route `{route}` serializes by `{name}`, which is not in its path")]
    Serialize {
        /// Which.
        route: String,
        /// What.
        name: String,
    },
    /// A number over its maximum.
    #[error("route `{route}` asks for more {what} than there may be")]
    TooMuch {
        /// Which.
        route: String,
        /// What.
        what: &'static str,
    },
    /// No face for `/`, or two for one path, or a path without its slash.
    #[error("faces need one for `/`, each another path, and no trailing slash")]
    Faces,
    /// A fault the host never answers with, or twice.
    #[error("the face `{face}` has no proper fault {when}")]
    Fault {
        /// Which.
        face: String,
        /// What.
        when: u16,
    },
    /// A header's name or value, a status, an origin.
    #[error("the face `{face}` has a wrong {what}")]
    Header {
        /// Which.
        face: String,
        /// What.
        what: &'static str,
    },
    /// Not one segment.
    #[error("`{0}` is no media app")]
    App(String),
    /// `descriptor.apps` without the export.
    #[error("it has apps, but does not export `admission`")]
    AppsWithoutAdmission,
    /// `descriptor.events` without the export.
    #[error("it wants events, but does not export `events`")]
    EventsWithoutExport,
    /// A text that should be JSON.
    #[error("its `{0}` is no JSON")]
    NoJson(&'static str),
}

/// Which optional interfaces the component exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exported {
    pub(crate) admission: bool,
    pub(crate) events: bool,
}

/// Checks and translates.
///
/// # Errors
/// The first rule it breaks.
pub(crate) fn descriptor(told: manifest::Descriptor, exported: Exported) -> Result<Descriptor, DescriptorError> {
    for (what, is_empty) in [("channels", told.channels.is_empty()), ("mounts", told.mounts.is_empty())] {
        if !is_empty {
            return Err(DescriptorError::NotServed(what));
        }
    }
    if told.routes.len() > ROUTES_LEN_MAX {
        return Err(DescriptorError::TooManyRoutes);
    }
    if !told.apps.is_empty() && !exported.admission {
        return Err(DescriptorError::AppsWithoutAdmission);
    }
    if !told.events.is_empty() && !exported.events {
        return Err(DescriptorError::EventsWithoutExport);
    }
    check_apps(&told.apps)?;
    let routes = told.routes.into_iter().map(route).collect::<Result<Vec<_>, _>>()?;
    check_routes(&routes)?;
    let faces = told.faces.into_iter().map(face).collect::<Result<Vec<_>, _>>()?;
    check_faces(&faces)?;
    Ok(Descriptor {
        name: told.name,
        version: told.version,
        sdk: told.sdk,
        routes,
        faces,
        request_id: told.request_id.map(|name| name.to_ascii_lowercase()),
        apps: told.apps,
        events: told.events,
        config_schema: json("config-schema", told.config_schema)?,
        openapi: json("openapi", told.openapi)?,
    })
}

/// Is each of them one segment of an address, or the star?
pub(crate) fn check_apps(apps: &[String]) -> Result<(), DescriptorError> {
    let is_segment = |app: &String| !app.contains('/') && Address::parse(&format!("{app}/x")).is_ok();
    match apps.iter().find(|app| !is_segment(app)) {
        Some(app) => Err(DescriptorError::App(app.clone())),
        None => Ok(()),
    }
}

fn json(what: &'static str, text: Option<String>) -> Result<Option<serde_json::Value>, DescriptorError> {
    let parse = |text: String| serde_json::from_str(&text).map_err(|_| DescriptorError::NoJson(what));
    text.map(parse).transpose()
}

fn route(told: manifest::Route) -> Result<Route, DescriptorError> {
    let id = told.id;
    if id.is_empty() || id.len() > 256 || id.chars().any(char::is_control) {
        return Err(DescriptorError::RouteId);
    }
    let template = Template::parse(&told.path).map_err(|cause| DescriptorError::Path { route: id.clone(), cause })?;
    if template.literals().next().is_some_and(|first| RESERVED.contains(&first)) {
        return Err(DescriptorError::Reserved(id));
    }
    if !is_method(&told.method) {
        return Err(DescriptorError::Method(id));
    }
    if let Some(name) = told.serialize.iter().find(|name| !template.names().any(|known| known == *name)) {
        return Err(DescriptorError::Serialize { route: id, name: name.clone() });
    }
    let body_len_max = told.body_bytes_max.map_or(BODY_LEN_DEFAULT, |max| usize::try_from(max).unwrap_or(usize::MAX));
    for (what, is_too_much) in
        [("body", body_len_max > BODY_LEN_MAX), ("time", told.time_ms_max.is_some_and(|time| time > TIME_MS_MAX))]
    {
        if is_too_much {
            return Err(DescriptorError::TooMuch { route: id, what });
        }
    }
    Ok(Route {
        method: told.method,
        template,
        serialize: told.serialize,
        headers: told.headers.map(|names| names.iter().map(|name| name.to_ascii_lowercase()).collect()),
        body_len_max,
        time_ms_max: told.time_ms_max,
        openapi: json("openapi", told.openapi)?,
        id,
    })
}

fn is_method(method: &str) -> bool {
    let is_upper = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    method == "*" || (is_upper && !["HEAD", "OPTIONS"].contains(&method))
}

fn check_routes(routes: &[Route]) -> Result<(), DescriptorError> {
    let mut ids = BTreeSet::new();
    if let Some(route) = routes.iter().find(|route| !ids.insert(&route.id)) {
        return Err(DescriptorError::RouteTwice(route.id.clone()));
    }
    for (at, first) in routes.iter().enumerate() {
        let is_twin = |second: &&Route| second.method == first.method && second.template.is_same_shape(&first.template);
        if let Some(second) = routes[at + 1..].iter().find(is_twin) {
            return Err(DescriptorError::PathTwice { first: first.id.clone(), second: second.id.clone() });
        }
    }
    Ok(())
}

fn face(told: manifest::Face) -> Result<Face, DescriptorError> {
    let wrong = |what| DescriptorError::Header { face: told.path.clone(), what };
    let headers: Vec<(String, String)> = told.headers.iter().map(pair).collect();
    if !headers.iter().all(|(name, value)| is_token(name) && is_value(value)) {
        return Err(wrong("header"));
    }
    let cors = told.cors.map(cors);
    if let Some(cors) = &cors {
        let texts = cors.origins.iter().chain(&cors.methods).chain(&cors.headers).chain(&cors.expose);
        if !matches!(cors.status, 200 | 204) || cors.origins.is_empty() || !texts.into_iter().all(|text| is_value(text))
        {
            return Err(wrong("CORS rule"));
        }
    }
    let mut seen = BTreeSet::new();
    for shape in &told.faults {
        let is_answer = (200..=599).contains(&shape.status) && is_value(&shape.content_type);
        if !FAULTS.contains(&shape.when) || !seen.insert(shape.when) || !is_answer {
            return Err(DescriptorError::Fault { face: told.path.clone(), when: shape.when });
        }
    }
    let faults = told.faults.into_iter().map(fault).collect();
    Ok(Face { path: told.path, headers, cors, faults })
}

fn fault(told: manifest::Fault) -> FaultShape {
    let manifest::Fault { when, status, content_type, body } = told;
    FaultShape { when, status, content_type, body }
}

fn cors(told: manifest::Cors) -> Cors {
    let manifest::Cors { origins, methods, headers, expose, credentials, max_age_s, status } = told;
    Cors { origins, methods, headers, expose, credentials, max_age_s, status }
}

fn pair(field: &Field) -> (String, String) {
    (field.name.to_ascii_lowercase(), field.value.clone())
}

fn check_faces(faces: &[Face]) -> Result<(), DescriptorError> {
    let is_sound = |face: &Face| {
        face.path == "/" || (face.path.starts_with('/') && !face.path.ends_with('/') && !face.path.contains("//"))
    };
    let mut paths = BTreeSet::new();
    let are_sound = faces.iter().all(|face| is_sound(face) && paths.insert(face.path.as_str()));
    if are_sound && paths.contains("/") { Ok(()) } else { Err(DescriptorError::Faces) }
}

/// A header's name: RFC 9110 §5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

/// A header's value: visible characters, spaces and tabs, and bytes over 0x7f (RFC 9110 §5.5).
pub(crate) fn is_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (byte >= 0x20 && byte != 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_contract_is_checked() {
        type Change = fn(&mut manifest::Descriptor);
        for (what, change, want) in [
            ("the default", (|_| {}) as Change, None),
            ("a mount", |d| d.mounts.push(mount()), Some("`mounts`")),
            ("one id twice", |d| d.routes.push(route_at("get", "POST", "/b")), Some("the id `get`")),
            ("one path twice", |d| d.routes.push(route_at("b", "GET", "/a/{y}")), Some("`get` and `b`")),
            ("a second method", |d| d.routes.push(route_at("b", "POST", "/a/{y}")), None),
            ("no slash", |d| d.routes[0].path = "a".into(), Some("begins with /")),
            ("the host's own", |d| d.routes[0].path = "/-/x/{x}".into(), Some("belongs to the host")),
            ("lower case", |d| d.routes[0].method = "get".into(), Some("not upper case")),
            ("any method", |d| d.routes[0].method = "*".into(), None),
            ("the host's method", |d| d.routes[0].method = "OPTIONS".into(), Some("HEAD or OPTIONS")),
            ("an unknown key", |d| d.routes[0].serialize = vec!["y".into()], Some("serializes by `y`")),
            ("much time", |d| d.routes[0].time_ms_max = Some(120_001), Some("more time")),
            ("much body", |d| d.routes[0].body_bytes_max = Some(u32::MAX), Some("more body")),
            ("no root", |d| d.faces[0].path = "/v1".into(), Some("one for `/`")),
            ("an odd fault", |d| d.faces[0].faults[0].when = 418, Some("fault 418")),
            ("a split header", |d| d.faces[0].headers.push(header("a", "b\r\nc")), Some("wrong header")),
            ("no admission", |d| d.apps.push("a".into()), Some("does not export `admission`")),
            ("no events", |d| d.events.push("*".into()), Some("does not export `events`")),
            ("no JSON", |d| d.config_schema = Some("{".into()), Some("`config-schema` is no JSON")),
        ] {
            let mut told = default();
            change(&mut told);
            let got =
                descriptor(told, Exported { admission: false, events: false }).err().map(|error| error.to_string());
            match want {
                None => assert_eq!(got, None, "{what}"),
                Some(part) => assert!(got.as_ref().is_some_and(|text| text.contains(part)), "{what}: {got:?}"),
            }
        }
    }

    #[test]
    fn apps_are_single_segments() {
        for (app, want) in [("live", true), ("*", true), ("a/b", false), ("", false), ("..", false), ("a\n", false)] {
            assert_eq!(check_apps(&[app.to_owned()]).is_ok(), want, "{app:?}");
        }
    }

    #[test]
    fn a_descriptor_knows_its_faces_headers_and_events() {
        let mut told = default();
        told.faces.push(manifest::Face { path: "/v1".into(), headers: vec![], cors: None, faults: vec![] });
        told.routes[0].headers = Some(vec!["Content-Type".into(), "X-A-*".into()]);
        told.events = vec!["publication.*".into(), "host.started".into()];
        let descriptor = descriptor(told, Exported { admission: true, events: true }).unwrap();
        for (path, want) in [("/", "/"), ("/v1/x", "/v1"), ("/v10", "/")] {
            assert_eq!(descriptor.face(path).path, want, "{path}");
        }
        for (name, want) in [("content-type", true), ("x-a-b", true), ("x-b", false)] {
            assert_eq!(descriptor.routes[0].takes_header(name), want, "{name}");
        }
        for (kind, want) in [("publication.started", true), ("host.started", true), ("mixer.failed", false)] {
            assert_eq!(descriptor.wants_event(kind), want, "{kind}");
        }
    }

    fn default() -> manifest::Descriptor {
        let shape = manifest::Fault { when: 0, status: 500, content_type: "text/plain".into(), body: String::new() };
        manifest::Descriptor {
            name: "n".into(),
            version: "1".into(),
            sdk: "s".into(),
            routes: vec![route_at("get", "GET", "/a/{x}")],
            channels: vec![],
            mounts: vec![],
            faces: vec![manifest::Face { path: "/".into(), headers: vec![], cors: None, faults: vec![shape] }],
            request_id: None,
            apps: vec![],
            events: vec![],
            config_schema: None,
            openapi: None,
        }
    }

    fn route_at(id: &str, method: &str, path: &str) -> manifest::Route {
        manifest::Route {
            id: id.into(),
            method: method.into(),
            path: path.into(),
            serialize: vec![],
            headers: None,
            body_bytes_max: None,
            time_ms_max: None,
            openapi: None,
        }
    }

    fn mount() -> manifest::Mount {
        manifest::Mount { path: "/x".into(), dir: "x".into(), index: None, fallback: None }
    }

    fn header(name: &str, value: &str) -> Field {
        Field { name: name.into(), value: value.into() }
    }
}
