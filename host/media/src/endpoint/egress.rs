//! Carries out one egress: one try, from the first byte to the last.
//!
//! A URL of our own becomes a relay into the room that `admit` names; any other an RTMP push. Whether
//! and when another try follows is the reconciler's question.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heliu_model::{
    Address, Attempt, Direction, EgressId, EgressIntent, EgressStage, EndpointId, LeaveReason, Refusal, RtmpUrl,
};
use heliu_rtmp::{ClientEvent, ClientSession};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf};
use tokio::sync::Notify;

use crate::clock::RoomClock;
use crate::director::Order;
use crate::endpoint::relay::{News, Relayed, relay};
use crate::endpoint::{Endpoint, Push};
use crate::flows::{Flow, Place};
use crate::net::{ConnectError, Stream};
use crate::queue::{Finish, SendQueue};
use crate::worker::{RoomCell, Worker};

/// From the first packet to the target's "go on".
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long a target may take to read the last bytes.
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);
/// How often the stage is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Looks after which a try counts as a success: thirty seconds, the longest pause between two tries.
const SETTLED_LOOKS: u32 = 300;
/// Looks without a frame until the source counts as silent: two seconds.
const SILENT_LOOKS_MAX: u32 = 20;
/// How often a relay looks whether it has become part of a circle.
const LOOP_LOOK_EVERY: Duration = Duration::from_secs(1);
const READ_LEN: usize = 4 << 10;
const LET_GO: &str = "its own room let it go";
const OVER: &str = "the other room is over";

/// Why a try ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    /// It was ordered, or the host stops.
    #[error("stopped")]
    Stopped,
    #[error("the URL is not one this host can push to")]
    Url,
    #[error("what it delivers would come back to where it is taken from")]
    Loop,
    #[error("no answer within ten seconds")]
    Late,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the target closed the connection")]
    Closed,
    #[error("the target does not read")]
    Stuck,
    #[error("the target refused: {0}")]
    Rejected(String),
    #[error("the target speaks no RTMP: {0}")]
    Malformed(#[from] heliu_rtmp::Error),
    #[error("this host refused: {} {}", .0.status, .0.reason)]
    Refused(Refusal),
    #[error("{0}")]
    Over(String),
}

/// One try of an egress; its job is told how it went.
pub async fn run_egress(worker: Rc<Worker>, id: EgressId, endpoint: EndpointId, stop: Rc<Notify>) {
    let Some(intent) = intent(&worker, &id) else { return };
    let attempt = Try { worker: worker.clone(), id: id.clone(), endpoint, stop, intent };
    let ended = match worker.director.own_names.locate(&attempt.intent.url) {
        Some(address) => attempt.relay(address).await,
        None => attempt.push().await,
    };
    let room = &attempt.intent.room;
    worker.room(room).turn(|shell| shell.remove(endpoint, LeaveReason::Closed));
    let ended = match ended {
        // It may have answered with the key it was given.
        Ended::Rejected(words) => Ended::Rejected(RtmpUrl::hide_key(&attempt.intent.url, &words)),
        other => other,
    };
    match &ended {
        Ended::Stopped => tracing::info!(%room, egress = %id, "egress stopped"),
        cause => tracing::warn!(%room, egress = %id, %cause, "egress down"),
    }
    worker.jobs.borrow_mut().egress_ended(&id, endpoint, ended.to_string());
    worker.note_change();
}

fn intent(worker: &Worker, id: &EgressId) -> Option<Arc<EgressIntent>> {
    worker.jobs.borrow().egress(id).map(|job| job.reality.intent.clone())
}

impl News {
    fn into_ended(self) -> Ended {
        match self {
            Self::Published => Ended::Over(OVER.to_owned()),
            Self::Over(detail) => Ended::Over(detail),
        }
    }
}

struct Try {
    worker: Rc<Worker>,
    id: EgressId,
    endpoint: EndpointId,
    stop: Rc<Notify>,
    intent: Arc<EgressIntent>,
}

