//! A function of extractors as the handler of a route.

use crate::bindings::heliu::personality::http::Request;
use crate::extract::FromRequest;
use crate::rejection::Rejection;
use crate::response::{IntoResponse, Response};

/// A function of up to six extractors that returns `Result<answer, refusal>`. `Arguments` only tells
/// functions apart.
pub trait Handler<Arguments>: 'static {
    /// Runs it. `Err`: the answer of a refusal, whose records and orders must be forgotten.
    ///
    /// # Errors
    /// The handler, or one of its extractors, refused.
    fn call(&self, request: &Request) -> Result<Response, Response>;
}

macro_rules! handlers {
    ($($argument:ident)*) => {
        impl<F, T, E, $($argument),*> Handler<(T, E, $($argument),*)> for F
        where
            F: Fn($($argument),*) -> Result<T, E> + 'static,
            T: IntoResponse,
            E: IntoResponse + From<Rejection>,
            $($argument: FromRequest,)*
        {
            fn call(&self, request: &Request) -> Result<Response, Response> {
                // A handler without extractors leaves it alone.
                let _ = request;
                let run = || self($($argument::from_request(request)?),*);
                run().map(T::into_response).map_err(E::into_response)
            }
        }
    };
}

handlers!();
handlers!(A);
handlers!(A B);
handlers!(A B C);
handlers!(A B C D);
handlers!(A B C D G);
handlers!(A B C D G H);
