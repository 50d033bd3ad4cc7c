//! The host's side of the contract: one file per interface a guest may import.
//!
//! Each is thin: it asks the call that runs, which knows the transaction and the plugin. In a guest
//! that is only asked what it is there is no call, so every import traps. What is no pure function of
//! its arguments is answered through the call's [`Tape`](crate::tape::Tape).

mod addresses;
mod alarms;
mod ambient;
mod config;
mod crypto;
mod egresses;
mod log;
mod mixers;
mod status;
mod store;
mod transaction;

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::{Personality, http, types};
use crate::call::Guest;

/// Names of the interfaces a plugin may import by a grant.
pub(crate) const GRANTABLE: [&str; 6] = ["store", "alarms", "mixers", "egresses", "addresses", "status"];
/// Names of the interfaces everybody may import. The last two hold only types.
pub(crate) const GRANTED: [&str; 7] = ["log", "ambient", "transaction", "crypto", "config", "types", "http"];

/// A linker that has everything.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    Personality::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
    Ok(linker)
}

impl types::Host for Guest {}
impl http::Host for Guest {}
