//! Routes, extractors, refusals.

use heliu_sdk::fake::{Answer, FakeHost};
use heliu_sdk::{
    Error, Face, Grant, Header, HeaderValue, IntoResponse, Json, Path, Plugin, Query, Raw, Record, Refusal, Rejection,
    Response, Route, log, transaction,
};
use serde::Deserialize;
use serde_json::{Value, json};

const COUNT: Record<u32> = Record::new("count");

#[test]
fn extractors_take_their_part_or_name_the_place() {
    let mut host = FakeHost::new(plugin);
    for (method, path, header, body, want) in [
        ("GET", "/one/7", None, "", r#"200 7"#),
        ("GET", "/one/x", None, "", r#"400 "path.number: invalid type: string \"x\", expected u32""#),
        ("GET", "/two/a/7", None, "", r#"200 "a 7""#),
        ("GET", "/two/a/-7", None, "", r#"400 "path.number: invalid type: string \"-7\", expected u32""#),
        ("GET", "/query?page=2", None, "", "200 2"),
        ("GET", "/query?page=x", None, "", r#"400 "query.page: invalid type: string \"x\", expected u32""#),
        ("GET", "/query", None, "", r#"400 "query.page: is missing""#),
        ("GET", "/query?page=%", None, "", r#"400 "query: is badly escaped""#),
        ("GET", "/header", Some("3"), "", "200 3"),
        ("GET", "/header", Some("x"), "", r#"400 "header.x-size: is not well-formed""#),
        ("GET", "/header", None, "", r#"400 "header.x-size: is missing""#),
        ("GET", "/optional", None, "", "200 null"),
        ("GET", "/optional", Some("3"), "", "200 3"),
        ("POST", "/json", None, r#"{"list":[{"size":18446744073709551615}]}"#, "200 18446744073709551615"),
        ("POST", "/json", None, r#"{"list":[{}]}"#, r#"400 "body.list[0].size: is missing""#),
        ("POST", "/raw?x=%20", None, "body", r#"200 "/raw x=%20 4""#),
        ("GET", "/tail/a/b", None, "", r#"200 "a/b""#),
    ] {
        let headers: Vec<(&str, &str)> = header.map(|value| ("x-size", value)).into_iter().collect();
        let Answer { status, body } = host.request_with(method, path, &headers, body.as_bytes());
        assert_eq!(format!("{status} {body}"), want, "{method} {path}");
    }
}

#[test]
fn a_refusal_leaves_nothing_and_an_answer_stays() {
    let mut host = FakeHost::new(plugin);
    for (path, status, want) in [
        ("/count/ok", 200, Some(1)),
        ("/count/refuse", 409, Some(1)),
        ("/count/ok", 200, Some(2)),
        ("/count/commit-and-refuse", 409, Some(3)),
    ] {
        assert_eq!(host.request("POST", path, "").status, status, "{path}");
        assert_eq!(host.within(|| COUNT.get()), Ok(want), "{path}");
    }
    assert_eq!(host.log(), ["info refused why=refuse", "info refused why=commit-and-refuse"]);
}

#[test]
fn the_host_answers_in_the_shape_of_the_longest_face() {
    let mut host = FakeHost::new(plugin);
    for (method, path, body, status, want) in [
        ("GET", "/nothing", "", 404, r#"{"error":404}"#),
        ("PUT", "/raw", "", 400, r#"{"error":0}"#),
        ("POST", "/raw", "12345678901", 400, r#"{"error":0}"#),
        ("GET", "/v1/nothing", "", 404, r#"{"v1":404}"#),
        ("GET", "/one/7/", "", 200, "7"),
    ] {
        assert_eq!(host.request(method, path, body), Answer { status, body: want.to_owned() }, "{method} {path}");
    }
}

#[test]
fn a_refused_attempt_leaves_nothing() {
    let mut host = FakeHost::new(plugin);
    assert_eq!(host.publish("app/closed").map_err(|refusal| refusal.status), Err(403));
    assert_eq!(host.within(|| COUNT.get()), Ok(None));
    assert_eq!(host.publish("app/open").map(|grant| grant.room), Ok("room".to_owned()));
    assert_eq!(host.within(|| COUNT.get()), Ok(Some(1)));
}

fn plugin() -> Plugin {
    Plugin::new("test", "0")
        .get("/one/{number}", "one", |Path(number): Path<u32>| answer(number))
        .get("/two/{name}/{number}", "two", |Path(two): Path<Two>| answer(format!("{} {}", two.name, two.number)))
        .get("/query", "query", |Query(page): Query<Page>| answer(page.page))
        .get("/header", "header", |Header(Size(size)): Header<Size>| answer(size))
        .get("/optional", "optional", |size: Option<Header<Size>>| answer(size.map(|Header(Size(size))| size)))
        .post("/raw", "raw", raw)
        .body_bytes_max(10)
        .post("/json", "json", |Json(body): Json<Body>| answer(body.list[0].size))
        .post("/count/{then}", "count", count)
        .route(Route::new("GET", "/tail/{rest...}", "tail", |Path(rest): Path<String>| answer(rest)).time_ms_max(1))
        .face(|| Face::new("/").fault(404, 404, &json!({ "error": 404 })).fault(0, 400, &json!({ "error": 0 })))
        .face(|| Face::new("/v1").fault(404, 404, &json!({ "v1": 404 })))
        .admit(&["app"], |attempt| {
            COUNT.put(&1)?;
            match attempt.segments().as_slice() {
                ["open"] => Ok(Grant::new("room", "somebody", "camera")),
                _ => Err(Refusal::new(403, "closed")),
            }
        })
}

fn answer<T: Into<Value>>(value: T) -> Result<Json<Value>, Trouble> {
    Ok(Json(value.into()))
}

fn raw(Raw(request): Raw) -> Result<Json<Value>, Trouble> {
    answer(format!("{} {} {}", request.path, request.query.unwrap_or_default(), request.body.len()))
}

fn count(Path(then): Path<String>) -> Result<Response, Trouble> {
    COUNT.put(&(COUNT.get()?.unwrap_or(0) + 1))?;
    if then == "ok" {
        return Ok(Response::empty(200));
    }
    if then == "commit-and-refuse" {
        transaction::commit()?;
    }
    log::info("refused", &[("why", &then)]);
    Err(Trouble::Refused)
}

#[derive(Deserialize)]
struct Two {
    name: String,
    number: u32,
}

#[derive(Deserialize)]
struct Page {
    page: u32,
}

#[derive(Deserialize)]
struct Body {
    list: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    size: u64,
}

struct Size(u32);

impl HeaderValue for Size {
    const NAME: &'static str = "x-size";

    fn parse(value: &str) -> Option<Self> {
        value.parse().ok().map(Self)
    }
}

enum Trouble {
    Rejected(Rejection),
    Refused,
    Host,
}

impl From<Rejection> for Trouble {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Error> for Trouble {
    fn from(_: Error) -> Self {
        Self::Host
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        match self {
            Self::Rejected(rejection) => Response::json(400, &rejection.to_string()),
            Self::Refused => Response::empty(409),
            Self::Host => Response::empty(500),
        }
    }
}
