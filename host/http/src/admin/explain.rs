//! `GET /explain?address=…` or `?room=…`, and `GET /dead-letters`: what is going on, as JSON.

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use heliu_control::Insight;
use heliu_model::{Address, RoomId};
use serde::Deserialize;

use crate::answer;

/// Both pages.
pub(super) fn routes(insight: Insight) -> Router {
    Router::new().route("/explain", get(explain)).route("/dead-letters", get(dead_letters)).with_state(insight)
}

/// What is asked for: exactly one of both.
#[derive(Debug, Deserialize)]
struct Question {
    /// As a client writes it, without host and query: `live/cam`.
    address: Option<String>,
    /// With its namespace: `mix/room`.
    room: Option<String>,
}

async fn explain(State(insight): State<Insight>, Query(question): Query<Question>) -> Response {
    let (told, unknown) = match (question.address, question.room) {
        (Some(address), None) => match Address::parse(&address) {
            Ok(address) => {
                (insight.explain_address(&address), "nobody has asked for this address, and nothing is there")
            }
            Err(error) => return answer::neutral(400, &error.to_string()),
        },
        (None, Some(room)) => match room.parse::<RoomId>() {
            Ok(room) => (insight.explain_room(&room), "nobody is in this room, and nothing is wished for it"),
            Err(error) => return answer::neutral(400, &error.to_string()),
        },
        (None, None) | (Some(_), Some(_)) => {
            return answer::neutral(400, "ask for ?address=app/name or for ?room=plugin/room");
        }
    };
    told.map_or_else(|| answer::neutral(404, unknown), |told| answer::json(200, &told))
}

async fn dead_letters(State(insight): State<Insight>) -> Response {
    answer::json(200, &insight.dead_letters())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_from_the_query() {
        for (query, want) in [
            ("/explain?address=live/cam", (Some("live/cam"), None)),
            ("/explain?address=live%2Fa%20b", (Some("live/a b"), None)),
            ("/explain?room=mix/r&address=a/b", (Some("a/b"), Some("mix/r"))),
            ("/explain", (None, None)),
        ] {
            let uri = query.parse().expect("a good URI");
            let Query(question) = Query::<Question>::try_from_uri(&uri).expect(query);
            assert_eq!((question.address.as_deref(), question.room.as_deref()), want, "{query}");
        }
    }

    #[test]
    fn a_look_is_plain_json() {
        let response = answer::json(200, &serde_json::Value::from("a\"b"));
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        assert_eq!((response.status().as_u16(), kind), (200, Some("application/json")));
    }
}
