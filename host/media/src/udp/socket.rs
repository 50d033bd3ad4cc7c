//! A worker's UDP socket: datagrams come in batches and leave in runs.
//!
//! What the kernel has no room for is dropped and counted, as the network would: nobody waits for a
//! datagram. Where a way out refuses runs (some devices do), each datagram is sent by itself from then on.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use heliu_model::Traffic;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::slab::{Run, Slab};

/// A whole run of datagrams that the kernel has put together again.
const BUFFER_LEN: usize = 64 * 1024;
/// Asked of the kernel both ways, which may give less: 50 viewers' worth of a keyframe.
const KERNEL_BUFFER: usize = 4 << 20;
/// Datagrams read in one go; others of the thread's tasks wait for so long.
const BATCHES_MAX: usize = 8;

/// One socket with its counters.
pub struct Udp {
    socket: UdpSocket,
    state: UdpSocketState,
    buffers: RefCell<Vec<Vec<u8>>>,
    is_v6: bool,
    may_send_runs: Cell<bool>,
    received: Cell<Traffic>,
    sent: Cell<Traffic>,
}

/// Binds a socket, on the thread that starts the host.
///
/// # Errors
/// Usually: the port is taken.
pub fn bind(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

impl Udp {
    /// Inside the worker's runtime.
    ///
    /// # Errors
    /// The system refuses its options.
    pub fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let is_v6 = socket.local_addr()?.is_ipv6();
        let socket = UdpSocket::from_std(socket)?;
        let state = UdpSocketState::new((&socket).into())?;
        // Less than asked for is no reason to stop.
        let _ = state.set_recv_buffer_size((&socket).into(), KERNEL_BUFFER);
        let _ = state.set_send_buffer_size((&socket).into(), KERNEL_BUFFER);
        let may_send_runs = Cell::new(state.max_gso_segments() > 1);
        let buffers = RefCell::new(vec![vec![0; BUFFER_LEN]; BATCH_SIZE.min(8)]);
        let (received, sent) = Default::default();
        Ok(Self { socket, state, buffers, is_v6, may_send_runs, received, sent })
    }

    /// Waits for datagrams.
    pub async fn readable(&self) {
        if let Err(error) = self.socket.readable().await {
            // Readiness comes from the runtime, which is going down then.
            tracing::debug!(%error, "udp socket is not readable");
            std::future::pending::<()>().await;
        }
    }

    /// Hands out what has come. Sender addresses of IPv4 are such, also on a socket for both families.
    pub fn receive(&self, mut handle: impl FnMut(&mut [u8], SocketAddr)) {
        for _ in 0..BATCHES_MAX {
            if !self.receive_batch(&mut handle) {
                return;
            }
        }
    }

    /// Sends all that is in the slab.
    pub fn send(&self, slab: &mut Slab) {
        slab.drain(|run, bytes| self.send_run(run, bytes));
    }

    /// What came, and what left; dropped: what the kernel had no room for.
    pub fn traffic(&self) -> (Traffic, Traffic) {
        (self.received.get(), self.sent.get())
    }

    fn receive_batch(&self, handle: &mut impl FnMut(&mut [u8], SocketAddr)) -> bool {
        let mut buffers = self.buffers.borrow_mut();
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let read = {
            let mut slices: Vec<IoSliceMut<'_>> = buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
            self.socket.try_io(Interest::READABLE, || self.state.recv((&self.socket).into(), &mut slices, &mut metas))
        };
        let Ok(count) = read else { return false };
        for (buffer, meta) in buffers.iter_mut().zip(&metas[..count]) {
            let from = SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port());
            for datagram in buffer[..meta.len].chunks_mut(meta.stride.max(1)) {
                note(&self.received, Traffic { bytes: datagram.len() as u64, frames: 1, frames_dropped: 0 });
                handle(datagram, from);
            }
        }
        true
    }

    fn send_run(&self, run: &Run, bytes: &[u8]) {
        if run.count > 1 && !self.may_send_runs.get() {
            return self.send_one_by_one(run, bytes);
        }
        match self.transmit(run.to, bytes, (run.count > 1).then_some(run.segment)) {
            Ok(()) => self.note_sent(run.count, bytes.len()),
            Err(error) if run.count > 1 && is_no_run(&error) => {
                tracing::info!(%error, "the system sends no runs of datagrams");
                self.may_send_runs.set(false);
                self.send_one_by_one(run, bytes);
            }
            Err(_) => self.note_dropped(run.count),
        }
    }

    fn send_one_by_one(&self, run: &Run, bytes: &[u8]) {
        for datagram in bytes.chunks(run.segment) {
            match self.transmit(run.to, datagram, None) {
                Ok(()) => self.note_sent(1, datagram.len()),
                Err(_) => self.note_dropped(1),
            }
        }
    }

    fn transmit(&self, to: SocketAddr, contents: &[u8], segment_size: Option<usize>) -> io::Result<()> {
        let destination = if self.is_v6 { mapped(to) } else { to };
        let transmit = Transmit { destination, ecn: None, contents, segment_size, src_ip: None };
        // Past the runtime's idea of what is writable: it is behind, and nobody waits anyway.
        self.state.try_send((&self.socket).into(), &transmit)
    }

    fn note_sent(&self, count: usize, bytes: usize) {
        note(&self.sent, Traffic { bytes: bytes as u64, frames: count as u64, frames_dropped: 0 });
    }

    fn note_dropped(&self, count: usize) {
        note(&self.sent, Traffic { bytes: 0, frames: 0, frames_dropped: count as u64 });
    }
}

