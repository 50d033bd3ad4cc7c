//! The four calls a host makes: what each hands over, and what its answer means.

use std::time::Duration;

use heliu_model::{Attempt, Direction, Grant, Takeover};
use heliu_store::{Collection, Key};

use crate::bindings::exported::{admission, events};
use crate::bindings::http;
use crate::bindings::types::{Error, Field};
use crate::call::{Call, Delivery};
use crate::describe::{is_token, is_value};
use crate::exchange::{Request, Response};
use crate::fault::Fault;
use crate::happening::{Alarm, PluginEvent};
use crate::instances::Living;
use crate::run::{Invocation, Outcome};
use crate::wish::{millis, options};

const WAIT_MS_MAX: u32 = 120_000;
const HOLD_MS_MAX: u32 = 3_600_000;
const HEADERS_LEN_MAX: usize = 128;

/// `requests.handle-request`.
pub(crate) struct HandleRequest {
    id: String,
    request: http::Request,
    len_max: usize,
}

impl HandleRequest {
    pub(crate) fn new(request: Request, len_max: usize) -> Self {
        let id = request.id.clone();
        let request = http::Request {
            id: request.id,
            route: request.route,
            method: request.method,
            scheme: request.scheme,
            authority: request.authority,
            path: request.path,
            query: request.query,
            params: fields(request.params),
            headers: fields(request.headers),
            peer: request.peer,
            body: request.body,
        };
        Self { id, request, len_max }
    }
}

impl Invocation for HandleRequest {
    type Answer = Response;

    fn name(&self) -> (&'static str, &str) {
        ("handle-request", &self.id)
    }

    async fn invoke(&self, living: &mut Living) -> wasmtime::Result<Outcome<Response>> {
        let (guest, store) = living.requests()?;
        let response = guest.call_handle_request(store, &self.request).await?;
        Ok(answer(response, self.len_max).map_or_else(Outcome::Discard, Outcome::Commit))
    }
}

fn answer(response: http::Response, len_max: usize) -> Result<Response, Fault> {
    let body = match response.body {
        http::Body::Empty => Vec::new(),
        http::Body::Bytes(bytes) if bytes.len() <= len_max => bytes,
        http::Body::Bytes(_) => return Err(Fault::ResponseTooLarge),
        // Assets and recordings are not served by this host.
        http::Body::Asset(_) | http::Body::Recording(_) => return Err(Fault::BadResponse),
    };
    let headers: Vec<(String, String)> = response.headers.into_iter().map(|field| (field.name, field.value)).collect();
    let are_headers = headers.iter().all(|(name, value)| is_token(name) && is_value(value));
    if !(200..=599).contains(&response.status) || headers.len() > HEADERS_LEN_MAX || !are_headers {
        return Err(Fault::BadResponse);
    }
    Ok(Response { status: response.status, headers, body })
}

/// `admission.admit`.
pub(crate) struct Admit {
    attempt: admission::Attempt,
}

/// What `admit` says.
pub(crate) type Admission = Result<Grant, heliu_model::Refusal>;

impl Admit {
    pub(crate) fn new(attempt: &Attempt) -> Self {
        let attempt = admission::Attempt {
            id: attempt.id.clone(),
            protocol: attempt.protocol.to_owned(),
            direction: match attempt.direction {
                Direction::Publish => admission::Direction::Publish,
                Direction::Play => admission::Direction::Play,
            },
            authority: attempt.authority.clone(),
            app: attempt.address.app().to_owned(),
            name: attempt.address.name().to_owned(),
            query: attempt.query.clone(),
            headers: fields(attempt.headers.clone()),
            peer: attempt.peer.clone(),
        };
        Self { attempt }
    }
}

impl Invocation for Admit {
    type Answer = Admission;

    fn name(&self) -> (&'static str, &str) {
        ("admit", &self.attempt.id)
    }

    async fn invoke(&self, living: &mut Living) -> wasmtime::Result<Outcome<Admission>> {
        let (guest, store) = living.admission()?;
        let answer = guest.call_admit(store, &self.attempt).await?;
        let call = living.call()?;
        Ok(match answer {
            Ok(told) => match grant(&told, call) {
                Some(grant) => Outcome::Commit(Ok(grant)),
                None => Outcome::Discard(Fault::BadResponse),
            },
            Err(refusal) => {
                let admission::Refusal { status, reason } = refusal;
                Outcome::Commit(Err(heliu_model::Refusal { status, reason }))
            }
        })
    }
}

