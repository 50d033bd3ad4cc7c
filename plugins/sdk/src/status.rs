//! What is, seen from outside the transaction. Decide by the store and by events, decorate by status.

pub use crate::bindings::heliu::personality::status::{Job, Publication, State};
use crate::bindings::heliu::personality::types::{Error, Noun};
use crate::host;

/// The contract's bound on ids in one question.
const IDS_MAX: usize = 200;

/// Where these intents stand; unknown ids are left out.
///
/// # Errors
/// The host cannot tell at the moment.
pub fn jobs(noun: Noun, ids: &[String]) -> Result<Vec<Job>, Error> {
    let mut jobs = Vec::with_capacity(ids.len());
    for ids in ids.chunks(IDS_MAX) {
        jobs.extend(host::status::jobs(noun, ids)?);
    }
    Ok(jobs)
}

/// An effect: commits, then waits until the job is no longer starting, changing or retrying, or time is
/// up (then as it is).
///
/// # Errors
/// `not-found`: nothing was wished under this id, or the wish is gone.
pub fn wait(noun: Noun, id: &str, time_ms_max: u32) -> Result<Job, Error> {
    host::status::wait(noun, id, time_ms_max)
}

/// Publications of a room in order of arrival; an unknown room is empty.
///
/// # Errors
/// The host cannot tell at the moment.
pub fn publications(room: &str) -> Result<Vec<Publication>, Error> {
    host::status::publications(room, None)
}