/// Where clients reach a socket bound to `local`: what the operator announces, else its own address, else
/// (it listens on all of them) the one by which this machine reaches the world, and the loopback one.
pub fn candidates(local: SocketAddr, announced: &[IpAddr]) -> Vec<SocketAddr> {
    let addresses = match announced {
        [] if local.ip().is_unspecified() => {
            let v4 = [towards(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into())];
            let v6 = [towards(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into())];
            let v6 = v6.into_iter().filter(|_| local.is_ipv6());
            v4.into_iter().chain(v6).flatten().chain([Ipv4Addr::LOCALHOST.into()]).collect()
        }
        [] => vec![local.ip()],
        announced => announced.to_vec(),
    };
    addresses.into_iter().map(|ip| SocketAddr::new(ip, local.port())).collect()
}

/// Our address on the way to `to`: the routing table is asked, nothing is sent.
fn towards(from: IpAddr, to: IpAddr) -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind((from, 0)).ok()?;
    socket.connect((to, 9)).ok()?;
    socket.local_addr().ok().map(|local| local.ip()).filter(|ip| !ip.is_unspecified())
}

fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(v4) => SocketAddr::new(v4.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    }
}

/// EIO and EINVAL: a device or a driver that does not segment.
fn is_no_run(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput) || error.raw_os_error() == Some(5)
}

fn note(traffic: &Cell<Traffic>, more: Traffic) {
    let mut sum = traffic.get();
    sum += more;
    traffic.set(sum);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn runs_arrive_as_single_datagrams_over_both_families() {
        for (listen, peer) in [("127.0.0.1:0", "127.0.0.1:0"), ("[::1]:0", "[::1]:0"), ("[::]:0", "127.0.0.1:0")] {
            let ours = Udp::new(bind(listen.parse().unwrap()).unwrap()).unwrap();
            let theirs = UdpSocket::bind(peer).await.unwrap();
            let to = theirs.local_addr().unwrap();
            let mut slab = Slab::default();
            for len in [100, 100, 100, 40, 100] {
                slab.add(to, |bytes| bytes.resize(bytes.len() + len, 9));
            }
            ours.send(&mut slab);

            let mut lens = Vec::new();
            let mut from = None;
            for _ in 0..5 {
                let mut buffer = [0; 200];
                let read = tokio::time::timeout(Duration::from_secs(30), theirs.recv_from(&mut buffer));
                let (len, sender) = read.await.expect("it arrives").unwrap();
                lens.push(len);
                from = Some(sender);
            }
            assert_eq!(lens, [100, 100, 100, 40, 100], "{listen}");
            assert_eq!(ours.traffic().1, Traffic { bytes: 440, frames: 5, frames_dropped: 0 });

            theirs.send_to(b"back", from.unwrap()).await.unwrap();
            tokio::time::timeout(Duration::from_secs(30), ours.readable()).await.expect("it arrives");
            let mut got = Vec::new();
            ours.receive(|datagram, from| got.push((datagram.to_vec(), from)));
            assert_eq!(got, [(b"back".to_vec(), to)], "{listen}");
        }
    }

    #[test]
    fn candidates_are_what_the_operator_says_or_what_can_be_reached() {
        let table: [(&str, &[&str], &[&str]); 3] = [
            ("10.1.2.3:7000", &[], &["10.1.2.3:7000"]),
            ("0.0.0.0:7000", &["203.0.113.5", "2001:db8::1"], &["203.0.113.5:7000", "[2001:db8::1]:7000"]),
            ("127.0.0.1:7001", &["203.0.113.5"], &["203.0.113.5:7001"]),
        ];
        for (local, announced, want) in table {
            let announced: Vec<IpAddr> = announced.iter().map(|ip| ip.parse().unwrap()).collect();
            let want: Vec<SocketAddr> = want.iter().map(|address| address.parse().unwrap()).collect();
            assert_eq!(candidates(local.parse().unwrap(), &announced), want, "{local}");
        }
        let all = candidates("0.0.0.0:7000".parse().unwrap(), &[]);
        assert!(all.contains(&"127.0.0.1:7000".parse().unwrap()) && all.iter().all(|a| !a.ip().is_unspecified()));
    }
}
