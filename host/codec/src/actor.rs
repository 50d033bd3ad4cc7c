//! One codec as an actor: inputs wait in its inbox, one at a time is worked on by some codec thread,
//! outputs wait to be polled.
//!
//! The machine inside is reached by one thread at a time because it *moves*: it lies in the mailbox
//! while idle or queued and is with the thread while running. A turn that panics loses the machine,
//! and the actor is over; the thread lives.
//!
//! Not here: what a full inbox or outbox drops. Each codec states its own rule.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Pool;
use crate::effort::{Effort, Work};
use crate::pool::{Place, Run, RunQueue};

/// Called whenever `poll` may have something. Runs on a codec thread, or on the thread that submits:
/// it should only leave a note.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What a codec threw away or could not use; each rule stands at its queue.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Inputs dropped because the inbox was full.
    pub overflowed: u64,
    /// Inputs dropped because a keyframe had to come first.
    pub awaited: u64,
    /// Outputs dropped because nobody polled in time, or because they came out of order.
    pub overtaken: u64,
    /// Inputs the codec could not use.
    pub damaged: u64,
    /// Gaps before an input that the codec filled with a guess.
    pub concealed: u64,
}

/// A codec: sequential, with its own state, fed with plain data.
pub(crate) trait Machine: Send + 'static {
    type Input: Send + 'static;
    type Output: Send + 'static;

    /// What its turns are; says before or after whom it runs, too.
    const WORK: Work;

    /// Works on one input.
    fn turn(&mut self, input: Self::Input, outlet: &mut Outlet<Self::Output>);

    /// What is told after a turn that panicked, if anything.
    fn crashed() -> Option<Self::Output>;

    /// Adds to the outbox under the codec's rule for a full one.
    fn deliver(outbox: &mut VecDeque<Self::Output>, output: Self::Output, stats: &mut Stats);
}

/// Where a turn leaves its results.
pub(crate) struct Outlet<O> {
    outputs: Vec<O>,
    stats: Stats,
    composing: Duration,
}

impl<O> Outlet<O> {
    pub(crate) fn send(&mut self, output: O) {
        self.outputs.push(output);
    }

    pub(crate) fn stats(&mut self) -> &mut Stats {
        &mut self.stats
    }

    /// A part of the turn that is [`Work::Compose`].
    pub(crate) fn note_composing(&mut self, span: Duration) {
        self.composing = span;
    }

    fn new() -> Self {
        Self { outputs: Vec::new(), stats: Stats::default(), composing: Duration::ZERO }
    }
}

/// The handle's side. Dropping it ends the actor.
pub(crate) struct Actor<M: Machine> {
    shared: Arc<Shared<M>>,
    /// Keeps the threads alive.
    _pool: Pool,
}

struct Shared<M: Machine> {
    mailbox: Mutex<Mailbox<M>>,
    queue: Arc<RunQueue>,
    wake: Wake,
}

pub(crate) struct Mailbox<M: Machine> {
    stage: Stage<M>,
    pub(crate) inbox: VecDeque<(Instant, M::Input)>,
    pub(crate) outbox: VecDeque<M::Output>,
    pub(crate) stats: Stats,
    /// Composing included.
    effort: Effort,
}

enum Stage<M> {
    Idle(Box<M>),
    Queued(Box<M>, Place),
    /// A codec thread has the machine.
    Running,
    /// The handle was dropped or a turn panicked.
    Ended,
}

impl<M: Machine> Actor<M> {
    pub(crate) fn new(pool: &Pool, machine: M, wake: Wake) -> Self {
        let mailbox = Mailbox {
            stage: Stage::Idle(Box::new(machine)),
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            stats: Stats::default(),
            effort: Effort::default(),
        };
        let shared = Shared { mailbox: Mutex::new(mailbox), queue: Arc::clone(pool.queue()), wake };
        Self { shared: Arc::new(shared), _pool: pool.clone() }
    }

