//! How many files this process may have open: each connection is one.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Listeners, the store, components, sockets of our own.
const OTHERS: u64 = 256;

/// Raises the soft bound to the hard one; says so if even that is less than all clients together may
/// need, `viewers_max` over HTTP among them.
pub fn raise_bound(viewers_max: u32) {
    let connections_max = heliu_media::CONNECTIONS_MAX + heliu_http::Config::default().connections_max;
    let needed = connections_max as u64 + u64::from(viewers_max) + OTHERS;
    match raise() {
        Ok(Some(files)) if files < needed => {
            tracing::warn!(files, needed, "fewer open files than connections: raise the hard limit (ulimit -Hn)");
        }
        Ok(files) => tracing::debug!(files, "open files"),
        Err(error) => tracing::warn!(%error, "cannot raise the bound of open files"),
    }
}

/// The bound from here on; `None`: there is none.
fn raise() -> io::Result<Option<u64>> {
    let allowed = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: allowed, maximum: allowed })?;
    Ok(allowed)
}
