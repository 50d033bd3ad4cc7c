//! What a call asked its host and what it was told, so that a run after an effect can be told the same.
//!
//! Every import whose answer is not a pure function of its arguments goes through here. A tape records
//! while the call runs live. If a transaction that began after an effect is lost, the tape is cut behind
//! that effect and played to a fresh instance: the effect happens once, log lines are written once, and
//! the guest comes to where it was. A guest that asks something else than it did has taken another way.
//!
//! What a tape may hold is bounded. One that is full forgets what came after the last effect; it can
//! still be played up to there, until the next effect makes the gap part of the past.

use std::any::Any;
use std::fmt::{self, Debug, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::bindings::addresses::Place;
use crate::bindings::status::{Job, Publication, Summary};
use crate::bindings::store::Entry;
use crate::bindings::types::{Error, Field};

/// Every answer costs something to keep, also an empty one.
const ANSWER_LEN: usize = 96;

/// An import and its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    import: &'static str,
    /// A digest: arguments may be large, and a guest gains nothing by finding two that look alike.
    arguments: u64,
}

/// Recorded answers, played first.
#[derive(Default)]
pub(crate) struct Tape {
    kept: Vec<Recorded>,
    /// How many of them were up to and with the last effect.
    effects_end: usize,
    /// How many of them are to be played, and have been.
    played_end: usize,
    played: usize,
    len: usize,
    len_max: usize,
    gap: Gap,
}

struct Recorded {
    question: Question,
    answer: Box<dyn Any + Send + Sync>,
    len: usize,
}

/// What is missing on a tape.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Gap {
    #[default]
    None,
    /// Something since the last effect.
    AtEnd,
    /// Something before an effect: it cannot be played.
    Inside,
}

/// The guest asks something else than it did in an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TookAnotherWay;

/// What an import answers.
pub(crate) trait Answer: Clone + Send + Sync + 'static {
    /// Bytes it takes to keep, about.
    fn len(&self) -> usize;

    /// Why the import refused, if it did.
    fn refusal(&self) -> Option<&Error> {
        None
    }
}

/// Arguments without a hash of their own, by how they show. For small ones.
pub(crate) struct Shown<T>(pub(crate) T);

impl Question {
    /// `import` is `interface.function`; two questions are one if arguments hash alike.
    pub(crate) fn new(import: &'static str, arguments: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        arguments.hash(&mut hasher);
        Self { import, arguments: hasher.finish() }
    }
}

impl Tape {
    /// An empty one that may keep `len_max` bytes.
    pub(crate) fn new(len_max: usize) -> Self {
        Self { len_max, ..Self::default() }
    }

    /// The recorded answer; `None`: ask the host.
    pub(crate) fn play<A: Answer>(&mut self, question: Question) -> Result<Option<A>, TookAnotherWay> {
        if !self.is_playing() {
            return Ok(None);
        }
        let recorded = &self.kept[self.played];
        let answer = recorded.answer.downcast_ref::<A>().filter(|_| recorded.question == question);
        let answer = answer.ok_or(TookAnotherWay)?.clone();
        self.played += 1;
        Ok(Some(answer))
    }

    /// Are there answers left to play?
    pub(crate) fn is_playing(&self) -> bool {
        self.played < self.played_end
    }

    /// Keeps a live answer. False: there is no room for it.
    pub(crate) fn record<A: Answer>(&mut self, question: Question, answer: &A) -> bool {
        if self.gap != Gap::None {
            return true;
        }
        let len = answer.len() + ANSWER_LEN;
        if self.len + len > self.len_max {
            self.cut();
            self.gap = Gap::AtEnd;
            return false;
        }
        self.len += len;
        self.kept.push(Recorded { question, answer: Box::new(answer.clone()), len });
        true
    }

    /// What was recorded last is an effect: from here on it has happened.
    pub(crate) fn mark_effect(&mut self) {
        match self.gap {
            Gap::None => self.effects_end = self.kept.len(),
            Gap::AtEnd | Gap::Inside => {
                self.gap = Gap::Inside;
                self.effects_end = 0;
                self.cut();
            }
        }
    }

    /// Did an effect happen?
    pub(crate) fn has_effects(&self) -> bool {
        self.effects_end > 0 || self.gap == Gap::Inside
    }

    /// Back to the beginning, to be played up to the last effect; `None`: something of it is missing.
    pub(crate) fn rewound(mut self) -> Option<Self> {
        if self.gap == Gap::Inside {
            return None;
        }
        self.cut();
        (self.gap, self.played, self.played_end) = (Gap::None, 0, self.effects_end);
        Some(self)
    }

    /// Forgets what came after the last effect.
    fn cut(&mut self) {
        let forgotten: usize = self.kept.drain(self.effects_end..).map(|recorded| recorded.len).sum();
        self.len -= forgotten;
    }
}

