//! The media plane from outside: start, stop, command, look.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use heliu_codec::{Effort, Pool, Work};
use heliu_model::{Command, Event, Observed, Refusal, RoomId, Status};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::acceptor;
use crate::admit::Admit;
use crate::config::{Config, WebRtc};
use crate::connections::Connections;
use crate::crowd::Crowd;
use crate::director::{Director, Order};
use crate::doors::Doors;
use crate::negotiation::{Negotiated, NegotiationError, OfferRequest, SessionId, Trickle, Trickled};
use crate::net::{CertificateError, Connector, EgressFilter, TlsServer};
use crate::own_names::OwnNames;
use crate::rtc::RtcDoor;
use crate::viewing::{self, ViewRequest, Viewing};
use crate::{negotiator, sources, worker};

/// Events the control plane may have waiting; more are counted as lost.
const EVENTS_MAX: usize = 4_096;
/// From the answer to a browser until it can send and receive.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// How long connections may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// Why the media plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Usually: taken by another program.
    #[error("cannot listen for RTMP on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// Usually: taken by another program.
    #[error("cannot listen for WebRTC on UDP {0}: {1}")]
    Udp(SocketAddr, std::io::Error),
    /// No certificate for browsers.
    #[error("cannot make a certificate for WebRTC: {0}")]
    Rtc(#[from] heliu_rtc::CertificateError),
    /// There is no TLS listener without a certificate.
    #[error("cannot listen for RTMP over TLS: {0}")]
    Certificate(#[from] CertificateError),
    /// The system gives no more threads.
    #[error("cannot start a media thread: {0}")]
    Thread(std::io::Error),
}

/// The running media plane. Dropping it without [`Media::stop`] leaves connections without goodbye.
pub struct Media {
    handle: Handle,
    acceptors: JoinSet<()>,
    sources: JoinSet<()>,
}

/// Commands and looks at the media plane. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    director: Arc<Director>,
    statuses: Arc<Vec<watch::Receiver<Arc<Status>>>>,
    doors: Doors,
    /// Codec threads live as long as this.
    pool: Pool,
    rtmp: Option<SocketAddr>,
    rtmps: Option<SocketAddr>,
}

/// What the codec threads have done of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodecEffort {
    /// `video-decode`, `compose`, `video-encode`, `audio-decode`, `audio-encode`.
    pub work: &'static str,
    /// Pictures, or blocks of sound.
    pub turns: u64,
    /// Time on the threads.
    pub busy: Duration,
}

impl Media {
    /// Binds the listeners and starts the threads. Call it inside the edge's runtime.
    ///
    /// # Errors
    /// A port is taken, a certificate cannot be used, or the system gives no thread.
    pub async fn start(config: Config, admit: Arc<dyn Admit>) -> Result<(Self, mpsc::Receiver<Event>), StartError> {
        let tls = match &config.rtmps {
            Some(rtmps) => Some(TlsServer::start(&rtmps.certificate, &names(&config.public_names, rtmps.listen))?),
            None => None,
        };
        let plain_listener = bind(config.rtmp).await?;
        let tls_listener = bind(config.rtmps.map(|rtmps| rtmps.listen)).await?;
        let [rtmp, rtmps] = [&plain_listener, &tls_listener]
            .map(|listener| listener.as_ref().and_then(|listener| listener.local_addr().ok()));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let or_cores = |count: usize| if count == 0 { cores } else { count };

        let (inboxes, orders): (Vec<_>, Vec<_>) =
            (0..or_cores(config.workers)).map(|_| mpsc::channel(Order::INBOX)).unzip();
        let (events, received) = mpsc::channel(EVENTS_MAX);
        let own_names = OwnNames::new(rtmp, rtmps, &config.public_names);
        let connector = Connector::new(EgressFilter::new(config.egress_allow));
        let edge = tokio::runtime::Handle::current();
        let crowd = Crowd::new(config.publications_max, config.viewers_max);
        let director = Arc::new(Director::new(inboxes, admit, edge, own_names, connector, events, crowd));
        let pool = Pool::start(or_cores(config.codec_threads)).map_err(StartError::Thread)?;

        let mut statuses = Vec::new();
        let doors = rtc_doors(config.webrtc.as_ref(), orders.len())?;
        for ((index, inbox), door) in orders.into_iter().enumerate().zip(doors) {
            let (sender, receiver) = watch::channel(Arc::default());
            worker::spawn(index, inbox, director.clone(), pool.clone(), door, sender).map_err(StartError::Thread)?;
            statuses.push(receiver);
        }
        let (mut acceptors, doors) = (JoinSet::new(), Doors::default());
        for (listener, tls) in [(plain_listener, None), (tls_listener, tls)] {
            if let Some(listener) = listener {
                acceptors.spawn(acceptor::run(listener, tls, doors.clone(), director.clone()));
            }
        }
        let sources = sources::start(config.sources, &director);
        let handle = Handle { director, statuses: Arc::new(statuses), doors, pool, rtmp, rtmps };
        Ok((Self { handle, acceptors, sources }, received))
    }

