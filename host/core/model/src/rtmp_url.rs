//! `rtmp://host[:port]/app[/…]/stream[?query]`.
//!
//! The app is everything up to the last `/` of the path, the stream name the rest with its query: what
//! nginx-rtmp, SRS and this host itself expect of a publisher.

/// Why a text is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Neither `rtmp://` nor `rtmps://`.
    #[error("the URL is neither rtmp:// nor rtmps://")]
    Scheme,
    /// No host, user information, or characters a host cannot have.
    #[error("the URL names no host")]
    Host,
    /// Not a number from 1 to 65535.
    #[error("the URL's port is no port")]
    Port,
    /// No app, or no stream name.
    #[error("the URL needs an app and a stream name")]
    Path,
    /// A space, a `#` or a control character, or over 2048 bytes.
    #[error("the URL holds characters it must not, or is too long")]
    Text,
}

const LEN_MAX: usize = 2_048;

/// A target to push to. Its `Debug` hides app, stream and query: stream keys are secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct RtmpUrl {
    is_tls: bool,
    host: String,
    port: u16,
    app: String,
    stream: String,
}

impl RtmpUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// It is not one; see [`UrlError`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > LEN_MAX || text.chars().any(|c| c.is_control() || c == ' ' || c == '#') {
            return Err(UrlError::Text);
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "rtmp" => false,
            "rtmps" => true,
            _ => return Err(UrlError::Scheme),
        };
        let (authority, path) = rest.split_once('/').ok_or(UrlError::Path)?;
        let (host, port) = split_authority(authority)?;
        let port = match port {
            Some(port) => port.parse().ok().filter(|&port| port != 0).ok_or(UrlError::Port)?,
            None => default_port(is_tls),
        };
        let (app, stream) = split_path(path)?;
        Ok(Self { is_tls, host: host.to_ascii_lowercase(), port, app: app.to_owned(), stream: stream.to_owned() })
    }

    /// `rtmps://`?
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Lower case; an IPv6 address in its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// 1935, or 443 with TLS, unless told.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All segments of the path but the last.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.app
    }

    /// Last segment of the path with the query.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// `text` without the stream name and query of `url`, wherever they stand in it as words of their
    /// own: what a target says about itself may repeat the key it was given.
    #[must_use]
    pub fn hide_key(url: &str, text: &str) -> String {
        let after_app = url.split_once('?').map_or(url, |(path, _)| path).rsplit_once('/').map_or("", |(_, name)| name);
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let values = query.split('&').filter_map(|pair| pair.split_once('=').map(|(_, value)| value));
        // The longest first: a value stands in its query.
        let keys = [query, after_app].into_iter().chain(values).filter(|key| !key.is_empty());
        keys.fold(text.to_owned(), |text, key| hide_word(&text, key))
    }

    /// `rtmp://host:port/app`, as `connect` carries it.
    #[must_use]
    pub fn tc_url(&self) -> String {
        let scheme = if self.is_tls { "rtmps" } else { "rtmp" };
        let port = if self.port == default_port(self.is_tls) { String::new() } else { format!(":{}", self.port) };
        format!("{scheme}://{}{port}/{}", self.host, self.app)
    }
}

impl std::fmt::Debug for RtmpUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RtmpUrl({}:{}/…)", self.host, self.port)
    }
}

fn default_port(is_tls: bool) -> u16 {
    if is_tls { 443 } else { 1935 }
}

fn hide_word(text: &str, word: &str) -> String {
    let mut hidden = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, from) = rest.split_at(at);
        let after = &from[word.len()..];
        let touches = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
        let is_part =
            touches(before.chars().next_back().or(hidden.chars().next_back())) || touches(after.chars().next());
        hidden += before;
        hidden += if is_part { word } else { "…" };
        rest = after;
    }
    hidden + rest
}

fn split_authority(authority: &str) -> Result<(&str, Option<&str>), UrlError> {
    if authority.contains('@') {
        return Err(UrlError::Host);
    }
    let bracketed = authority.starts_with('[');
    let end = if bracketed { authority.find(']').ok_or(UrlError::Host)? + 1 } else { 0 };
    let (host, port) = match authority[end..].find(':') {
        Some(colon) => (&authority[..end + colon], Some(&authority[end + colon + 1..])),
        None => (authority, None),
    };
    let may_stand = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_') || (bracketed && "[]:%".contains(c));
    if host.is_empty() || !host.chars().all(may_stand) || (bracketed && host.len() != end) {
        return Err(UrlError::Host);
    }
    Ok((host, port))
}

fn split_path(path: &str) -> Result<(&str, &str), UrlError> {
    let plain = path.find('?').map_or(path, |query| &path[..query]);
    let slash = plain.rfind('/').ok_or(UrlError::Path)?;
    let (app, stream) = (&path[..slash], &path[slash + 1..]);
    if app.trim_matches('/').is_empty() || stream.is_empty() || stream.starts_with('?') {
        return Err(UrlError::Path);
    }
    Ok((app, stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_targets_words_are_told_without_the_key() {
        let url = "rtmp://h/live/abc?token=t0k-en&x=1";
        for (text, want) in [
            ("no such stream: abc", "no such stream: …"),
            ("live/abc?token=t0k-en&x=1 is taken", "live/…?… is taken"),
            ("bad token t0k-en", "bad token …"),
            ("abcd, xabc and abc.", "abcd, xabc and …."),
            ("all is well", "all is well"),
            ("", ""),
        ] {
            assert_eq!(RtmpUrl::hide_key(url, text), want, "{text}");
        }
        assert_eq!(RtmpUrl::hide_key("nonsense", "text"), "text");
    }

    #[test]
    fn urls_are_cut_at_the_last_segment() {
        for (text, want) in [
            ("rtmp://H/live/t5", Ok(("h", 1935, "live", "t5"))),
            ("RTMP://h.example:1936/a/b/c?k=1/2", Ok(("h.example", 1936, "a/b", "c?k=1/2"))),
            ("rtmps://h/live/t5", Ok(("h", 443, "live", "t5"))),
            ("rtmp://[::1]:1935/live/x", Ok(("[::1]", 1935, "live", "x"))),
            ("http://h/live/t5", Err(UrlError::Scheme)),
            ("rtmp:///live/t5", Err(UrlError::Host)),
            ("rtmp://u:p@h/live/t5", Err(UrlError::Host)),
            ("rtmp://h:0/live/t5", Err(UrlError::Port)),
            ("rtmp://h:x/live/t5", Err(UrlError::Port)),
            ("rtmp://h/live", Err(UrlError::Path)),
            ("rtmp://h/live/", Err(UrlError::Path)),
            ("rtmp://h", Err(UrlError::Path)),
            ("rtmp://h/live/a b", Err(UrlError::Text)),
            ("rtmp://h/live/a#b", Err(UrlError::Text)),
            ("", Err(UrlError::Scheme)),
        ] {
            let got = RtmpUrl::parse(text);
            let got = got.as_ref().map(|url| (url.host(), url.port(), url.app(), url.stream())).map_err(|error| *error);
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn keys_do_not_reach_a_log() {
        let url = RtmpUrl::parse("rtmp://h/live/secret?key=1").unwrap();
        assert_eq!(format!("{url:?}"), "RtmpUrl(h:1935/…)");
    }
}
