//! A worker's room from end to end: what is born as Opus is heard by who only knows AAC.

use heliu_container::flv::TagError;
use heliu_model::{Attempt, Direction, Grant, RenditionStatus, Status, Takeover};
use tokio::sync::{mpsc, watch};

use super::*;
use crate::config::Config;
use crate::crowd::Crowd;
use crate::director::{Director, Order};
use crate::endpoint::{Relayed, attach_relayed, attach_viewer};
use crate::net::{Connector, EgressFilter};
use crate::outbox::{Outbox, Taken};
use crate::own_names::OwnNames;
use crate::viewing::Viewer;
use crate::worker::Worker;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn players_of_a_browsers_sound_share_one_transcoder_that_ends_with_the_last() {
    let (inbox, orders) = mpsc::channel(Order::INBOX);
    let (events, _happened) = mpsc::channel(64);
    let connector = Connector::new(EgressFilter::new(Config::default().egress_allow));
    let edge = tokio::runtime::Handle::current();
    let (door, crowd) = (Arc::new(Closed), Crowd::new(1, 1));
    let director = Arc::new(Director::new(vec![inbox], door, edge, OwnNames::default(), connector, events, crowd));
    let worker = Worker::new(0, director, Pool::start(1).unwrap(), None);
    let (status, _) = watch::channel(Arc::default());
    let serving = worker.clone().run(orders, status);
    let story = async {
        let frames = publish(&worker);
        let viewers = [view(&worker), view(&worker)];
        let sound = tone(&worker.pool, AudioCodec::Opus, 2.0);
        let mut next = 0;
        let mut heard = [0, 0];
        let mut readers = [(TagReader::new(), FlvReader::new()), (TagReader::new(), FlvReader::new())];
        while heard.iter().any(|heard| *heard < 40) {
            if let Some(frame) = sound.get(next) {
                frames.send(frame.clone()).await.unwrap();
                next += 1;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            for ((viewer, reader), heard) in viewers.iter().zip(&mut readers).zip(&mut heard) {
                *heard += read(viewer, reader).unwrap();
            }
        }
        let renditions = renditions(&worker);
        assert_eq!(renditions.iter().map(|made| (made.name, made.consumers)).collect::<Vec<_>>(), [("aac", 2)]);
        viewers.iter().for_each(|viewer| viewer.leave());
        while !self::renditions(&worker).is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let both = async {
        tokio::select! { () = serving => panic!("nobody stops it"), () = story => {} }
    };
    let local = tokio::task::LocalSet::new();
    tokio::time::timeout(PATIENCE, local.run_until(both)).await.expect("it happens");
}

/// Nobody knocks: all are let in already.
struct Closed;

impl crate::admit::Admit for Closed {
    fn admit(&self, _: Attempt) -> futures_util::future::BoxFuture<'static, Result<Grant, heliu_model::Refusal>> {
        unreachable!("nobody asks")
    }
}

fn publish(worker: &Rc<Worker>) -> mpsc::Sender<Frame> {
    let (sender, frames) = mpsc::channel(256);
    let (news, _) = mpsc::channel(4);
    let attempt = attempt(Direction::Publish);
    attach_relayed(worker, Relayed { attempt, grant: grant(), frames, news, clock: RoomClock::start() });
    sender
}

fn view(worker: &Rc<Worker>) -> Arc<Outbox> {
    let outbox = Outbox::new();
    let attempt = attempt(Direction::Play);
    attach_viewer(worker, Viewer { attempt, grant: grant(), outbox: outbox.clone() });
    outbox
}

/// How many frames of AAC have come.
fn read(viewer: &Outbox, (tags, reader): &mut (TagReader, FlvReader)) -> Result<usize, TagError> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while let std::task::Poll::Ready(Taken::Bytes(bytes)) = viewer.poll_take(&mut context) {
        tags.handle_bytes(&bytes);
    }
    let mut heard = 0;
    while let Some(tag) = tags.poll()? {
        if tag.kind == Some(Kind::Audio)
            && let Some(frame) = reader.handle_audio(tag.timestamp_ms, tag.body).unwrap()
        {
            assert_eq!(frame.format.codec(), "aac");
            heard += 1;
        }
    }
    Ok(heard)
}

fn renditions(worker: &Rc<Worker>) -> Vec<RenditionStatus> {
    let mut status = Status::default();
    worker.room(&grant().room).turn(|shell| shell.add_status(&mut status));
    let publications = status.rooms.into_values().flat_map(|room| room.publications);
    publications.flat_map(|publication| publication.tracks).flat_map(|track| track.renditions).collect()
}

fn attempt(direction: Direction) -> Attempt {
    Attempt {
        id: "1".to_owned(),
        protocol: "egress",
        direction,
        authority: None,
        address: "live/a".to_owned().try_into().unwrap(),
        query: None,
        headers: Vec::new(),
        peer: "127.0.0.1".to_owned(),
    }
}

fn grant() -> Grant {
    Grant {
        room: "ns/r".parse().unwrap(),
        participant: "browser".parse().unwrap(),
        publication: "a".parse().unwrap(),
        audio: true,
        video: false,
        takeover: Takeover::Replace,
        wait: Duration::from_secs(3_600),
        hold: Duration::ZERO,
        bitrate_kbps_max: None,
        time_max: None,
    }
}