    /// Changes the mailbox; whatever then waits in the inbox is scheduled.
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut Mailbox<M>) -> R) -> R {
        let mut mailbox = self.shared.lock();
        let result = change(&mut mailbox);
        if matches!(mailbox.stage, Stage::Ended) {
            mailbox.stats.overflowed += mailbox.inbox.len() as u64;
            mailbox.inbox.clear();
        }
        self.shared.schedule(&mut mailbox);
        result
    }

    pub(crate) fn poll(&self) -> Option<M::Output> {
        self.shared.lock().outbox.pop_front()
    }

    pub(crate) fn is_ended(&self) -> bool {
        matches!(self.shared.lock().stage, Stage::Ended)
    }

    /// Has all been worked on that was submitted?
    pub(crate) fn is_idle(&self) -> bool {
        let mailbox = self.shared.lock();
        mailbox.inbox.is_empty() && !matches!(mailbox.stage, Stage::Queued(..) | Stage::Running)
    }

    pub(crate) fn stats(&self) -> Stats {
        self.shared.lock().stats
    }

    pub(crate) fn effort(&self) -> Effort {
        self.shared.lock().effort
    }

    pub(crate) fn wake(&self) {
        (self.shared.wake)();
    }
}

impl<M: Machine> Drop for Actor<M> {
    fn drop(&mut self) {
        let mut mailbox = self.shared.lock();
        mailbox.inbox.clear();
        mailbox.outbox.clear();
        let stage = std::mem::replace(&mut mailbox.stage, Stage::Ended);
        drop(mailbox);
        if let Stage::Queued(_, place) = &stage {
            self.shared.queue.remove(*place);
        }
    }
}

impl<M: Machine> Shared<M> {
    fn lock(&self) -> MutexGuard<'_, Mailbox<M>> {
        // The only foreign code under this lock are the queue rules of this crate; they do not panic.
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the actor where its earliest deadline belongs, or takes it out of the queue.
    fn schedule(self: &Arc<Self>, mailbox: &mut Mailbox<M>) {
        let earliest = mailbox.inbox.iter().map(|(deadline, _)| *deadline).min();
        mailbox.stage = match (std::mem::replace(&mut mailbox.stage, Stage::Ended), earliest) {
            (Stage::Idle(machine), Some(deadline)) => self.enqueue(machine, deadline),
            (Stage::Queued(machine, place), Some(deadline)) if deadline != place.deadline => {
                self.queue.remove(place);
                self.enqueue(machine, deadline)
            }
            (Stage::Queued(machine, place), None) => {
                self.queue.remove(place);
                Stage::Idle(machine)
            }
            (stage, _) => stage,
        };
    }

    fn enqueue(self: &Arc<Self>, machine: Box<M>, deadline: Instant) -> Stage<M> {
        let run: Arc<dyn Run> = Arc::<Self>::clone(self);
        Stage::Queued(machine, self.queue.put(M::WORK.class(), deadline, run))
    }

    /// Takes the machine and its next input, unless the actor was moved or ended since it stood at `at`.
    fn begin(&self, at: Place) -> Option<(Box<M>, M::Input)> {
        let mut mailbox = self.lock();
        match std::mem::replace(&mut mailbox.stage, Stage::Running) {
            Stage::Queued(machine, place) if place == at => match mailbox.inbox.pop_front() {
                Some((_, input)) => Some((machine, input)),
                None => {
                    mailbox.stage = Stage::Idle(machine);
                    None
                }
            },
            stage => {
                mailbox.stage = stage;
                None
            }
        }
    }

    fn note(&self, busy: Duration, composing: Duration) {
        let ledger = &self.queue.ledger;
        ledger.add(M::WORK, busy.saturating_sub(composing));
        if !composing.is_zero() {
            ledger.add(Work::Compose, composing);
        }
    }

    fn finish(self: &Arc<Self>, machine: Option<Box<M>>, outlet: Outlet<M::Output>, busy: Duration) {
        let mut mailbox = self.lock();
        let mailbox = &mut *mailbox;
        mailbox.effort.add(busy);
        let rest = match (&mailbox.stage, machine) {
            (Stage::Running, Some(machine)) => {
                mailbox.stage = Stage::Idle(machine);
                None
            }
            (Stage::Running, None) => {
                mailbox.stage = Stage::Ended;
                mailbox.inbox.clear();
                None
            }
            (_, machine) => machine,
        };
        mailbox.stats.add(outlet.stats);
        if rest.is_none() {
            for output in outlet.outputs {
                M::deliver(&mut mailbox.outbox, output, &mut mailbox.stats);
            }
        }
        self.schedule(mailbox);
        drop(rest);
    }
}

