//! Starts and stops the tasks of the control plane.

use std::sync::Arc;

use heliu_media::Handle;
use heliu_model::Event;
use heliu_plugin::{Plane, Plugin, Plugins};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::alarms::Alarms;
use crate::courier::Courier;
use crate::dead_letters::DeadLetters;
use crate::insight::Insight;
use crate::media_events::MediaEvents;
use crate::reconciling::Reconciling;
use crate::side::{MediaSide, PluginSide};
use crate::stats::Stats;
use crate::view::HostView;

/// The running control plane. Dropping it stops it, as [`Control::stop`] does.
pub struct Control {
    tasks: JoinSet<()>,
    insight: Insight,
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
        let dead_letters = Arc::new(DeadLetters::default());
        let graves = (stats.clone(), dead_letters.clone());
        let courier = Courier::new(plugins, view.host_run(), view.clock(), graves.clone());
        let alarms = Alarms::new(view.store().clone(), plugins, view.clock(), graves);
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
        let insight = Insight { view: view.clone(), plugins: plugins.into(), stats, dead_letters };
        Self { tasks, insight }
    }

    /// What became of events and alarms.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        self.insight.stats()
    }

    /// For operators who look.
    #[must_use]
    pub fn insight(&self) -> Insight {
        self.insight.clone()
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
