//! One personality of the configuration, whichever of its components serves.
//!
//! Counters, queues and limits are the personality's and outlive its components; what a component says
//! about itself is its [`Generation`]'s.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use heliu_model::{Attempt, Grant, Namespace, Refusal};

use crate::apps::Apps;
use crate::config::PluginConfig;
use crate::exchange::{Request, Response};
use crate::fault::Fault;
use crate::generation::Generation;
use crate::happening::{Alarm, PluginEvent};
use crate::stats::StatsSnapshot;

/// A personality. Each call goes to the generation that serves when it begins.
pub struct Plugin {
    config: PluginConfig,
    apps: Arc<Apps>,
    serving: RwLock<Arc<Generation>>,
    standing: Mutex<Standing>,
}

/// How the component that serves stands to the one that lies in the plugin's file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Standing {
    /// It is the same, or will be after a look.
    #[default]
    Current,
    /// The file's does not serve, and why.
    Refused(String),
    /// The operator went back to an older one.
    RolledBack,
}

impl Plugin {
    pub(crate) fn new(config: PluginConfig, apps: Arc<Apps>, first: Generation) -> Self {
        Self { config, apps, serving: RwLock::new(Arc::new(first)), standing: Mutex::default() }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.config.namespace
    }

    /// Listeners it is bound to, as the operator wrote them; empty: all.
    #[must_use]
    pub fn listeners(&self) -> &[String] {
        &self.config.http
    }

    /// The component that serves.
    #[must_use]
    pub fn generation(&self) -> Arc<Generation> {
        Arc::clone(&self.serving.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does the component that lies in its file serve?
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Is this media app its own?
    #[must_use]
    pub fn owns_app(&self, app: &str) -> bool {
        self.apps.is_of(app, self.namespace())
    }

    /// Does it want events of this kind?
    #[must_use]
    pub fn wants_event(&self, kind: &str) -> bool {
        self.generation().descriptor().wants_event(kind)
    }

    /// What happened to its calls, as of this moment.
    #[must_use]
    pub fn stats(&self) -> StatsSnapshot {
        self.generation().runner().stats()
    }

    /// As [`Generation::handle_request`].
    ///
    /// # Errors
    /// The same.
    pub async fn handle_request(&self, request: Request) -> Result<Response, Fault> {
        self.generation().handle_request(request).await
    }

    /// As [`Generation::admit`].
    ///
    /// # Errors
    /// The same.
    pub async fn admit(&self, attempt: &Attempt) -> Result<Grant, Refusal> {
        self.generation().admit(attempt).await
    }

    /// As [`Generation::handle_event`].
    ///
    /// # Errors
    /// The same.
    pub async fn handle_event(&self, event: &PluginEvent) -> Result<(), Fault> {
        self.generation().handle_event(event).await
    }

    /// As [`Generation::handle_alarm`].
    ///
    /// # Errors
    /// The same.
    pub async fn handle_alarm(&self, alarm: &Alarm) -> Result<(), Fault> {
        self.generation().handle_alarm(alarm).await
    }

    pub(crate) fn config(&self) -> &PluginConfig {
        &self.config
    }

    /// Calls that begin from this moment on are this one's.
    pub(crate) fn serve(&self, next: Generation) {
        *self.serving.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }

    pub(crate) fn set_standing(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("namespace", self.namespace()).finish_non_exhaustive()
    }
}
