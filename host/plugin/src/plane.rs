//! What a plugin may see of the host beyond its store.
//!
//! The control plane implements it; tests bring a small one of their own. All of it is *reading*,
//! outside the transaction.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use heliu_model::{Address, Job, Namespace, Noun, Status};

/// The operator's ceilings that a call meets when it orders media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostLimits {
    /// Mixers of all plugins together.
    pub mixers_max: u32,
    /// Canvas pixels times pictures per second, over all mixers.
    pub mixer_pixels_per_second_max: u64,
    /// Egresses of all plugins together.
    pub egresses_max: u32,
}

/// The host as plugins see it.
pub trait Plane: Send + Sync + 'static {
    /// What the media plane is doing.
    fn status(&self) -> Arc<Status>;

    /// Where one intent stands; `None`: there is no such intent.
    fn job(&self, namespace: &Namespace, noun: Noun, id: &str) -> Option<Job>;

    /// Waits until the job is no longer starting, changing or retrying, or the time is up; then as it is.
    fn wait(&self, namespace: Namespace, noun: Noun, id: String, at_most: Duration) -> BoxFuture<'static, Option<Job>>;

    /// Does this URL point at this host (its listeners and public names; no lookup)?
    fn locate(&self, url: &str) -> Option<Address>;

    /// How the operator publishes an address: protocol and URL, with the host of `authority` where no
    /// public name is configured.
    fn urls(&self, address: &Address, authority: Option<&str>) -> Vec<(String, String)>;

    /// This life of the host.
    fn host_run(&self) -> String;

    /// The operator's ceilings.
    fn limits(&self) -> HostLimits;
}
