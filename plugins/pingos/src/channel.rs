//! Channels, and the names that make them up.

use std::fmt;

use serde::{Deserialize, Serialize};

const APP_LEN_MAX: usize = 64;
const NAME_LEN_MAX: usize = 128;

/// `[A-Za-z0-9._-]`, but not a relative path: names become segments of addresses.
fn is_word(text: &str, len_max: usize) -> bool {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=len_max).contains(&text.len()) && text.bytes().all(may_stand) && text != "." && text != ".."
}

/// An app: 1 to 64 of `[A-Za-z0-9._-]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct AppId(String);

/// A channel, an endpoint in it, or a plain stream: 1 to 128 of `[A-Za-z0-9._-]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

/// A conference. Keys in the order the API answers them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    #[serde(rename = "channelId")]
    id: Name,
    #[serde(rename = "appId")]
    app: AppId,
}

impl Channel {
    /// None: one of them breaks the rule for names.
    pub fn new(app: &str, id: &str) -> Option<Self> {
        Some(Self { app: AppId::try_from(app.to_owned()).ok()?, id: id.to_owned().try_into().ok()? })
    }

    /// The channel of a room; plain streams live in rooms of another shape.
    pub fn of_room(room: &str) -> Option<Self> {
        let (app, id) = room.split_once('/')?;
        Self::new(app, id)
    }

    /// Its room. Holds one `/`, that of a plain stream two: they never meet.
    pub fn room(&self) -> String {
        format!("{}/{}", self.app, self.id)
    }
}

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text breaks the rule for names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoName;

impl fmt::Display for NoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name holds only letters, digits, '.', '_' and '-'")
    }
}

impl TryFrom<String> for AppId {
    type Error = NoName;

    fn try_from(text: String) -> Result<Self, NoName> {
        if is_word(&text, APP_LEN_MAX) { Ok(Self(text)) } else { Err(NoName) }
    }
}

impl TryFrom<String> for Name {
    type Error = NoName;

    fn try_from(text: String) -> Result<Self, NoName> {
        if is_word(&text, NAME_LEN_MAX) { Ok(Self(text)) } else { Err(NoName) }
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_stand_in_an_address() {
        for (text, want) in [
            ("livhub", true),
            ("a.b_c-D9", true),
            ("...", true),
            ("", false),
            (".", false),
            ("..", false),
            ("a/b", false),
            ("a b", false),
            ("频道", false),
            (&"x".repeat(128), true),
            (&"x".repeat(129), false),
        ] {
            assert_eq!(Name::try_from(text.to_owned()).is_ok(), want, "{text}");
        }
        assert!(AppId::try_from("x".repeat(64)).is_ok() && AppId::try_from("x".repeat(65)).is_err());
    }

    #[test]
    fn only_the_room_of_a_channel_leads_back_to_it() {
        let channel = Channel::new("plain", "726122").unwrap();
        assert_eq!(Channel::of_room(&channel.room()), Some(channel));
        assert_eq!(Channel::of_room("plain/live/t5"), None);
        assert_eq!(Channel::of_room("plain"), None);
    }
}