/// Says where it stands, not what is on it: answers may hold secrets.
impl Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tape({} of {} played, {:?})", self.played, self.played_end, self.gap)
    }
}

impl<T: Debug> Hash for Shown<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        struct Into<'a, H>(&'a mut H);
        impl<H: Hasher> fmt::Write for Into<'_, H> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.write(text.as_bytes());
                Ok(())
            }
        }
        write!(Into(state), "{:?}", self.0).expect("a hasher takes everything");
    }
}

impl<T: Answer> Answer for Result<T, Error> {
    fn len(&self) -> usize {
        self.as_ref().map_or(0, Answer::len)
    }

    fn refusal(&self) -> Option<&Error> {
        self.as_ref().err()
    }
}

impl<T: Answer> Answer for Option<T> {
    fn len(&self) -> usize {
        self.as_ref().map_or(0, Answer::len)
    }
}

/// Lists of records: what they hold, and themselves.
macro_rules! lists {
    ($($record:ty: |$each:ident| $len:expr;)*) => {
        $(impl Answer for Vec<$record> {
            fn len(&self) -> usize {
                self.iter().map(|$each| size_of::<$record>() + $len).sum()
            }
        })*
    };
}

lists! {
    Entry: |entry| entry.key.len() + entry.value.len();
    Field: |field| field.name.len() + field.value.len();
    Publication: |publication| publication.id.len() + publication.tracks.len() * 256;
    Summary: |summary| summary.room.len();
    Job: |job| job.len();
}

impl Answer for Vec<u8> {
    fn len(&self) -> usize {
        self.len()
    }
}

impl Answer for String {
    fn len(&self) -> usize {
        self.len()
    }
}

impl Answer for Job {
    fn len(&self) -> usize {
        self.id.len() + self.detail.len()
    }
}

impl Answer for Place {
    fn len(&self) -> usize {
        self.app.len() + self.name.len()
    }
}

/// Answers without a tail.
macro_rules! small {
    ($($answer:ty)*) => {
        $(impl Answer for $answer {
            fn len(&self) -> usize {
                0
            }
        })*
    };
}

small! { () u32 u64 i64 }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_plays_what_it_recorded_up_to_the_last_effect() {
        let mut tape = Tape::new(1 << 20);
        for (import, answer, is_effect) in [("a", 1_u32, false), ("effect", 2, true), ("b", 3, false)] {
            assert_eq!(tape.play::<u32>(ask(import)), Ok(None), "{import}: live");
            assert!(tape.record(ask(import), &answer), "{import}");
            if is_effect {
                tape.mark_effect();
            }
        }
        let mut tape = tape.rewound().unwrap();
        assert_eq!(tape.play(ask("a")), Ok(Some(1_u32)));
        assert!(tape.is_playing());
        assert_eq!(tape.play(ask("effect")), Ok(Some(2_u32)));
        assert_eq!(tape.play::<u32>(ask("b")), Ok(None), "live again");
        assert!(tape.record(ask("c"), &4_u32));
        let mut tape = tape.rewound().unwrap();
        assert_eq!(tape.play(ask("a")), Ok(Some(1_u32)), "once more, from the beginning");
    }

    #[test]
    fn another_way_is_noticed() {
        for (what, question) in [("another import", ask("b")), ("other arguments", Question::new("a", "other"))] {
            let mut tape = Tape::new(1 << 20);
            tape.record(ask("a"), &1_u32);
            tape.mark_effect();
            assert_eq!(tape.rewound().unwrap().play::<u32>(question), Err(TookAnotherWay), "{what}");
        }
    }

    #[test]
    fn a_full_tape_can_be_played_up_to_the_effect_before() {
        let mut tape = Tape::new(2 * ANSWER_LEN + 10);
        tape.record(ask("effect"), &());
        tape.mark_effect();
        assert!(!tape.record(ask("large"), &vec![0_u8; ANSWER_LEN]), "it says so once");
        assert!(tape.record(ask("small"), &1_u32), "a gap takes everything");
        let mut tape = tape.rewound().unwrap();
        assert_eq!(tape.play(ask("effect")), Ok(Some(())));
        assert!(!tape.is_playing());

        tape.record(ask("large"), &vec![0_u8; ANSWER_LEN]);
        tape.mark_effect();
        assert!(tape.has_effects());
        assert!(tape.rewound().is_none(), "a part of the past is missing");
    }

    #[test]
    fn arguments_that_show_differently_are_different() {
        let shown = |x: f32| Question::new("a", Shown(x));
        assert_eq!(shown(0.5), shown(0.5));
        assert_ne!(shown(0.5), shown(0.25));
    }

    fn ask(import: &'static str) -> Question {
        Question::new(import, ())
    }
}
