//! The admin listener over real sockets.

use futures_util::future::BoxFuture;
use heliu_plugin::RollbackError;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

#[tokio::test]
async fn only_who_calls_it_by_its_own_name_is_answered() {
    let admin = Admin::start(&["Ops.Example", "10.1.2.3"]).await;
    for (host, want) in [
        ("127.0.0.1", "200"),
        ("127.0.0.1:8081", "200"),
        ("127.3.2.1", "200"),
        ("localhost:1", "200"),
        ("LOCALHOST.", "200"),
        ("[::1]:8081", "200"),
        ("ops.example:8081", "200"),
        ("10.1.2.3:8081", "200"),
        ("10.1.2.4", "403"),
        ("evil.example", "403"),
        ("evil.example:8081", "403"),
        ("127.0.0.1.evil.example", "403"),
        ("localhost.evil.example", "403"),
        ("localhost@evil.example", "400"),
        ("a b", "400"),
        ("", "403"),
    ] {
        let answer = admin.ask(&format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\n")).await;
        assert_eq!(status(&answer), want, "{host}: {answer}");
    }
    assert_eq!(status(&admin.ask("GET /healthz HTTP/1.0\r\n").await), "403", "no name at all");
}

#[tokio::test]
async fn an_order_needs_a_header_that_no_form_can_send() {
    let admin = Admin::start(&[]).await;
    for (request, want) in [
        ("POST /nothing HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n", "403"),
        ("DELETE /nothing HTTP/1.1\r\nhost: localhost\r\n", "403"),
        ("POST /nothing HTTP/1.1\r\nhost: localhost\r\nx-heliu-admin: 1\r\ncontent-length: 0\r\n", "404"),
        ("POST /nothing HTTP/1.1\r\nhost: evil.example\r\nx-heliu-admin: 1\r\ncontent-length: 0\r\n", "403"),
        ("GET /nothing HTTP/1.1\r\nhost: localhost\r\n", "404"),
        ("POST /healthz HTTP/1.1\r\nhost: localhost\r\nx-heliu-admin: 1\r\ncontent-length: 0\r\n", "405"),
    ] {
        assert_eq!(status(&admin.ask(request).await), want, "{request}");
    }
}

#[tokio::test]
async fn no_foreign_page_may_read_an_answer() {
    let admin = Admin::start(&[]).await;
    for method in ["GET", "OPTIONS"] {
        let request = format!("{method} /healthz HTTP/1.1\r\nhost: localhost\r\norigin: https://evil.example\r\n");
        let answer = admin.ask(&request).await;
        assert!(!answer.to_ascii_lowercase().contains("access-control"), "{answer}");
    }
}

#[tokio::test]
async fn it_says_when_the_host_is_ready() {
    let admin = Admin::start(&[]).await;
    for (is_ready, want) in [(false, "503"), (true, "200")] {
        admin.readiness.set(is_ready);
        assert_eq!(status(&admin.ask("GET /readyz HTTP/1.1\r\nhost: localhost\r\n").await), want);
    }
}

#[tokio::test]
async fn components_are_listed_and_gone_back_from() {
    let admin = Admin::start(&[]).await;
    let list = admin.ask("GET /plugins HTTP/1.1\r\nhost: localhost\r\n").await;
    assert!(list.ends_with(r#"[{"plugin":"a"},{"plugin":"b"}]"#), "{list}");
    for (path, status_wanted, body) in [
        ("/plugins/a/rollback", "200", r#"{"plugin":"a"}"#),
        ("/plugins/b/rollback", "409", r#"{"error":"plugin b has no component to go back to"}"#),
        ("/plugins/c/rollback", "404", r#"{"error":"there is no plugin c"}"#),
        ("/plugins/a%22/rollback", "404", r#"{"error":"there is no plugin a\""}"#),
    ] {
        let order = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nx-heliu-admin: 1\r\ncontent-length: 0\r\n");
        let answer = admin.ask(&order).await;
        assert_eq!(status(&answer), status_wanted, "{path}: {answer}");
        assert!(answer.ends_with(body), "{path}: {answer}");
        assert_eq!(status(&admin.ask(&order.replace("x-heliu-admin: 1\r\n", "")).await), "403", "{path}");
        assert_eq!(status(&admin.ask(&order.replace("POST", "GET")).await), "405", "{path}");
    }
}

/// Two plugins; the first one can go back.
struct Two;

impl Generations for Two {
    fn list(&self) -> Vec<Value> {
        vec![json!({ "plugin": "a" }), json!({ "plugin": "b" })]
    }

    fn rollback<'a>(&'a self, plugin: &'a str) -> BoxFuture<'a, Result<(), RollbackError>> {
        Box::pin(async move {
            match plugin {
                "a" => Ok(()),
                "b" => Err(RollbackError::NothingBefore("b".parse().expect("it is a name"))),
                _ => Err(RollbackError::Unknown(plugin.to_owned())),
            }
        })
    }
}

/// A running admin listener.
struct Admin {
    server: Server,
    readiness: Readiness,
}

impl Admin {
    async fn start(hosts: &[&str]) -> Self {
        let readiness = Readiness::default();
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let config = AdminConfig { listen: ([127, 0, 0, 1], 0).into(), hosts };
        let pages = health::routes(readiness.clone()).merge(generations::routes(Arc::new(Two)));
        let server = serve(config, pages).await.expect("a free port");
        Self { server, readiness }
    }

    /// The answer to a request whose head is `head`, as received.
    async fn ask(&self, head: &str) -> String {
        let mut stream = TcpStream::connect(self.server.addresses()[0]).await.expect("it listens");
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        answer
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}