/// `None`: an id that is none, or an option this host does not serve; the operator's log says which.
fn grant(told: &admission::Grant, call: &Call) -> Option<Grant> {
    let wrong = |what: &str| {
        tracing::error!(plugin = %call.context.namespace, call = call.id, what, "a grant is not valid");
    };
    let [hold] = options(&told.options, ["hold-ms"]).inspect_err(|error| wrong(&error.to_string())).ok()?;
    let hold = millis("hold-ms", hold, HOLD_MS_MAX).inspect_err(|_| wrong("hold-ms")).ok()?;
    Some(Grant {
        room: crate::wish::room(&call.context.namespace, &told.room).inspect_err(|_| wrong("room")).ok()?,
        participant: told.participant.parse().inspect_err(|_| wrong("participant")).ok()?,
        publication: told.publication.parse().inspect_err(|_| wrong("publication")).ok()?,
        audio: told.audio,
        video: told.video,
        takeover: match told.takeover {
            admission::Takeover::Refuse => Takeover::Refuse,
            admission::Takeover::IfStalled => Takeover::IfStalled,
            admission::Takeover::Replace => Takeover::Replace,
        },
        wait: Duration::from_millis(u64::from(told.wait_ms.min(WAIT_MS_MAX))),
        hold: Duration::from_millis(u64::from(hold)),
        bitrate_kbps_max: told.bitrate_kbps_max,
        time_max: told.seconds_max.map(|seconds| Duration::from_secs(u64::from(seconds))),
    })
}

/// `events.handle-event`.
pub(crate) struct HandleEvent {
    event: events::Event,
}

impl HandleEvent {
    pub(crate) fn new(event: &PluginEvent) -> Self {
        let PluginEvent { id, kind, at, room, subject, attempt, data } = event.clone();
        Self { event: events::Event { id, kind, at: at.0, room, subject, attempt, data } }
    }
}

impl Invocation for HandleEvent {
    type Answer = ();

    fn name(&self) -> (&'static str, &str) {
        ("handle-event", &self.event.id)
    }

    async fn invoke(&self, living: &mut Living) -> wasmtime::Result<Outcome<()>> {
        let (guest, store) = living.events()?;
        let answer = guest.call_handle_event(store, &self.event).await?;
        Ok(taken(answer, living.call()?))
    }
}

/// `events.handle-alarm`. The alarm is deleted with the call's last commit, so that it is delivered
/// until a call has done with it; one that was set again or cancelled meanwhile is not delivered.
pub(crate) struct HandleAlarm {
    alarm: events::Alarm,
}

impl HandleAlarm {
    pub(crate) fn new(alarm: &Alarm) -> Self {
        let Alarm { name, key, payload, due, attempt } = alarm.clone();
        Self { alarm: events::Alarm { name, key, payload, due: due.0, attempt } }
    }

    /// The stored record, if it is this alarm.
    fn stored(&self, call: &mut Call) -> Option<Vec<u8>> {
        let bytes = call.transaction.get(Collection::Alarm, &self.alarm.name).ok().flatten()?;
        let stored = serde_json::from_slice::<heliu_store::Alarm>(&bytes).ok()?;
        (stored.due.0 == self.alarm.due && stored.payload == self.alarm.payload).then_some(bytes)
    }
}

impl Invocation for HandleAlarm {
    type Answer = ();

    fn name(&self) -> (&'static str, &str) {
        ("handle-alarm", &self.alarm.name)
    }

    fn prepare(&self, call: &mut Call) -> Option<()> {
        let Some(bytes) = self.stored(call) else { return Some(()) };
        let key = Key::new(&call.context.namespace, Collection::Alarm, self.alarm.name.as_str());
        call.deliver(Delivery { key, bytes });
        None
    }

    async fn invoke(&self, living: &mut Living) -> wasmtime::Result<Outcome<()>> {
        let (guest, store) = living.events()?;
        let answer = guest.call_handle_alarm(store, &self.alarm).await?;
        Ok(taken(answer, living.call()?))
    }
}

fn taken(answer: Result<(), Error>, call: &Call) -> Outcome<()> {
    match answer {
        Ok(()) => Outcome::Commit(()),
        Err(error) => {
            tracing::debug!(plugin = %call.context.namespace, call = call.id, ?error, "a plugin refuses an event");
            Outcome::Discard(Fault::Refused)
        }
    }
}

fn fields(pairs: Vec<(String, String)>) -> Vec<Field> {
    pairs.into_iter().map(|(name, value)| Field { name, value }).collect()
}

#[cfg(test)]
mod tests {
    use heliu_model::Address;

    use super::*;

    #[test]
    fn admission_is_told_all_that_the_client_said() {
        let attempt = Attempt {
            id: "c1".into(),
            protocol: "whip",
            direction: Direction::Publish,
            authority: Some("h:8080".into()),
            address: Address::parse("live/a/b").unwrap(),
            query: Some("key=1".into()),
            headers: vec![("authorization".into(), "Bearer t".into()), ("x-a".into(), "1".into())],
            peer: "10.0.0.1".into(),
        };
        let told = Admit::new(&attempt).attempt;
        let headers: Vec<_> = told.headers.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect();
        assert_eq!(headers, [("authorization", "Bearer t"), ("x-a", "1")]);
        assert_eq!((told.app.as_str(), told.name.as_str(), told.query.as_deref()), ("live", "a/b", Some("key=1")));
        assert_eq!((told.protocol.as_str(), told.authority.as_deref()), ("whip", Some("h:8080")));
    }
}
