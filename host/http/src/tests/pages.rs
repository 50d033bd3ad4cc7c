//! Pages for people: complete, and forbidden to reach anywhere else.

use super::Edge;

#[tokio::test]
async fn a_page_is_served_with_its_policy() {
    let edge = Edge::start().await;
    for (path, content_type) in [
        ("/-/publish", "text/html; charset=utf-8"),
        ("/-/play?address=live/a", "text/html; charset=utf-8"),
        ("/-/publish.js", "text/javascript; charset=utf-8"),
        ("/-/play.js", "text/javascript; charset=utf-8"),
        ("/-/session.js", "text/javascript; charset=utf-8"),
        ("/-/style.css", "text/css; charset=utf-8"),
    ] {
        let answer = edge.ask(&format!("GET {path} HTTP/1.1"), "", "").await;
        assert_eq!((answer.status, answer.head.get("content-type")), (200, Some(content_type)), "{path}");
        assert!(answer.head.get("content-security-policy").unwrap().starts_with("default-src 'none'; "), "{path}");
        assert_eq!(answer.head.get("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(answer.body.len() > 200, "{path}");
    }
    for (request, status) in
        [("POST /-/publish HTTP/1.1", 405), ("HEAD /-/publish HTTP/1.1", 200), ("GET /-/publish/ HTTP/1.1", 404)]
    {
        assert_eq!(edge.ask(request, "", "").await.status, status, "{request}");
    }
}

#[tokio::test]
async fn a_page_names_only_files_that_there_are() {
    let edge = Edge::start().await;
    for path in ["/-/publish", "/-/play"] {
        let page = edge.ask(&format!("GET {path} HTTP/1.1"), "", "").await.body;
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("style="), "{path}");
        let quoted = page.split('"').skip(1).step_by(2);
        let named: Vec<&str> = quoted.filter(|text| text.starts_with("/-/")).collect();
        assert!(named.len() >= 2, "{path}: {named:?}");
        for name in named {
            assert_eq!(edge.ask(&format!("GET {name} HTTP/1.1"), "", "").await.status, 200, "{path}: {name}");
        }
    }
}
