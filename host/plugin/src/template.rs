//! A route's path template: `/rooms/{room}/streams/{stream}`, `/files/{rest...}`.
//!
//! A path is cut at its slashes first and each segment decoded once after, so that an encoded slash
//! stays inside its parameter. One trailing slash is ignored on both sides.

use std::cmp::Ordering;
use std::fmt;

use heliu_model::percent_decode;

/// Why a text is no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not begin with `/`.
    #[error("a path begins with /")]
    NoSlash,
    /// `//`, `{}`, or `{a}b`.
    #[error("a segment is a literal or one {{name}}")]
    Segment,
    /// `{rest...}` before the end.
    #[error("{{rest...}} stands at the end only")]
    RestNotLast,
    /// One name twice.
    #[error("a name stands twice")]
    NameTwice,
}

/// A parsed template. Ordered from specific to general: literal before parameter before tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
    Rest(String),
}

impl Template {
    /// From text as the plugin wrote it.
    ///
    /// # Errors
    /// It breaks the grammar.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let inner = text.strip_prefix('/').ok_or(TemplateError::NoSlash)?;
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let segments: Vec<Segment> = match inner {
            "" => Vec::new(),
            _ => inner.split('/').map(Segment::parse).collect::<Result<_, _>>()?,
        };
        let is_rest = |segment: &Segment| matches!(segment, Segment::Rest(_));
        if segments.iter().rev().skip(1).any(is_rest) {
            return Err(TemplateError::RestNotLast);
        }
        let template = Self { text: text.to_owned(), segments };
        let names: Vec<&str> = template.names().collect();
        if (1..names.len()).any(|at| names[..at].contains(&names[at])) {
            return Err(TemplateError::NameTwice);
        }
        Ok(template)
    }

    /// As the plugin wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Names of its parameters, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Parameter(name) | Segment::Rest(name) => Some(name.as_str()),
        })
    }

    /// Its leading literals.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map_while(|segment| match segment {
            Segment::Literal(text) => Some(text.as_str()),
            Segment::Parameter(_) | Segment::Rest(_) => None,
        })
    }

    /// Parameters by name, if the decoded segments of a path fit.
    #[must_use]
    pub fn match_segments(&self, path: &[String]) -> Option<Vec<(String, String)>> {
        let mut params = Vec::new();
        let mut path = path.iter();
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => (path.next()? == text).then_some(())?,
                Segment::Parameter(name) => {
                    let value = path.next().filter(|value| !value.is_empty())?;
                    params.push((name.clone(), value.clone()));
                }
                Segment::Rest(name) => {
                    let tail: Vec<&str> = path.by_ref().map(String::as_str).collect();
                    (!tail.is_empty()).then_some(())?;
                    params.push((name.clone(), tail.join("/")));
                }
            }
        }
        path.next().is_none().then_some(params)
    }

    /// Do two templates match the same paths, whatever their parameters are called?
    #[must_use]
    pub fn is_same_shape(&self, other: &Self) -> bool {
        self.cmp_specificity(other) == Ordering::Equal
    }

    /// Orders from specific to general; equal for templates of the same shape.
    #[must_use]
    pub fn cmp_specificity(&self, other: &Self) -> Ordering {
        self.segments.iter().map(Segment::rank).cmp(other.segments.iter().map(Segment::rank))
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, TemplateError> {
        let Some(inner) = text.strip_prefix('{') else {
            let is_literal = !text.is_empty() && !text.contains(['{', '}']);
            return if is_literal { Ok(Self::Literal(text.to_owned())) } else { Err(TemplateError::Segment) };
        };
        let name = inner.strip_suffix('}').ok_or(TemplateError::Segment)?;
        let (name, is_rest) = name.strip_suffix("...").map_or((name, false), |name| (name, true));
        if name.is_empty() || name.contains(['{', '}', '.']) {
            return Err(TemplateError::Segment);
        }
        Ok(if is_rest { Self::Rest(name.to_owned()) } else { Self::Parameter(name.to_owned()) })
    }

    fn rank(&self) -> (u8, &str) {
        match self {
            Self::Literal(text) => (0, text),
            Self::Parameter(_) => (1, ""),
            Self::Rest(_) => (2, ""),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The decoded segments of a raw path, one trailing slash ignored; `None`: no absolute path, or
/// percent signs that do not decode to UTF-8.
#[must_use]
pub fn split_path(path: &str) -> Option<Vec<String>> {
    let inner = path.strip_prefix('/')?;
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    if inner.is_empty() {
        return Some(Vec::new());
    }
    inner.split('/').map(percent_decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_match_decoded_segments() {
        for (template, path, want) in [
            ("/", "/", Some(vec![])),
            ("/a/{b}/c", "/a/x%2Fy/c", Some(vec![("b", "x/y")])),
            ("/a/{b}/c", "/a/x/c/", Some(vec![("b", "x")])),
            ("/a/{b}/c/", "/a/x/c", Some(vec![("b", "x")])),
            ("/a/{b}/c", "/a//c", None),
            ("/a/{b}", "/a/%E5%B7%A6+", Some(vec![("b", "左+")])),
            ("/a/{b}", "/a/%ff", None),
            ("/a/{b}", "/a/%4", None),
            ("/a/{b}", "/a/x//", None),
            ("/files/{rest...}", "/files/a/b%20c", Some(vec![("rest", "a/b c")])),
            ("/files/{rest...}", "/files", None),
            ("/a", "/a/b", None),
        ] {
            let template = Template::parse(template).unwrap();
            let got = split_path(path).and_then(|segments| template.match_segments(&segments));
            let want = want.map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect());
            assert_eq!(got, want, "{template} {path}");
        }
    }

    #[test]
    fn broken_templates_are_refused() {
        for (text, want) in [
            ("a", TemplateError::NoSlash),
            ("", TemplateError::NoSlash),
            ("/a//b", TemplateError::Segment),
            ("/{}", TemplateError::Segment),
            ("/a{b}", TemplateError::Segment),
            ("/{b}c", TemplateError::Segment),
            ("/{...}", TemplateError::Segment),
            ("/{rest...}/a", TemplateError::RestNotLast),
            ("/{a}/{a}", TemplateError::NameTwice),
        ] {
            assert_eq!(Template::parse(text), Err(want), "{text}");
        }
    }

    #[test]
    fn literals_come_before_parameters_before_tails() {
        let mut templates: Vec<Template> = ["/{rest...}", "/a/{x}", "/{x}/b", "/a/b", "/a/{y...}"]
            .iter()
            .map(|text| Template::parse(text).unwrap())
            .collect();
        templates.sort_by(Template::cmp_specificity);
        let got: Vec<&str> = templates.iter().map(Template::as_str).collect();
        assert_eq!(got, ["/a/b", "/a/{x}", "/a/{y...}", "/{x}/b", "/{rest...}"]);
    }
}
