//! The two neighbours as this crate uses them. Behind each trait stands one real thing; tests put the
//! other end of a channel there.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_media::Handle;
use heliu_model::{Address, Attempt, Command, Grant, Namespace, Refusal, Status};
use heliu_plugin::{Alarm, Fault, Plugin, PluginEvent};
use tokio::sync::watch;

/// The media plane.
pub(crate) trait MediaSide: Send + Sync + 'static {
    fn apply(&self, command: Command) -> BoxFuture<'_, ()>;
    fn status(&self) -> Arc<Status>;
    fn changes(&self) -> watch::Receiver<u64>;
    fn events_lost(&self) -> u64;
    fn locate(&self, url: &str) -> Option<Address>;
    fn rtmp_addr(&self) -> Option<SocketAddr>;
}

/// One plugin.
pub(crate) trait PluginSide: Send + Sync + 'static {
    fn namespace(&self) -> &Namespace;
    fn owns_app(&self, app: &str) -> bool;
    fn wants_event(&self, kind: &str) -> bool;
    fn admit<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, Result<Grant, Refusal>>;
    fn handle_event<'a>(&'a self, event: &'a PluginEvent) -> BoxFuture<'a, Result<(), Fault>>;
    fn handle_alarm<'a>(&'a self, alarm: &'a Alarm) -> BoxFuture<'a, Result<(), Fault>>;
}

impl MediaSide for Handle {
    fn apply(&self, command: Command) -> BoxFuture<'_, ()> {
        self.apply(command).boxed()
    }

    fn status(&self) -> Arc<Status> {
        self.status()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes()
    }

    fn events_lost(&self) -> u64 {
        self.events_lost()
    }

    fn locate(&self, url: &str) -> Option<Address> {
        self.own_names().locate(url)
    }

    fn rtmp_addr(&self) -> Option<SocketAddr> {
        self.rtmp_addr()
    }
}

impl PluginSide for Plugin {
    fn namespace(&self) -> &Namespace {
        self.namespace()
    }

    fn owns_app(&self, app: &str) -> bool {
        self.owns_app(app)
    }

    fn wants_event(&self, kind: &str) -> bool {
        self.wants_event(kind)
    }

    fn admit<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, Result<Grant, Refusal>> {
        self.admit(attempt).boxed()
    }

    fn handle_event<'a>(&'a self, event: &'a PluginEvent) -> BoxFuture<'a, Result<(), Fault>> {
        self.handle_event(event).boxed()
    }

    fn handle_alarm<'a>(&'a self, alarm: &'a Alarm) -> BoxFuture<'a, Result<(), Fault>> {
        self.handle_alarm(alarm).boxed()
    }
}
