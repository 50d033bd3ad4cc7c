//! Rows of calls and answers as data, so that one table is run against the fake host and against the
//! real one.
//!
//! The file is a JSON list of stories. Answers are compared as text: order of keys counts.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::fake::{Answer, FakeHost};
use crate::plugin::Plugin;

/// Calls in a row, on a host with an empty store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// A sentence.
    pub name: String,
    /// The plugin's `config` table.
    #[serde(default)]
    pub config: serde_json::Map<String, Value>,
    /// The plugin's secrets.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// The host's limit.
    #[serde(default)]
    pub mixers_max: Option<u32>,
    /// In this order.
    pub steps: Vec<Step>,
}

/// One call and its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it shows.
    pub what: String,
    /// `POST`.
    pub method: String,
    /// With query.
    pub path: String,
    /// Names in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A JSON body.
    #[serde(default)]
    pub json: Option<Value>,
    /// A body that is sent as it stands.
    #[serde(default)]
    pub text: Option<String>,
    /// A body of so many blanks.
    #[serde(default)]
    pub blanks: Option<usize>,
    /// HTTP status of the answer.
    pub status: u16,
    /// Its JSON, in this order.
    pub answer: Value,
}

impl Story {
    /// Reads a file of stories; `$OWN` in it stands for the RTMP host and port of the host under test.
    ///
    /// # Errors
    /// It is no list of stories.
    pub fn read(text: &str, own_authority: &str) -> Result<Vec<Self>, serde_json::Error> {
        serde_json::from_str(&text.replace("$OWN", own_authority))
    }

    /// Makes the calls and compares the answers.
    ///
    /// # Panics
    /// An answer differs.
    pub fn run(&self, mut call: impl FnMut(&Step) -> Answer) {
        for step in &self.steps {
            let want = Answer { status: step.status, body: step.answer.to_string() };
            assert_eq!(call(step), want, "{}: {}", self.name, step.what);
        }
    }

    /// Runs against a fake host that listens on `own_authority`, and returns it for a closer look.
    ///
    /// # Panics
    /// An answer differs.
    pub fn run_on_fake_host(&self, plugin: fn() -> Plugin, own_authority: &str) -> FakeHost {
        let config = Value::Object(self.config.clone());
        let mut host = FakeHost::new(plugin).config(&config).own_authority(own_authority);
        for (name, value) in &self.secrets {
            host = host.secret(name, value);
        }
        if let Some(mixers_max) = self.mixers_max {
            host = host.mixers_max(mixers_max as usize);
        }
        self.run(|step| {
            let headers: Vec<(&str, &str)> =
                step.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            host.request_with(&step.method, &step.path, &headers, &step.body())
        });
        host
    }
}

impl Step {
    /// The body to send.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        match (&self.json, &self.text, self.blanks) {
            (Some(json), _, _) => json.to_string().into_bytes(),
            (None, Some(text), _) => text.clone().into_bytes(),
            (None, None, blanks) => vec![b' '; blanks.unwrap_or(0)],
        }
    }
}
