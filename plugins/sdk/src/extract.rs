//! Extractors: the arguments of a handler, each taken from the request by its type.

use serde::de::DeserializeOwned;

use crate::bindings::heliu::personality::http::Request;
use crate::rejection::{Part, Rejection};
use crate::{json, texts};

/// Can be an argument of a handler.
pub trait FromRequest: Sized {
    /// Takes itself from the request.
    ///
    /// # Errors
    /// The request does not fit; the handler is not called.
    fn from_request(request: &Request) -> Result<Self, Rejection>;
}

/// Values of the template's names: a struct by their names, any other type if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<T>(pub T);

/// The query: a struct by names. Unknown names are nobody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<T>(pub T);

/// A JSON body, whatever its `content-type` says. As an answer: 200 with this JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// One header as a type of the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<T>(pub T);

/// The request as the host hands it over: raw path, query and body, as signatures cover them.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw(pub Request);

/// A type that is read from one header.
pub trait HeaderValue: Sized {
    /// Lower case.
    const NAME: &'static str;

    /// None: it is not well-formed.
    fn parse(value: &str) -> Option<Self>;
}

impl<T: DeserializeOwned> FromRequest for Path<T> {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        let pairs: Vec<_> = request.params.iter().map(|param| (param.name.clone(), param.value.clone())).collect();
        let value = texts::read(&pairs).map_err(|mut misfit| {
            if let ([only], "") = (pairs.as_slice(), misfit.place.as_str()) {
                misfit = misfit.inside(&only.0);
            }
            Rejection::new(Part::Path, misfit)
        });
        value.map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        let query = request.query.as_deref().unwrap_or_default();
        let pairs = texts::split_query(query).ok_or_else(|| Rejection::of(Part::Query, "", "is badly escaped"))?;
        texts::read(&pairs).map(Self).map_err(|misfit| Rejection::new(Part::Query, misfit))
    }
}

impl<T: DeserializeOwned> FromRequest for Json<T> {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        json::from_slice(&request.body).map(Self).map_err(|misfit| Rejection::new(Part::Body, misfit))
    }
}

impl<T: HeaderValue> FromRequest for Header<T> {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        let header: Option<Self> = FromRequest::from_request(request)?;
        header.ok_or_else(|| Rejection::of(Part::Header, T::NAME, "is missing"))
    }
}

/// None: the header is not there.
impl<T: HeaderValue> FromRequest for Option<Header<T>> {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        let Some(header) = request.headers.iter().find(|header| header.name == T::NAME) else {
            return Ok(None);
        };
        let value = T::parse(&header.value).ok_or_else(|| Rejection::of(Part::Header, T::NAME, "is not well-formed"));
        value.map(|value| Some(Header(value)))
    }
}

impl FromRequest for Raw {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        Ok(Self(request.clone()))
    }
}
