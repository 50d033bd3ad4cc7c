//! Lets a browser into its room: the answer to its offer, its tracks, and what it says later.

use std::rc::Rc;
use std::time::Instant;

use heliu_model::{Direction, EndpointId, Grant, LeaveReason};
use heliu_room::{AcceptedAudio, AcceptedVideo, Accepts, Error, Offer, View, Wish};
use heliu_rtc::sdp::{self, Answer, Fragment, Outgoing, Terms};
use heliu_rtc::{Codec, Credentials};

use crate::endpoint::Endpoint;
use crate::endpoint::client::patience;
use crate::negotiation::{Negotiated, NegotiationError, Trickled};
use crate::negotiator::{Ask, Calling, Negotiating};
use crate::rtc::Rtc;
use crate::sessions::Place;
use crate::worker::Worker;

use super::{Inbound, Outbound, Side, WebRtc};

/// Answers a granted offer.
pub fn attach_session(worker: &Rc<Worker>, negotiating: Negotiating) {
    let (outcome, answer) = match &worker.rtc {
        Some(rtc) => attach(worker, rtc, negotiating),
        None => (Err(NegotiationError::Unavailable), negotiating.answer),
    };
    // A client that is gone by now shows it by its silence.
    let _ = answer.send(outcome);
}

type Outcome = Result<Negotiated, NegotiationError>;

fn attach(
    worker: &Rc<Worker>,
    rtc: &Rtc,
    negotiating: Negotiating,
) -> (Outcome, tokio::sync::oneshot::Sender<Outcome>) {
    let Negotiating { attempt, grant, offer, session: id, place, answer } = negotiating;
    if rtc.sessions.borrow().is_full() {
        return (Err(NegotiationError::Full), answer);
    }
    let Answer { sdp, agreement } = match sdp::answer(&offer, &terms(rtc, attempt.direction, &grant)) {
        Ok(agreed) => agreed,
        Err(error) => return (Err(error.into()), answer),
    };
    let room = worker.room(&grant.room);
    let endpoint = worker.next_endpoint();
    let ufrag = agreement.local.ufrag.clone();
    let side = match attempt.direction {
        Direction::Publish => Side::Publisher(Box::new(Inbound::new(grant.publication.clone(), &agreement.lines))),
        Direction::Play => Side::Viewer(Outbound::new(grant.publication.clone(), &agreement.lines)),
    };
    let address = attempt.address.clone();
    let now = Instant::now();
    let until = grant.time_max.map(|span| now + span);
    let webrtc = WebRtc::new(rtc.config.clone(), agreement, side, address.clone(), now, until, place);
    // Datagrams and events of its first turn find it.
    rtc.sessions.borrow_mut().insert(endpoint, id, ufrag.clone(), Place { room: room.clone(), endpoint });
    let let_in = room.turn(|shell| {
        let webrtc = Endpoint::WebRtc(Box::new(webrtc));
        match attempt.direction {
            Direction::Publish => {
                shell.publish(offer_of(endpoint, &grant, &attempt), webrtc).map_err(|(error, _)| error)
            }
            Direction::Play => shell.play(wish(endpoint, &grant), webrtc).map_err(|(error, _)| error),
        }
    });
    let outcome = match let_in {
        Some(Ok(())) => {
            tracing::debug!(room = %room.id(), endpoint = %endpoint, %address, protocol = attempt.protocol, "session in");
            Ok(Negotiated { session: id, etag: ufrag, sdp })
        }
        Some(Err(Error::Taken)) => Err(NegotiationError::Taken),
        Some(Err(Error::NotFound)) => Err(NegotiationError::NotFound),
        Some(Err(Error::Full(_))) => Err(NegotiationError::Full),
        None => Err(NegotiationError::Unavailable),
    };
    if let Err(error) = &outcome {
        tracing::info!(room = %room.id(), %address, cause = %error, "session refused by the room");
        rtc.sessions.borrow_mut().remove(endpoint);
    }
    (outcome, answer)
}

