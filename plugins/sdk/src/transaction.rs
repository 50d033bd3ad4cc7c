//! The transaction every call runs in.

use crate::bindings::heliu::personality::types::Error;
use crate::host;

/// An effect: commits now; the call goes on in a new transaction. For what must hold although the
/// handler is going to refuse.
///
/// # Errors
/// The host could not make it durable; nothing of it holds.
pub fn commit() -> Result<(), Error> {
    host::transaction::commit()
}

/// Forgets what this transaction put. The SDK does so for every `Err` of a handler.
pub fn rollback() {
    host::transaction::rollback();
}
