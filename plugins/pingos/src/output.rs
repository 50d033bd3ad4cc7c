//! Where a task pushes: an RTMP URL, and the list of them.

use std::fmt;

use heliu_sdk::{crypto, locate};
use serde::{Deserialize, Serialize};

use crate::channel::Channel;

const URL_CHARS_MAX: usize = 2048;
const OUTPUTS_MAX: usize = 16;

/// `rtmp://` or `rtmps://` with host, app and stream name, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Output(String);

/// 1 to 16 outputs, none twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Output>")]
pub struct Outputs(Vec<Output>);

impl Output {
    /// As it was sent. May hold a stream key: for the client who sent it, never for a log.
    pub fn url(&self) -> &str {
        &self.0
    }

    /// The same for all ways to write one URL: a digest, because a key of the store is short.
    pub fn key(&self) -> String {
        crypto::sha256_hex(normalised(&self.0).expect("checked when it was made").as_bytes())
    }

    /// `app/name`, if it points to this host.
    pub fn place(&self) -> Option<String> {
        locate(&self.0).map(|place| format!("{}/{}", place.app, place.name))
    }

    /// Would this feed the channel with its own mix?
    pub fn is_loop(&self, channel: &Channel) -> bool {
        let endpoint_of = |place: String| place.rsplit_once('/').map(|(room, _)| room.to_owned());
        self.place().and_then(endpoint_of).is_some_and(|room| room == channel.room())
    }
}

impl Outputs {
    pub fn iter(&self) -> impl Iterator<Item = &Output> {
        self.0.iter()
    }
}

/// Why a text is no output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoOutput;

impl fmt::Display for NoOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is no list of distinct RTMP URLs")
    }
}

impl TryFrom<String> for Output {
    type Error = NoOutput;

    fn try_from(url: String) -> Result<Self, NoOutput> {
        let is_short = url.chars().count() <= URL_CHARS_MAX;
        let is_printable = !url.chars().any(|c| c.is_control() || c.is_whitespace());
        if is_short && is_printable && normalised(&url).is_some() { Ok(Self(url)) } else { Err(NoOutput) }
    }
}

impl TryFrom<Vec<Output>> for Outputs {
    type Error = NoOutput;

    fn try_from(outputs: Vec<Output>) -> Result<Self, NoOutput> {
        let is_repeated = |(at, output): (usize, &Output)| {
            outputs[..at].iter().any(|former| normalised(&former.0) == normalised(&output.0))
        };
        if !(1..=OUTPUTS_MAX).contains(&outputs.len()) || outputs.iter().enumerate().any(is_repeated) {
            return Err(NoOutput);
        }
        Ok(Self(outputs))
    }
}

/// Scheme and host in lower case, the scheme's own port dropped, all else byte by byte.
/// None: no URL that media can be pushed to.
fn normalised(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let own_port = match scheme.as_str() {
        "rtmp" => 1935,
        "rtmps" => 443,
        _ => return None,
    };
    let (authority, path) = rest.split_once('/')?;
    let (user, address) = authority.rsplit_once('@').map_or(("", authority), |(user, address)| (user, address));
    let (host, port) = split_port(address)?;
    let (app, stream) = path.split(['?', '#']).next()?.split_once('/')?;
    if host.is_empty() || app.is_empty() || stream.trim_matches('/').is_empty() {
        return None;
    }
    let user = if user.is_empty() { String::new() } else { format!("{user}@") };
    let port = port.filter(|port| *port != own_port).map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{user}{}{port}/{path}", host.to_ascii_lowercase()))
}

/// Host, and port if there is one. The colons of an IPv6 address stand in brackets.
fn split_port(address: &str) -> Option<(&str, Option<u16>)> {
    let host_len =
        if address.starts_with('[') { address.find(']')? + 1 } else { address.find(':').unwrap_or(address.len()) };
    let (host, port) = address.split_at(host_len);
    match port.strip_prefix(':') {
        None => port.is_empty().then_some((host, None)),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((host, Some(digits.parse().ok().filter(|port| *port > 0)?)))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_url_has_one_form() {
        for (url, want) in [
            ("rtmp://live.pingos.io/live/t5", Some("rtmp://live.pingos.io/live/t5")),
            ("RTMP://Live.Pingos.IO:1935/live/T5?Key=A", Some("rtmp://live.pingos.io/live/T5?Key=A")),
            ("rtmp://h:1936/live/t5", Some("rtmp://h:1936/live/t5")),
            ("rtmps://h:443/live/t5", Some("rtmps://h/live/t5")),
            ("rtmps://h:1935/live/t5", Some("rtmps://h:1935/live/t5")),
            ("rtmp://u:P@H/a/b/c", Some("rtmp://u:P@h/a/b/c")),
            ("rtmp://[::1]:1935/a/b", Some("rtmp://[::1]/a/b")),
            ("rtmp://h/a//b", Some("rtmp://h/a//b")),
            ("", None),
            ("http://h/a/b", None),
            ("srt://h/a/b", None),
            ("rtmp:/h/a/b", None),
            ("rtmp://h", None),
            ("rtmp://h/a", None),
            ("rtmp://h/a/", None),
            ("rtmp://h/a?x=/b", None),
            ("rtmp://h//b", None),
            ("rtmp:///a/b", None),
            ("rtmp://:1935/a/b", None),
            ("rtmp://h:x/a/b", None),
            ("rtmp://h:0/a/b", None),
            ("rtmp://h:65536/a/b", None),
            ("rtmp://[::1/a/b", None),
            ("rtmp://[::1]x/a/b", None),
            (" rtmp://h/a/b", None),
        ] {
            assert_eq!(normalised(url).as_deref(), want, "{url:?}");
        }
    }

    #[test]
    fn an_output_is_short_and_printable() {
        let long = |len: usize| format!("rtmp://h/a/{}", "x".repeat(len - "rtmp://h/a/".len()));
        for (url, want) in [
            (long(2048), true),
            (long(2049), false),
            ("rtmp://h/a/b c".into(), false),
            ("rtmp://h/a/b\n".into(), false),
        ] {
            assert_eq!(Output::try_from(url).is_ok(), want);
        }
    }
}
