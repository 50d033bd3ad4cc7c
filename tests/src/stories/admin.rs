//! What operators see of a running host.

use crate::server::{Server, call};

#[test]
fn operators_have_a_door_of_their_own() {
    let server = Server::start();
    for (what, method, path, headers, want) in [
        ("ready", "GET", "/readyz", [("accept", "*/*")], 200),
        ("a plugin's path is nothing here", "GET", "/mixer/living", [("accept", "*/*")], 404),
        ("an order from a form", "POST", "/mixer/living", [("content-type", "text/plain")], 403),
        ("an order", "POST", "/mixer/living", [("x-heliu-admin", "1")], 404),
    ] {
        assert_eq!(call(server.admin(), method, path, &headers, b"").status, want, "{what}");
    }
}
