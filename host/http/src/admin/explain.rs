//! `GET /explain?address=…` or `?room=…`, and `GET /dead-letters`: what is going on, as JSON.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use heliu_control::Insight;
use heliu_model::{Address, IdError, RoomId, percent_decode};

use crate::answer;

const USAGE: &str = "ask for ?address=app/name or for ?room=plugin/room";

/// Both pages.
pub(super) fn routes(insight: Insight) -> Router {
    Router::new().route("/explain", get(explain)).route("/dead-letters", get(dead_letters)).with_state(insight)
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Question {
    /// As a client writes it, without host and query: `live/cam`.
    Address(Address),
    /// With its namespace: `mix/room`.
    Room(RoomId),
}

impl Question {
    /// The error says what is wrong with it.
    fn parse(query: &str) -> Result<Self, String> {
        let mut pairs = query.split('&').filter(|pair| !pair.is_empty());
        let (Some(pair), None) = (pairs.next(), pairs.next()) else { return Err(USAGE.to_owned()) };
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // Forms write a space as a plus.
        let value = percent_decode(&value.replace('+', " ")).ok_or("the value is not percent-encoded UTF-8")?;
        match name {
            "address" => Address::parse(&value).map(Self::Address).map_err(|error| error.to_string()),
            "room" => value.parse().map(Self::Room).map_err(|error: IdError| error.to_string()),
            _ => Err(USAGE.to_owned()),
        }
    }
}

async fn explain(State(insight): State<Insight>, RawQuery(query): RawQuery) -> Response {
    let (told, unknown) = match Question::parse(&query.unwrap_or_default()) {
        Ok(Question::Address(address)) => {
            (insight.explain_address(&address), "nobody has asked for this address, and nothing is there")
        }
        Ok(Question::Room(room)) => {
            (insight.explain_room(&room), "nobody is in this room, and nothing is wished for it")
        }
        Err(mistake) => return answer::neutral(400, &mistake),
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
        let address = |text| Ok(Question::Address(Address::parse(text).unwrap()));
        let encoded = || Err("the value is not percent-encoded UTF-8".to_owned());
        for (query, want) in [
            ("address=live/cam", address("live/cam")),
            ("address=live%2Fa%20b", address("live/a b")),
            ("address=live/a+b&", address("live/a b")),
            ("room=mix/r", Ok(Question::Room("mix/r".parse().unwrap()))),
            ("room=mix/r&address=a/b", Err(USAGE.to_owned())),
            ("address=a/b&address=c/d", Err(USAGE.to_owned())),
            ("adress=a/b", Err(USAGE.to_owned())),
            ("address=%ff%fe/x", encoded()),
            ("address=%f/x", encoded()),
            ("", Err(USAGE.to_owned())),
        ] {
            assert_eq!(Question::parse(query), want, "{query}");
        }
        assert!(Question::parse("address=live").is_err() && Question::parse("room=x").is_err());
    }

    #[test]
    fn a_look_is_plain_json() {
        let response = answer::json(200, &serde_json::Value::from("a\"b"));
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        assert_eq!((response.status().as_u16(), kind), (200, Some("application/json")));
    }
}