/// Ends a session, or begins ICE anew, if it is one of this worker's.
pub fn call_session(worker: &Rc<Worker>, calling: Calling) {
    let Calling { session, ask, answer } = calling;
    let Some(rtc) = &worker.rtc else { return };
    let Some(Place { room, endpoint }) = rtc.sessions.borrow().by_id(session) else { return };
    let outcome = match ask {
        Ask::End => {
            room.turn(|shell| shell.end_session(endpoint, LeaveReason::Left));
            Ok(Trickled::Noted)
        }
        Ask::Trickle { etag, fragment } => room
            .turn(|shell| match shell.endpoint(endpoint) {
                Some(Endpoint::WebRtc(webrtc)) => trickle(webrtc, rtc, endpoint, etag.as_deref(), fragment),
                Some(_) | None => Err(NegotiationError::NotFound),
            })
            .unwrap_or(Err(NegotiationError::NotFound)),
    };
    let _ = answer.try_send(outcome);
}

fn trickle(
    webrtc: &mut WebRtc,
    rtc: &Rtc,
    endpoint: EndpointId,
    etag: Option<&str>,
    fragment: Fragment,
) -> Result<Trickled, NegotiationError> {
    let current = webrtc.session.ufrags().next().unwrap_or_default();
    if etag.is_some_and(|etag| etag != current) {
        return Err(NegotiationError::Stale);
    }
    let Some(remote) = fragment.credentials.filter(|theirs| *theirs != webrtc.remote) else {
        return Ok(Trickled::Noted);
    };
    let local = Credentials::random();
    let etag = local.ufrag.clone();
    let fragment = sdp::fragment(&local, &webrtc.mid, &rtc.candidates);
    webrtc.remote = remote.clone();
    webrtc.session.restart_ice(local, remote);
    rtc.sessions.borrow_mut().rename(endpoint, etag.clone());
    Ok(Trickled::Restarted { etag, fragment })
}

fn terms(rtc: &Rtc, direction: Direction, grant: &Grant) -> Terms {
    let outgoing = |codec| {
        let [ssrc, rtx_ssrc] = ssrcs();
        Outgoing { codec, ssrc, rtx_ssrc }
    };
    let wish = match direction {
        Direction::Publish => sdp::Wish::Publish { audio: grant.audio, video: grant.video },
        Direction::Play => sdp::Wish::Play {
            audio: grant.audio.then(|| outgoing(Codec::Opus)),
            video: grant.video.then(|| outgoing(Codec::H264)),
            cname: rtc.config.cname.clone(),
        },
    };
    Terms {
        wish,
        local: Credentials::random(),
        fingerprint: rtc.config.certificate.fingerprint().clone(),
        candidates: rtc.candidates.clone(),
        session_id: random() >> 1,
    }
}

/// Two different ones, neither of them zero.
fn ssrcs() -> [u32; 2] {
    let random = random();
    let first = (random as u32).max(1);
    let second = ((random >> 32) as u32).max(1);
    [first, if second == first { first ^ 2 } else { second }]
}

fn random() -> u64 {
    getrandom::u64().expect("the system has random numbers")
}

fn offer_of(endpoint: EndpointId, grant: &Grant, attempt: &heliu_model::Attempt) -> Offer {
    Offer {
        endpoint,
        publication: grant.publication.clone(),
        participant: Some(grant.participant.clone()),
        address: Some(attempt.address.clone()),
        protocol: attempt.protocol,
        audio: grant.audio,
        video: grant.video,
        peer: Some(attempt.peer.clone()),
        takeover: grant.takeover,
    }
}

fn wish(endpoint: EndpointId, grant: &Grant) -> Wish {
    Wish {
        endpoint,
        publication: grant.publication.clone(),
        audio: grant.audio,
        video: grant.video,
        is_sound_early: true,
        wait: patience(grant.wait),
        hold: patience(grant.hold),
        is_viewer: true,
        view: View::Packets,
        accepts: Accepts { audio: AcceptedAudio::Opus, video: AcceptedVideo::WithoutBPictures },
    }
}
