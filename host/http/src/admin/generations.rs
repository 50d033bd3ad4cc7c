//! `GET /plugins` and `POST /plugins/{name}/rollback`: which component serves, and the one before.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use heliu_plugin::{Plugin, Plugins, RollbackError, Standing};
use serde_json::{Value, json};

use crate::answer;

/// All personalities, as an operator sees them.
pub trait Generations: Send + Sync + 'static {
    /// One JSON object each, by name.
    fn list(&self) -> Vec<Value>;

    /// Lets the component that served before serve again.
    fn rollback<'a>(&'a self, plugin: &'a str) -> BoxFuture<'a, Result<(), RollbackError>>;
}

/// Both pages.
pub(super) fn routes(plugins: Arc<dyn Generations>) -> Router {
    Router::new().route("/plugins", get(list)).route("/plugins/{name}/rollback", post(rollback)).with_state(plugins)
}

impl Generations for Plugins {
    fn list(&self) -> Vec<Value> {
        self.iter().map(|plugin| entry(plugin)).collect()
    }

    fn rollback<'a>(&'a self, plugin: &'a str) -> BoxFuture<'a, Result<(), RollbackError>> {
        self.rollback(plugin).boxed()
    }
}

fn entry(plugin: &Plugin) -> Value {
    let generation = plugin.generation();
    let (state, refusal) = match plugin.standing() {
        Standing::Current => ("serving", None),
        Standing::RolledBack => ("rolled-back", None),
        Standing::Refused(reason) => ("refused", Some(reason)),
    };
    json!({
        "plugin": plugin.namespace().as_str(),
        "state": state,
        "generation": generation.number(),
        "component": generation.component().short(),
        "version": generation.descriptor().version,
        "since": generation.since().0,
        "calls": plugin.stats().calls,
        "refusal": refusal,
    })
}

async fn list(State(plugins): State<Arc<dyn Generations>>) -> Response {
    answer::json(200, &Value::from(plugins.list()))
}

async fn rollback(State(plugins): State<Arc<dyn Generations>>, Path(name): Path<String>) -> Response {
    let trouble = match plugins.rollback(&name).await {
        Ok(()) => {
            let all = plugins.list();
            let entry = all.into_iter().find(|entry| entry["plugin"] == name.as_str());
            return answer::json(200, &entry.unwrap_or_default());
        }
        Err(error) => error,
    };
    let status = match &trouble {
        RollbackError::Unknown(_) => 404,
        RollbackError::NothingBefore(_) | RollbackError::Load(_) => 409,
    };
    answer::json(status, &json!({ "error": trouble.to_string() }))
}
