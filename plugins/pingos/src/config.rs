//! What the operator may set in `[plugins.<name>.config]`.

use heliu_sdk::Error;
use serde::Deserialize;
use serde_json::{Value, json};

/// Thirty days; an alarm's milliseconds fit 32 bits.
const EMPTY_CHANNEL_TIMEOUT_S_MAX: u32 = 30 * 86_400;

/// The operator's settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Config {
    /// May others than our own pushes publish plain streams (`rtmp://H/live/t5`)?
    pub plain_publish: bool,
    /// Do endpoints without pictures take a place in the mix?
    pub audio_tile: bool,
    /// A task whose channel was empty for so long ends; 0: never.
    pub empty_channel_timeout_s: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { plain_publish: true, audio_tile: false, empty_channel_timeout_s: 0 }
    }
}

impl Config {
    /// As the operator wrote it.
    pub fn read() -> Result<Self, Error> {
        heliu_sdk::config::read()
    }

    /// None: channels may stay empty.
    pub fn empty_channel_ms(&self) -> Option<u32> {
        let seconds = self.empty_channel_timeout_s.min(EMPTY_CHANNEL_TIMEOUT_S_MAX);
        (seconds > 0).then_some(seconds * 1_000)
    }
}

/// Checked by the host before the first call.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "plain_publish": { "type": "boolean", "default": true },
            "audio_tile": { "type": "boolean", "default": false },
            "empty_channel_timeout_s": {
                "type": "integer", "minimum": 0, "maximum": EMPTY_CHANNEL_TIMEOUT_S_MAX, "default": 0
            }
        },
        "additionalProperties": false
    })
}
