//! The optional API key: with the operator's secret `api_key`, every call needs
//! `Authorization: Bearer <key>`. Media is not asked for it.

use heliu_sdk::{Request, crypto};

use crate::refusal::Refusal;

const SECRET: &str = "api_key";

/// May this request pass?
pub fn check(request: &Request) -> Result<(), Refusal> {
    let header = request.headers.iter().find(|header| header.name == "authorization");
    let presented = header.and_then(|header| bearer(&header.value)).unwrap_or_default();
    match crypto::is_secret(SECRET, presented) {
        None | Some(true) => Ok(()),
        Some(false) => Err(Refusal::Unauthorized),
    }
}

/// The scheme's name is written in any case (RFC 9110 §11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}
