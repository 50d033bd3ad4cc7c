//! When are two push targets the same?

const DEFAULT_PORTS: [(&str, &str); 2] = [("rtmp", "1935"), ("rtmps", "443")];

/// The URL as it is compared: scheme and host in lower case, without the scheme's own port; all else
/// byte by byte. What is no URL is compared as it is.
#[must_use]
pub fn normalised(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let scheme = scheme.to_ascii_lowercase();
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    let host = host.to_ascii_lowercase();
    let host = match host.rsplit_once(':') {
        Some((name, port)) if DEFAULT_PORTS.contains(&(&scheme, port)) => name,
        _ => &host,
    };
    format!("{scheme}://{user}{host}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_host_and_default_port_are_evened_out() {
        for (url, want) in [
            ("RTMP://Host.Example:1935/App/Key?X=1", "rtmp://host.example/App/Key?X=1"),
            ("rtmp://host.example/App/Key?X=1", "rtmp://host.example/App/Key?X=1"),
            ("rtmps://h:443/a/b", "rtmps://h/a/b"),
            ("rtmps://h:1935/a/b", "rtmps://h:1935/a/b"),
            ("rtmp://h:19350/a/b", "rtmp://h:19350/a/b"),
            ("rtmp://User:Pass@H:1935/a", "rtmp://User:Pass@h/a"),
            ("rtmp://[FE80::1]:1935/a", "rtmp://[fe80::1]/a"),
            ("rtmp://[fe80::1935]/a", "rtmp://[fe80::1935]/a"),
            ("rtmp://H", "rtmp://h"),
            ("rtmp://h/a//b/", "rtmp://h/a//b/"),
            ("rtmp://h/a%20b", "rtmp://h/a%20b"),
            ("Not a URL", "Not a URL"),
        ] {
            assert_eq!(normalised(url), want, "{url}");
        }
    }
}