impl<M: Machine> Run for Shared<M> {
    fn run(self: Arc<Self>, place: Place) {
        let Some((mut machine, input)) = self.begin(place) else { return };
        let mut outlet = Outlet::new();
        let start = Instant::now();
        let turn = catch_unwind(AssertUnwindSafe(|| machine.turn(input, &mut outlet)));
        let busy = start.elapsed();
        self.note(busy, outlet.composing);
        let has_output = !outlet.outputs.is_empty() || turn.is_err();
        match turn {
            Ok(()) => self.finish(Some(machine), outlet, busy),
            Err(panic) => {
                tracing::error!(reason = reason(panic.as_ref()), "codec crashed");
                outlet.outputs.extend(M::crashed());
                // Its state may be torn: a second panic while it is dropped must not pass either.
                drop(catch_unwind(AssertUnwindSafe(|| drop(machine))));
                self.finish(None, outlet, busy);
            }
        }
        if has_output {
            (self.wake)();
        }
    }
}

impl Stats {
    fn add(&mut self, more: Self) {
        self.overflowed += more.overflowed;
        self.awaited += more.awaited;
        self.overtaken += more.overtaken;
        self.damaged += more.damaged;
        self.concealed += more.concealed;
    }
}

fn reason(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_earliest_deadline_runs_first_and_each_actor_in_its_own_order() {
        let pool = Pool::start(1).unwrap();
        let (done, order) = channel();
        let plug = Plug::stop(&pool);
        let now = Instant::now();
        let [a, b, c] = ["a", "b", "c"].map(|name| actor(&pool, name, &done));

        a.tell(now + Duration::from_secs(3), "late");
        b.tell(now + Duration::from_secs(2), "middle");
        c.tell(now + Duration::from_secs(4), "last");
        c.tell(now + Duration::from_secs(1), "urgent");
        plug.pull();

        let ran: Vec<(&str, &str)> = (0..4).map(|_| next(&order)).collect();
        assert_eq!(ran, [("c", "last"), ("c", "urgent"), ("b", "middle"), ("a", "late")]);
    }

    #[test]
    fn sound_does_not_wait_for_pictures_that_are_overdue() {
        let pool = Pool::start(1).unwrap();
        let (done, order) = channel();
        let plug = Plug::stop(&pool);
        let picture = actor(&pool, "picture", &done);
        let sound = Actor::new(&pool, Sound(Named { name: "sound", done }), Arc::new(|| {}));
        picture.tell(Instant::now(), "overdue");
        picture.tell(Instant::now(), "overdue, too");
        sound.with(|mailbox| mailbox.inbox.push_back((Instant::now() + Duration::from_secs(1), "first all the same")));
        plug.pull();
        let ran: Vec<&str> = (0..3).map(|_| next(&order).0).collect();
        assert_eq!(ran, ["sound", "picture", "picture"]);
    }

    #[test]
    fn a_settled_pool_has_done_all_that_was_submitted() {
        let pool = Pool::start(2).unwrap();
        let (done, order) = channel();
        let actors = ["a", "b", "c"].map(|name| actor(&pool, name, &done));
        for round in 1..=20 {
            actors.iter().for_each(|actor| actor.tell(Instant::now(), "work"));
            pool.settle();
            assert_eq!(order.try_iter().count(), 3, "round {round}");
        }
    }

    #[test]
    fn a_panic_ends_its_actor_and_no_other() {
        let pool = Pool::start(1).unwrap();
        let (done, order) = channel();
        let [ill, well] = ["ill", "well"].map(|name| actor(&pool, name, &done));

        ill.tell(Instant::now(), "panic");
        ill.tell(Instant::now(), "ignored");
        well.tell(Instant::now(), "works");

        assert_eq!(next(&order), ("ill", "crashed"));
        assert_eq!(next(&order), ("well", "works"));
        assert!(ill.0.is_ended() && !well.0.is_ended());
        assert_eq!(ill.0.stats().overflowed + ill.0.with(|mailbox| mailbox.inbox.len() as u64), 0);
        ill.tell(Instant::now(), "ignored too");
        assert_eq!(ill.0.stats().overflowed, 1, "a dead actor keeps nothing");
    }

    #[test]
    fn a_dropped_handle_takes_its_work_out_of_the_queue() {
        let pool = Pool::start(1).unwrap();
        let (done, order) = channel();
        let plug = Plug::stop(&pool);
        let [gone, left] = ["gone", "left"].map(|name| actor(&pool, name, &done));

        gone.tell(Instant::now(), "never");
        left.tell(Instant::now(), "runs");
        drop(gone);
        plug.pull();

        assert_eq!(next(&order), ("left", "runs"));
        assert!(order.try_recv().is_err());
    }

    #[test]
    fn threads_end_with_the_last_handle() {
        let pool = Pool::start(3).unwrap();
        let queue = Arc::downgrade(pool.queue());
        let (done, order) = channel();
        let last = actor(&pool, "last", &done);
        drop(pool);
        last.tell(Instant::now(), "still runs");
        assert_eq!(next(&order), ("last", "still runs"));

        drop(last);
        while queue.strong_count() > 0 {
            std::thread::yield_now();
        }
    }

    /// Holds the only codec thread until pulled.
    struct Plug {
        _actor: Handle,
        release: Sender<()>,
    }

    impl Plug {
        fn stop(pool: &Pool) -> Self {
            let (release, released) = channel();
            let (running, runs) = channel();
            let released = Mutex::new(released);
            let wake: Wake = Arc::new(move || {
                running.send(()).unwrap();
                released.lock().unwrap().recv().unwrap();
            });
            let handle = Handle(Actor::new(pool, Named { name: "plug", done: channel().0 }, wake));
            handle.tell(Instant::now(), "plug");
            runs.recv().unwrap();
            Self { _actor: handle, release }
        }

        fn pull(&self) {
            self.release.send(()).unwrap();
        }
    }

    struct Handle(Actor<Named>);

    impl Handle {
        fn tell(&self, deadline: Instant, word: &'static str) {
            self.0.with(|mailbox| mailbox.inbox.push_back((deadline, word)));
        }
    }

    struct Named {
        name: &'static str,
        done: Sender<(&'static str, &'static str)>,
    }

    impl Drop for Named {
        fn drop(&mut self) {
            if self.name == "ill" {
                let _ = self.done.send((self.name, "crashed"));
            }
        }
    }

    impl Machine for Named {
        type Input = &'static str;
        type Output = ();
        const WORK: Work = Work::Compose;

        fn turn(&mut self, word: &'static str, outlet: &mut Outlet<()>) {
            assert!(word != "panic", "as the test wants");
            let _ = self.done.send((self.name, word));
            outlet.send(());
        }

        fn crashed() -> Option<()> {
            Some(())
        }

        fn deliver(outbox: &mut VecDeque<()>, (): (), _: &mut Stats) {
            outbox.push_back(());
        }
    }

    /// The same, in the class that goes first.
    struct Sound(Named);

    impl Machine for Sound {
        type Input = &'static str;
        type Output = ();
        const WORK: Work = Work::AudioDecode;

        fn turn(&mut self, word: &'static str, outlet: &mut Outlet<()>) {
            self.0.turn(word, outlet);
        }

        fn crashed() -> Option<()> {
            None
        }

        fn deliver(outbox: &mut VecDeque<()>, (): (), _: &mut Stats) {
            outbox.push_back(());
        }
    }

    fn actor(pool: &Pool, name: &'static str, done: &Sender<(&'static str, &'static str)>) -> Handle {
        Handle(Actor::new(pool, Named { name, done: done.clone() }, Arc::new(|| {})))
    }

    fn next(order: &Receiver<(&'static str, &'static str)>) -> (&'static str, &'static str) {
        order.recv_timeout(Duration::from_secs(30)).unwrap()
    }
}
