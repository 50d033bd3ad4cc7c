//! Events and alarms no plugin would take, the last ones by name, all of them by number.
//!
//! Without their content, which is the plugin's and is in its log or its store.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use heliu_model::{Namespace, Timestamp};
use heliu_plugin::Fault;
use serde_json::{Value, json};

/// Letters kept; the oldest gives way.
const LETTERS_MAX: usize = 256;

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeadLetter {
    /// When it was given up.
    pub(crate) at: Timestamp,
    pub(crate) plugin: Namespace,
    /// An event's kind, or `alarm`.
    pub(crate) kind: String,
    /// As the plugin calls it.
    pub(crate) room: Option<String>,
    /// What the event is about, or the alarm's name.
    pub(crate) subject: String,
    pub(crate) attempts: u32,
    /// What the last attempt ended in.
    pub(crate) fault: Fault,
}

#[derive(Debug, Default)]
pub(crate) struct DeadLetters(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    letters: VecDeque<DeadLetter>,
    forgotten: u64,
}

impl DeadLetters {
    pub(crate) fn add(&self, letter: DeadLetter) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.letters.len() == LETTERS_MAX {
            kept.letters.pop_front();
            kept.forgotten += 1;
        }
        kept.letters.push_back(letter);
    }

    /// The newest last, and how many older ones are not kept.
    pub(crate) fn list(&self) -> Value {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let letter = |letter: &DeadLetter| {
            json!({
                "at": letter.at,
                "plugin": letter.plugin.as_str(),
                "kind": letter.kind,
                "room": letter.room,
                "subject": letter.subject,
                "attempts": letter.attempts,
                "fault": letter.fault.as_str(),
            })
        };
        json!({ "dead_letters": kept.letters.iter().map(letter).collect::<Vec<_>>(), "forgotten": kept.forgotten })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_letters_are_kept_and_the_others_counted() {
        let letters = DeadLetters::default();
        for number in 0..LETTERS_MAX as u64 + 3 {
            letters.add(DeadLetter {
                at: Timestamp(number),
                plugin: "mix".parse().expect("a good name"),
                kind: "alarm".into(),
                room: None,
                subject: "tick".into(),
                attempts: 9,
                fault: Fault::Trap,
            });
        }
        let list = letters.list();
        assert_eq!((&list["forgotten"], list["dead_letters"].as_array().map(Vec::len)), (&json!(3), Some(LETTERS_MAX)));
        let first = json!({
            "at": 3, "plugin": "mix", "kind": "alarm", "room": null, "subject": "tick", "attempts": 9, "fault": "trap"
        });
        assert_eq!(list["dead_letters"][0], first);
    }
}
