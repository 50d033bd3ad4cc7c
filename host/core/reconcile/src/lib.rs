//! Makes reality match the wishes: compares both and says what to order.
//!
//! Level-triggered: nobody tells what happened, only what is wished and what is. So a change, a failed
//! push, a restart after kill -9 are one case, and an order that got lost is given again.
//!
//! Not here: reading intents, carrying out commands, telling plugins. The shell in `control` does that.

mod backoff;
mod job;
mod order;
mod plan;
mod url;

#[cfg(test)]
mod tests;

pub use backoff::backoff;
pub use job::{egress_job, mixer_job};
pub use order::Reconciler;
pub use plan::{Plan, plan};
pub use url::normalised;
