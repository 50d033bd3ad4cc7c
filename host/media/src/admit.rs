//! The question the media plane asks of the control plane.

use futures_util::future::BoxFuture;
use heliu_model::{Attempt, Grant, Refusal};

/// Decides who may publish and play.
pub trait Admit: Send + Sync + 'static {
    /// Asked once per connection, before any media flows. A refusal's status and reason reach the
    /// client as far as its protocol can say them.
    fn admit(&self, attempt: Attempt) -> BoxFuture<'static, Result<Grant, Refusal>>;
}
