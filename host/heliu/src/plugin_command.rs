//! `heliu plugin …`: asks the running host of this configuration over its admin listener.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::config::Config;

/// A component that is gone back to may have to be compiled.
const ANSWER_WITHIN: Duration = Duration::from_secs(240);
const ANSWER_LEN_MAX: usize = 1 << 20;

/// One plugin as the host tells it.
#[derive(Debug, Deserialize)]
struct Entry {
    plugin: String,
    state: String,
    generation: u64,
    component: String,
    version: String,
    /// Milliseconds since the Unix epoch.
    since: u64,
    calls: u64,
    refusal: Option<String>,
}

/// Why the host did not do it.
#[derive(Debug, Deserialize)]
struct Trouble {
    error: String,
}

/// Prints a table of all plugins.
///
/// # Errors
/// Nobody listens, or no heliu.
pub fn list(config: &Path) -> Result<()> {
    let entries: Vec<Entry> = ask(config, Method::GET, "/plugins")?;
    print!("{}", table(&entries, now_ms()));
    Ok(())
}

/// Lets the component that served before serve again.
///
/// # Errors
/// Nobody listens, there is no such plugin, or nothing to go back to.
pub fn rollback(config: &Path, plugin: &str) -> Result<()> {
    let entry: Entry = ask(config, Method::POST, &format!("/plugins/{plugin}/rollback"))?;
    println!("{} serves with component {} ({})", entry.plugin, entry.component, entry.state);
    Ok(())
}

/// One line for each plugin, and one more for what was refused.
fn table(entries: &[Entry], now_ms: u64) -> String {
    let head = ["PLUGIN", "STATE", "GENERATION", "COMPONENT", "VERSION", "SINCE", "CALLS"].map(str::to_owned);
    let rows = entries.iter().map(|entry| {
        let Entry { plugin, state, generation, component, version, since, calls, .. } = entry;
        let since = ago(Duration::from_millis(now_ms.saturating_sub(*since)));
        [
            plugin.clone(),
            state.clone(),
            generation.to_string(),
            component.clone(),
            version.clone(),
            since,
            calls.to_string(),
        ]
    });
    let rows: Vec<[String; 7]> = std::iter::once(head).chain(rows).collect();
    let widths: [usize; 7] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text += "\n";
    }
    for refusal in entries.iter().filter_map(|entry| entry.refusal.as_ref()) {
        text += &format!("refused: {refusal}\n");
    }
    text
}

fn ago(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn ask<T: for<'a> Deserialize<'a>>(config: &Path, method: Method, path: &str) -> Result<T> {
    let address = admin_address(&Config::load(config)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async { tokio::time::timeout(ANSWER_WITHIN, send(address, method, path)).await });
    let (is_done, body) = answer.context("the host does not answer")??;
    if is_done {
        return serde_json::from_slice(&body).context("the host answers something else");
    }
    match serde_json::from_slice::<Trouble>(&body) {
        Ok(trouble) => bail!("{}", trouble.error),
        Err(_) => bail!("the host answers something else"),
    }
}

/// Where the host of this configuration is asked, from this machine.
fn admin_address(config: &Config) -> Result<SocketAddr> {
    let Some(admin) = &config.admin else { bail!("the configuration has no [admin] listener") };
    let mut address = admin.listen;
    if address.port() == 0 {
        bail!("the port of [admin] is a free one; say which by HELIU_ADMIN__LISTEN");
    }
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => [127, 0, 0, 1].into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(address)
}

async fn send(to: SocketAddr, method: Method, path: &str) -> Result<(bool, Bytes)> {
    let stream = TcpStream::connect(to).await.with_context(|| format!("no heliu listens on http://{to}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, to.to_string())
        .header("x-heliu-admin", "1")
        .body(Empty::<Bytes>::new())
        .context("this is no name of a plugin")?;
    let answer = sender.send_request(request).await.context("the host broke off")?;
    let is_done = answer.status().is_success();
    let body = Limited::new(answer.into_body(), ANSWER_LEN_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
    drop(sender);
    connection.abort();
    Ok((is_done, body.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_for_people() {
        let entry = |plugin: &str, state: &str, since, refusal: Option<&str>| Entry {
            plugin: plugin.into(),
            state: state.into(),
            generation: 3,
            component: "0123456789ab".into(),
            version: "0.1.0".into(),
            since,
            calls: 12_345,
            refusal: refusal.map(str::to_owned),
        };
        let text =
            table(&[entry("mix", "serving", 0, None), entry("b", "refused", 93_780_000, Some("why"))], 93_785_000);
        let want = [
            "PLUGIN  STATE    GENERATION  COMPONENT     VERSION  SINCE  CALLS",
            "mix     serving  3           0123456789ab  0.1.0    1d 2h  12345",
            "b       refused  3           0123456789ab  0.1.0    5s     12345",
            "refused: why",
            "",
        ];
        assert_eq!(text, want.join("\n"));
    }
}