    /// To command it and look at it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends all connections with their protocols' goodbye, within three seconds.
    pub async fn stop(mut self) {
        self.sources.shutdown().await;
        self.acceptors.shutdown().await;
        let (sender, mut done) = mpsc::channel::<()>(1);
        self.handle
            .director
            .order_all(|| {
                let (stopped, wait) = oneshot::channel();
                let sender = sender.clone();
                tokio::spawn(async move {
                    let _ = wait.await;
                    drop(sender);
                });
                Order::Stop(stopped)
            })
            .await;
        drop(sender);
        if tokio::time::timeout(GOODBYE, done.recv()).await.is_err() {
            tracing::warn!("connections left without goodbye");
        }
    }
}

impl Handle {
    /// Tells the media plane what to do; waits while its inbox is full.
    pub async fn apply(&self, command: Command) {
        match command {
            Command::PutMixer(_, _, ref intent) => self.order(&intent.room.clone(), command).await,
            Command::PutEgress(_, _, ref intent) => self.order(&intent.room.clone(), command).await,
            Command::StopMixer(_) | Command::StopEgress(_) => self.order_all(command).await,
            Command::PutAddress(revision, intent) => {
                self.director.put_address(intent.address.clone(), revision);
            }
            Command::StopAddress(ref address) => {
                self.director.remove_address(address);
                self.order_all(command).await;
            }
        }
    }

    /// What is, at most a tenth of a second old.
    #[must_use]
    pub fn status(&self) -> Arc<Status> {
        let mut all = Status {
            observed: Observed { addresses: self.director.addresses(), ..Observed::default() },
            ..Status::default()
        };
        for status in self.statuses.iter() {
            let status = status.borrow().clone();
            let Status { rooms, observed, mixers, egresses, totals, sessions } = (*status).clone();
            all.rooms.extend(rooms);
            all.observed.mixers.extend(observed.mixers);
            all.observed.egresses.extend(observed.egresses);
            all.mixers.extend(mixers);
            all.egresses.extend(egresses);
            all.totals += totals;
            all.sessions += sessions;
        }
        Arc::new(all)
    }

    /// RTMP clients, and what became of those that came to nothing.
    #[must_use]
    pub fn connections(&self) -> Connections {
        self.doors.read()
    }

    /// What the codec threads have done so far.
    #[must_use]
    pub fn codec_efforts(&self) -> [CodecEffort; Work::ALL.len()] {
        self.pool.efforts().map(|(work, Effort { turns, busy })| CodecEffort { work: work.as_str(), turns, busy })
    }

