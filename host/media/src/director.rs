//! What all workers share: where the others are, whom to ask, by which names we are known.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use heliu_model::{Address, Attempt, Event, Grant, Refusal, Revision, RoomId};
use heliu_room::GopBudget;
use tokio::sync::{mpsc, oneshot, watch};

use crate::acceptor::Client;
use crate::admit::Admit;
use crate::crowd::Crowd;
use crate::endpoint::{Relayed, Sourced};
use crate::flows::Flows;
use crate::negotiator::{Calling, Negotiating};
use crate::net::Connector;
use crate::own_names::OwnNames;
use crate::placement::worker_of;
use crate::viewing::Viewer;

/// What a worker is told. Its inbox holds [`Order::INBOX`] of them; who sends waits for room.
pub enum Order {
    /// A granted RTMP connection.
    Attach(Box<Client>),
    /// A granted viewer whose connection is the edge's.
    View(Box<Viewer>),
    /// A publisher from another room of this host.
    Relay(Box<Relayed>),
    /// A granted source of the operator.
    Source(Box<Sourced>),
    /// A granted offer of a browser.
    Negotiate(Box<Negotiating>),
    /// For a session of some worker.
    Call(Calling),
    /// From the reconciler.
    Command(heliu_model::Command),
    /// End everything; answered when the last connection is closed.
    Stop(oneshot::Sender<()>),
}

impl Order {
    /// Orders a worker may have waiting.
    pub const INBOX: usize = 1_024;
}

/// Shared by all workers and the edge.
pub struct Director {
    inboxes: Vec<mpsc::Sender<Order>>,
    addresses: Mutex<BTreeMap<Address, Revision>>,
    admit: Arc<dyn Admit>,
    edge: tokio::runtime::Handle,
    /// By which URLs this host is meant.
    pub own_names: OwnNames,
    /// Opens connections for pushes.
    pub connector: Connector,
    /// Which publication is made from which.
    pub flows: Flows,
    /// How many clients there may be.
    pub crowd: Crowd,
    /// What rooms keep for those who join late.
    pub gops: GopBudget,
    events: mpsc::Sender<Event>,
    /// Events nobody took in time.
    pub events_lost: AtomicU64,
    /// Ticks after each change of what is observed.
    pub changes: watch::Sender<u64>,
    connections: AtomicU64,
}

impl Director {
    /// `inboxes`: one per worker.
    pub fn new(
        inboxes: Vec<mpsc::Sender<Order>>,
        admit: Arc<dyn Admit>,
        edge: tokio::runtime::Handle,
        own_names: OwnNames,
        connector: Connector,
        events: mpsc::Sender<Event>,
        crowd: Crowd,
    ) -> Self {
        Self {
            inboxes,
            addresses: Mutex::default(),
            admit,
            edge,
            own_names,
            connector,
            flows: Flows::default(),
            crowd,
            gops: GopBudget::default(),
            events,
            events_lost: AtomicU64::new(0),
            changes: watch::Sender::new(0),
            connections: AtomicU64::new(0),
        }
    }

    /// Hands an order to the owner of a room. False: that worker is gone.
    pub async fn order(&self, room: &RoomId, order: Order) -> bool {
        self.inboxes[worker_of(room, self.inboxes.len())].send(order).await.is_ok()
    }

    /// Hands an order to every worker.
    pub async fn order_all(&self, make: impl Fn() -> Order) {
        for inbox in &self.inboxes {
            // A worker that is gone has nothing left to do.
            let _ = inbox.send(make()).await;
        }
    }

    /// Asks the control plane, on the edge's threads.
    pub async fn admit(&self, attempt: Attempt) -> Result<Grant, Refusal> {
        let answer = self.edge.spawn(self.admit.admit(attempt));
        answer.await.unwrap_or_else(|_| Err(Refusal { status: 503, reason: "admission failed".to_owned() }))
    }

    /// Tells the control plane. Media never waits for it: what does not fit is counted as lost.
    pub fn raise(&self, event: Event) {
        if self.events.try_send(event).is_err() {
            self.events_lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What is observed has changed.
    pub fn note_change(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// An id for a connection, unique in this run.
    pub fn next_connection(&self) -> String {
        format!("c{}", self.connections.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Opens a public name.
    pub fn put_address(&self, address: Address, revision: Revision) {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).insert(address, revision);
        self.note_change();
    }

    /// Closes a public name.
    pub fn remove_address(&self, address: &Address) {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
        self.note_change();
    }

    /// Public names in force.
    pub fn addresses(&self) -> BTreeMap<Address, Revision> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
