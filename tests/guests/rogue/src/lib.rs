//! A personality that misbehaves on request: each route breaks one rule of the contract.
//!
//! The stories load it beside a good one and look that nobody else notices. It also leaves a canary in
//! its memory and looks for one, to show that no instance finds what another one left.

mod heap;

use heliu_sdk::{Error, Face, Grant, IntoResponse, Path, Plugin, Rejection, Response};
use serde_json::json;

/// The personality.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::new("rogue", env!("CARGO_PKG_VERSION"))
        .face(face)
        .get("/rogue/{how}", "misbehave", misbehave)
        .admit(&[], |attempt| Ok(Grant::new("room", "anybody", &attempt.name)))
        .on_event(&["publication.started"], |_| Err(Error::Unavailable("as ordered".to_owned())))
}

fn face() -> Face {
    Face::new("/").fault(0, 500, &json!({"fault": "{message}"})).fault(503, 503, &json!({"fault": "busy"})).fault(
        504,
        504,
        &json!({"fault": "late"}),
    )
}

struct Trouble;

impl From<Rejection> for Trouble {
    fn from(_: Rejection) -> Self {
        Self
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        Response::text(400, "trouble")
    }
}

enum Behaved {
    /// Nothing to tell.
    Well,
    /// How many canaries lay about.
    Saw(usize),
    /// An answer of so many bytes.
    Talked(usize),
}

impl IntoResponse for Behaved {
    fn into_response(self) -> Response {
        match self {
            Self::Well => Response::json(200, &json!({"rogue": "behaved"})),
            Self::Saw(canaries) => Response::json(200, &json!({"rogue": "looked", "canaries": canaries})),
            Self::Talked(len) => Response::text(200, &"x".repeat(len)),
        }
    }
}

/// `GET /rogue/{how}`: what is broken; anything unknown is answered.
fn misbehave(Path(how): Path<String>) -> Result<Behaved, Trouble> {
    match how.as_str() {
        "trap" => panic!("as ordered"),
        "loop" => spin(),
        "grow" => grow(),
        "flood" => flood(),
        "talk" => return Ok(Behaved::Talked(9 << 20)),
        "talk-more" => return Ok(Behaved::Talked(40 << 20)),
        "corrupt" => heap::corrupt(),
        "leave" => heap::leave_canaries(),
        "look" => return Ok(Behaved::Saw(heap::count_canaries())),
        _ => {}
    }
    Ok(Behaved::Well)
}

/// Host calls without end.
fn flood() {
    let mut seen = 0_u64;
    while seen != u64::MAX {
        seen = heliu_sdk::ambient::random(4_096).iter().map(|byte| u64::from(*byte)).sum();
    }
}

fn spin() {
    let mut count = 0_u64;
    while std::hint::black_box(count) != u64::MAX {
        count = count.wrapping_add(2);
    }
}

fn grow() {
    let mut heap: Vec<Vec<u8>> = Vec::new();
    while heap.len() < 1_000 {
        heap.push(std::hint::black_box(vec![7; 1 << 20]));
    }
}

heliu_sdk::export!(plugin);