    /// Ticks after each change of what [`Handle::status`] shows of mixers, egresses and addresses.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.director.changes.subscribe()
    }

    /// Events that were lost because nobody took them in time.
    #[must_use]
    pub fn events_lost(&self) -> u64 {
        self.director.events_lost.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Lets a viewer of an FLV stream in and waits for its first bytes.
    ///
    /// # Errors
    /// Admission's refusal; 404 if nothing came as long as the grant lets wait; 503 while stopping.
    pub async fn view(&self, request: ViewRequest) -> Result<Viewing, Refusal> {
        viewing::view(&self.director, request).await
    }

    /// Turns a browser's offer into a session.
    ///
    /// # Errors
    /// The offer, admission or the room refuses, or there is no WebRTC.
    pub async fn negotiate(&self, request: OfferRequest) -> Result<Negotiated, NegotiationError> {
        negotiator::negotiate(&self.director, request).await
    }

    /// Tells a session what its client has to say.
    ///
    /// # Errors
    /// The fragment is none, the session is gone or has moved on.
    pub async fn trickle(&self, session: SessionId, trickle: Trickle) -> Result<Trickled, NegotiationError> {
        negotiator::trickle(&self.director, session, trickle).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// There is none of that id.
    pub async fn end_session(&self, session: SessionId) -> Result<(), NegotiationError> {
        negotiator::end(&self.director, session).await
    }

    /// Where RTMP clients connect; the port is real.
    #[must_use]
    pub fn rtmp_addr(&self) -> Option<SocketAddr> {
        self.rtmp
    }

    /// Where they connect with TLS; the port is real.
    #[must_use]
    pub fn rtmps_addr(&self) -> Option<SocketAddr> {
        self.rtmps
    }

    /// Tries of pushes that were refused because their target's address is not public.
    #[must_use]
    pub fn egress_refused(&self) -> u64 {
        self.director.connector.refused()
    }

    /// Clients that found no place, by what there is too much of.
    #[must_use]
    pub fn crowd_refused(&self) -> [(&'static str, u64); 2] {
        self.director.crowd.refused()
    }

    /// Bytes that all publications keep for those who join late, and how often one gave up its group of
    /// pictures because others keep so much.
    #[must_use]
    pub fn gops(&self) -> (usize, u64) {
        (self.director.gops.bytes(), self.director.gops.refused())
    }

    /// By which URLs this host is meant.
    #[must_use]
    pub fn own_names(&self) -> &OwnNames {
        &self.director.own_names
    }

    async fn order(&self, room: &RoomId, command: Command) {
        self.director.order(room, Order::Command(command)).await;
    }

    async fn order_all(&self, command: Command) {
        self.director.order_all(|| Order::Command(command.clone())).await;
    }
}

/// One socket per worker, on consecutive ports.
fn rtc_doors(webrtc: Option<&WebRtc>, workers: usize) -> Result<Vec<Option<RtcDoor>>, StartError> {
    let Some(WebRtc { udp, announce, consent }) = webrtc else { return Ok((0..workers).map(|_| None).collect()) };
    let config = Arc::new(heliu_rtc::Config {
        certificate: heliu_rtc::Certificate::generate()?,
        consent: *consent,
        connect_max: CONNECT_MAX,
        cname: "heliu".to_owned(),
    });
    let door = |worker: usize| {
        let port = udp.port().checked_add(u16::try_from(worker).unwrap_or(u16::MAX)).filter(|_| udp.port() != 0);
        let address = SocketAddr::new(udp.ip(), port.unwrap_or(0));
        RtcDoor::bind(address, announce, config.clone()).map(Some).map_err(|error| StartError::Udp(address, error))
    };
    (0..workers).map(door).collect()
}

async fn bind(address: Option<SocketAddr>) -> Result<Option<TcpListener>, StartError> {
    let Some(address) = address else { return Ok(None) };
    TcpListener::bind(address).await.map(Some).map_err(|error| StartError::Listen(address, error))
}

/// Whom a certificate of our own making is for.
fn names(public: &[String], listen: SocketAddr) -> Vec<String> {
    let own = ["localhost".to_owned(), listen.ip().to_string()];
    public.iter().cloned().chain(own).collect()
}