impl Try {
    async fn push(&self) -> Ended {
        let Ok(url) = RtmpUrl::parse(&self.intent.url) else { return Ended::Url };
        let connected = tokio::select! {
            connected = tokio::time::timeout(CONNECT_WITHIN, self.connect(&url)) => connected.unwrap_or(Err(Ended::Late)),
            () = self.stop.notified() => return Ended::Stopped,
        };
        let (mut session, stream) = match connected {
            Ok(connected) => connected,
            Err(ended) => return ended,
        };
        let queue = Rc::new(SendQueue::new());
        let push = Push::new(self.id.clone(), queue.clone(), session.stream_id());
        let Some((room, _)) = self.attach(Endpoint::Push(Box::new(push))) else { return Ended::Stopped };
        let (mut reader, mut writer) = tokio::io::split(stream);
        let ended = tokio::select! {
            ended = read(&mut session, &mut reader, &queue) => ended,
            finish = queue.write_to(&mut writer) => match finish {
                Finish::Clean => Ended::Over(LET_GO.to_owned()),
                Finish::Broken => Ended::Closed,
            },
            () = self.watch(&room, || queue.counts().frames) => match queue.is_stuck(Instant::now()) {
                true => Ended::Stuck,
                false => Ended::Over(LET_GO.to_owned()),
            },
            () = self.stop.notified() => Ended::Stopped,
        };
        room.turn(|shell| shell.remove(self.endpoint, LeaveReason::Left));
        if matches!(ended, Ended::Stopped) {
            session.close();
            while let Some(bytes) = session.poll_output() {
                queue.push_control(bytes);
            }
            queue.finish();
            let _ = tokio::time::timeout(GOODBYE_WITHIN, queue.write_to(&mut writer)).await;
        }
        ended
    }

