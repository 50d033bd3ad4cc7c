//! Starts and stops the tasks of the control plane.

use std::sync::Arc;

use heliu_media::Handle;
use heliu_model::Event;
use heliu_plugin::{Plane, Plugin, Plugins};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::alarms::Alarms;
use crate::courier::Courier;
use crate::media_events::MediaEvents;
use crate::reconciling::Reconciling;
use crate::side::{MediaSide, PluginSide};
use crate::stats::Stats;
use crate::view::HostView;

/// The running control plane. Dropping it stops it, as [`Control::stop`] does.
pub struct Control {
    tasks: JoinSet<()>,
    stats: Arc<Stats>,
}

impl Control {
    /// Brings back what the store wishes for, tells plugins that the host lives, and goes on. `events`
    /// is the other end of the media plane's channel. Call it inside the edge's runtime.
    #[must_use]
    pub fn start(view: &HostView, plugins: &Plugins, media: Handle, events: mpsc::Receiver<Event>) -> Self {
        let side = |plugin: &Arc<Plugin>| -> Arc<dyn PluginSide> { plugin.clone() };
        let plugins: Vec<_> = plugins.iter().map(side).collect();
        Self::between(view, &plugins, Arc::new(media), events)
    }

    pub(crate) fn between(
        view: &HostView,
        plugins: &[Arc<dyn PluginSide>],
        media: Arc<dyn MediaSide>,
        events: mpsc::Receiver<Event>,
    ) -> Self {
        view.set_media(media.clone());
        let stats = Arc::new(Stats::default());
        let courier = Courier::new(plugins, view.host_run(), view.clock(), stats.clone());
        let alarms = Alarms::new(view.store().clone(), plugins, view.clock(), stats.clone());
        let media_events = MediaEvents::new(media.clone(), courier.clone(), stats.clone());
        let reconciling = Reconciling {
            view: view.clone(),
            media,
            courier: courier.clone(),
            stats: stats.clone(),
            namespaces: plugins.iter().map(|plugin| plugin.namespace().clone()).collect(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(watched("reconciler", reconciling.run()));
        tasks.spawn(watched("media events", media_events.run(events)));
        tasks.spawn(watched("host started", async move { courier.start().await }));
        tasks.spawn(watched("alarms", alarms.run()));
        Self { tasks, stats }
    }

    /// What became of events and alarms.
    #[must_use]
    pub fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// Ends all of it where it stands. What was not delivered is told anew after the next start.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// None dies in silence.
async fn watched(name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    let mut set = JoinSet::new();
    set.spawn(task);
    if let Some(Err(error)) = set.join_next().await
        && error.is_panic()
    {
        tracing::error!(task = name, %error, "a task of the control plane panicked");
    }
}
