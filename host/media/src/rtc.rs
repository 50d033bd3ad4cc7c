//! What one worker has for browsers: a socket, the sessions behind it, and what waits to be sent.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use heliu_model::{Datagrams, Status};

use crate::sessions::Sessions;
use crate::udp::{Slab, Udp, bind, candidates};

/// A bound socket on its way to its worker.
pub struct RtcDoor {
    socket: std::net::UdpSocket,
    candidates: Vec<SocketAddr>,
    config: Arc<heliu_rtc::Config>,
}

/// The same in the worker's runtime.
pub struct Opened {
    udp: Udp,
    candidates: Vec<SocketAddr>,
    config: Arc<heliu_rtc::Config>,
}

/// One worker's.
pub struct Rtc {
    /// Where datagrams come and go.
    pub udp: Udp,
    /// Datagrams that leave when the turn is over.
    pub slab: RefCell<Slab>,
    /// Whose datagrams are whose.
    pub sessions: RefCell<Sessions>,
    /// Where clients reach the socket.
    pub candidates: Vec<SocketAddr>,
    /// For every session.
    pub config: Arc<heliu_rtc::Config>,
}

impl RtcDoor {
    /// On the thread that starts the host.
    ///
    /// # Errors
    /// Usually: the port is taken.
    pub fn bind(address: SocketAddr, announced: &[IpAddr], config: Arc<heliu_rtc::Config>) -> io::Result<Self> {
        let socket = bind(address)?;
        let candidates = candidates(socket.local_addr()?, announced);
        Ok(Self { socket, candidates, config })
    }

    /// Inside the worker's runtime.
    ///
    /// # Errors
    /// The system refuses the socket's options.
    pub fn open(self) -> io::Result<Opened> {
        let Self { socket, candidates, config } = self;
        Ok(Opened { udp: Udp::new(socket)?, candidates, config })
    }
}

impl Rtc {
    /// On the worker's thread.
    pub fn new(opened: Opened) -> Self {
        let Opened { udp, candidates, config } = opened;
        Self { udp, slab: RefCell::default(), sessions: RefCell::default(), candidates, config }
    }

    /// Adds what went through its socket.
    pub fn add_status(&self, status: &mut Status) {
        let (sessions, strays) = self.sessions.borrow().counts();
        let (received, sent) = self.udp.traffic();
        status.sessions += u32::try_from(sessions).unwrap_or(u32::MAX);
        status.totals.datagrams += Datagrams { received, sent, strays };
    }

    /// Sends what waits.
    pub fn send(&self) {
        let mut slab = self.slab.borrow_mut();
        if !slab.is_empty() {
            self.udp.send(&mut slab);
        }
    }
}
