//! By which URLs and addresses this host is meant.

use std::net::{IpAddr, SocketAddr};

use heliu_model::{Address, RtmpUrl};

/// By which URLs this host is meant.
#[derive(Debug, Clone, Default)]
pub struct OwnNames {
    plain: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    names: Vec<String>,
}

impl OwnNames {
    /// From the bound listeners, without and with TLS (their ports are real by then), and the configured
    /// names.
    #[must_use]
    pub fn new(plain: Option<SocketAddr>, tls: Option<SocketAddr>, names: &[String]) -> Self {
        Self { plain, tls, names: names.iter().map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// The address behind a URL that points to one of our listeners; no name is looked up.
    #[must_use]
    pub fn locate(&self, url: &str) -> Option<Address> {
        let url = RtmpUrl::parse(url).ok()?;
        let listener = if url.is_tls() { self.tls } else { self.plain };
        let listener = listener.filter(|listener| listener.port() == url.port())?;
        self.is_own_host(url.host(), listener).then_some(())?;
        Address::from_rtmp(url.app(), url.stream()).ok().map(|(address, _)| address)
    }

    /// Does a connection from `local` to `peer` end at our own listener? Catches what no comparison of
    /// names can: other spellings, and names that resolve to us.
    #[must_use]
    pub fn is_own_socket(&self, local: SocketAddr, peer: SocketAddr) -> bool {
        let is_ours = |listener: SocketAddr| {
            let (local, peer) = (local.ip().to_canonical(), peer.ip().to_canonical());
            let ip = listener.ip().to_canonical();
            peer == ip || (ip.is_unspecified() && (peer.is_loopback() || peer == local))
        };
        [self.plain, self.tls].into_iter().flatten().any(|own| own.port() == peer.port() && is_ours(own))
    }

    fn is_own_host(&self, host: &str, listener: SocketAddr) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        if self.names.contains(&host) {
            return true;
        }
        let own = listener.ip().to_canonical();
        match host.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
            // Connecting to no address in particular reaches this machine.
            Ok(ip) if ip.is_unspecified() => true,
            Ok(ip) if own.is_unspecified() => ip.is_loopback(),
            Ok(ip) => ip == own,
            Err(_) => host == "localhost" && (own.is_loopback() || own.is_unspecified()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_is_known_under_its_spellings() {
        let names = OwnNames::new(
            Some(([127, 0, 0, 1], 1935).into()),
            Some(([127, 0, 0, 1], 443).into()),
            &["Media.Example".to_owned()],
        );
        for (url, want) in [
            ("rtmp://127.0.0.1/live/x", true),
            ("rtmp://127.0.0.1:1935/live/x", true),
            ("rtmp://localhost/live/x", true),
            ("rtmp://LOCALHOST./live/x", true),
            ("rtmp://0.0.0.0/live/x", true),
            ("rtmp://[::ffff:127.0.0.1]/live/x", true),
            ("rtmp://media.example/live/x", true),
            ("rtmp://127.0.0.1:1936/live/x", false),
            ("rtmps://127.0.0.1:1935/live/x", false),
            ("rtmp://127.0.0.1:443/live/x", false),
            ("rtmps://localhost/live/x", true),
            ("rtmps://media.example:443/live/x", true),
            ("rtmps://other.example/live/x", false),
            ("rtmp://other.example/live/x", false),
            ("rtmp://127.0.0.2/live/x", false),
            ("rtmp://127.0.0.1/live", false),
        ] {
            assert_eq!(names.locate(url).is_some(), want, "{url}");
        }
    }

    #[test]
    fn a_connection_to_our_own_listener_is_recognised() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        for (listener, local, peer, want) in [
            ("127.0.0.1:1935", "127.0.0.1:4000", "127.0.0.1:1935", true),
            ("127.0.0.1:1935", "127.0.0.1:4000", "127.0.0.1:1936", false),
            ("0.0.0.0:1935", "10.0.0.7:4000", "10.0.0.7:1935", true),
            ("0.0.0.0:1935", "127.0.0.1:4000", "127.0.0.2:1935", true),
            ("0.0.0.0:1935", "10.0.0.7:4000", "10.0.0.8:1935", false),
            ("127.0.0.1:1935", "0.0.0.0:0", "127.0.0.1:1935", true),
            ("0.0.0.0:1935", "0.0.0.0:0", "10.0.0.7:1935", false),
        ] {
            for names in [OwnNames::new(Some(at(listener)), None, &[]), OwnNames::new(None, Some(at(listener)), &[])] {
                assert_eq!(names.is_own_socket(at(local), at(peer)), want, "{listener}: {local} to {peer}");
            }
        }
    }
}