    async fn connect(&self, url: &RtmpUrl) -> Result<(ClientSession, Stream), Ended> {
        let director = &self.worker.director;
        let namespace = self.intent.room.namespace();
        let mut stream = director.connector.connect(&namespace, url, &director.own_names).await?;
        let mut session = ClientSession::publish(url);
        let mut buffer = vec![0; READ_LEN];
        loop {
            while let Some(bytes) = session.poll_output() {
                stream.write_all(&bytes).await.map_err(|_| Ended::Closed)?;
            }
            stream.flush().await.map_err(|_| Ended::Closed)?;
            match session.poll_event() {
                Some(ClientEvent::Ready) => return Ok((session, stream)),
                Some(ClientEvent::Rejected(reason)) => return Err(Ended::Rejected(reason)),
                Some(ClientEvent::Closed) => return Err(Ended::Closed),
                Some(ClientEvent::Media(_)) | None => {}
            }
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return Err(Ended::Closed),
                Ok(len) => session.handle_bytes(&buffer[..len])?,
            }
        }
    }

    async fn relay(&self, address: Address) -> Ended {
        let director = &self.worker.director;
        let attempt = Attempt {
            id: director.next_connection(),
            protocol: "egress",
            direction: Direction::Publish,
            authority: None,
            address,
            query: self.intent.url.split_once('?').map(|(_, query)| query.to_owned()),
            headers: Vec::new(),
            peer: "127.0.0.1".to_owned(),
        };
        let grant = match director.admit(attempt.clone()).await {
            Ok(grant) => grant,
            Err(refusal) => return Ended::Refused(refusal),
        };
        let target = grant.room.clone();
        let flow = director.flows.put_relay(self.sources(), (target.clone(), grant.publication.clone()));
        if flow.is_loop() {
            return Ended::Loop;
        }
        let relay = relay(self.id.clone());
        let delivered = relay.delivered;
        let Some((room, clock)) = self.attach(Endpoint::RelayOut(relay.out)) else { return Ended::Stopped };
        let relayed = Relayed { attempt, grant, frames: relay.frames, news: relay.teller, clock };
        if !director.order(&target, Order::Relay(Box::new(relayed))).await {
            return Ended::Stopped;
        }
        let mut news = relay.news;
        tokio::select! {
            () = self.until_loop(&flow) => Ended::Loop,
            ended = async {
                match news.recv().await {
                    Some(News::Published) => tokio::select! {
                        () = self.watch(&room, || delivered.get()) => Ended::Over(LET_GO.to_owned()),
                        over = news.recv() => over.map_or(Ended::Over(OVER.to_owned()), News::into_ended),
                    },
                    Some(news) => news.into_ended(),
                    None => Ended::Over(OVER.to_owned()),
                }
            } => ended,
            () = self.stop.notified() => Ended::Stopped,
        }
    }

    /// What it takes; that may change while it runs.
    fn sources(&self) -> Vec<Place> {
        let intent = intent(&self.worker, &self.id).unwrap_or_else(|| self.intent.clone());
        let sources = [&intent.audio, &intent.video].into_iter().flatten();
        sources.map(|source| (intent.room.clone(), source.publication.clone())).collect()
    }

    /// A mixer that starts later, or another source, may close the circle.
    async fn until_loop(&self, flow: &Flow<'_>) {
        while !flow.is_loop() {
            tokio::time::sleep(LOOP_LOOK_EVERY).await;
            flow.take_from(self.sources());
        }
    }

    /// Connects the endpoint with its sources. `None`: the room ended at once.
    fn attach(&self, endpoint: Endpoint) -> Option<(Rc<RoomCell>, RoomClock)> {
        // The sources may have changed while we connected.
        let intent = intent(&self.worker, &self.id).unwrap_or_else(|| self.intent.clone());
        let room = self.worker.room(&self.intent.room);
        let clock = room.turn(|shell| {
            shell.start_egress(self.endpoint, endpoint, &intent);
            shell.clock()
        })?;
        Some((room, clock))
    }

    /// Tells the job whether media flows, from the count of frames; ends when the room has let it go.
    async fn watch(&self, room: &Rc<RoomCell>, frames: impl Fn() -> u64) {
        let (mut seen, mut silent, mut looks) = (0, 0, 0);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if room.turn(|shell| shell.endpoint(self.endpoint).is_some()) != Some(true) {
                return;
            }
            looks += 1;
            if looks == SETTLED_LOOKS && self.worker.jobs.borrow_mut().settle_egress(&self.id) {
                self.worker.note_change();
            }
            let count = frames();
            silent = if count == seen { silent + 1 } else { 0 };
            seen = count;
            let stage = match (seen, silent) {
                (0, _) if silent < SILENT_LOOKS_MAX => continue,
                (0, _) => EgressStage::Stalled,
                (_, silent) if silent >= SILENT_LOOKS_MAX => EgressStage::Stalled,
                _ => EgressStage::Running,
            };
            if self.worker.jobs.borrow_mut().set_egress_stage(&self.id, stage) {
                if stage == EgressStage::Stalled {
                    tracing::warn!(room = %room.id(), egress = %self.id, "egress stalled");
                } else {
                    tracing::info!(room = %room.id(), egress = %self.id, "egress running");
                }
                self.worker.note_change();
            }
        }
    }
}

async fn read(session: &mut ClientSession, reader: &mut ReadHalf<Stream>, queue: &SendQueue) -> Ended {
    let mut buffer = vec![0; READ_LEN];
    loop {
        while let Some(bytes) = session.poll_output() {
            queue.push_control(bytes);
        }
        while let Some(event) = session.poll_event() {
            match event {
                ClientEvent::Ready | ClientEvent::Media(_) => {}
                ClientEvent::Rejected(reason) => return Ended::Rejected(reason),
                ClientEvent::Closed => return Ended::Closed,
            }
        }
        match reader.read(&mut buffer).await {
            Ok(0) | Err(_) => return Ended::Closed,
            Ok(len) => {
                if let Err(error) = session.handle_bytes(&buffer[..len]) {
                    return error.into();
                }
            }
        }
    }
}
