//! Events of one room that wait for their plugin, in order and bounded.

use std::collections::VecDeque;

use heliu_plugin::PluginEvent;

/// More than this, and all of them become one `room.resync`.
pub(crate) const WAITING_MAX: usize = 1_000;
pub(crate) const RESYNC: &str = "room.resync";
const CHANGED: &str = "publication.changed";

#[derive(Debug, Default)]
pub(crate) struct Lane {
    waiting: VecDeque<PluginEvent>,
}

impl Lane {
    /// Puts an event behind all others. A waiting `publication.changed` takes the newer content, unless
    /// something else about its subject came in between. Returns how many events gave way to a resync.
    pub(crate) fn push(&mut self, event: PluginEvent, resync: impl FnOnce() -> PluginEvent) -> u64 {
        if event.kind == CHANGED
            && let Some(last) = self.waiting.iter_mut().rev().find(|waiting| waiting.subject == event.subject)
            && last.kind == CHANGED
        {
            last.data = event.data;
            last.at = event.at;
            return 0;
        }
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(event);
            return 0;
        }
        self.fold(resync())
    }

    /// Gives up all that waits, and one more, for a resync. Returns how many.
    pub(crate) fn fold(&mut self, resync: PluginEvent) -> u64 {
        let folded = self.waiting.len() as u64 + 1;
        self.waiting.clear();
        self.waiting.push_back(resync);
        folded
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Tells the room's state before anything else that waits.
    pub(crate) fn push_first(&mut self, resync: PluginEvent) {
        if self.waiting.front().is_none_or(|first| first.kind != RESYNC) {
            self.waiting.push_front(resync);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<PluginEvent> {
        self.waiting.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use heliu_model::Timestamp;

    use super::*;

    #[test]
    fn waiting_changes_of_one_subject_become_the_newest() {
        let mut lane = Lane::default();
        for (kind, subject, data) in [
            ("publication.started", "a", "1"),
            (CHANGED, "a", "2"),
            (CHANGED, "b", "3"),
            (CHANGED, "a", "4"),
            ("publication.ended", "a", "5"),
            (CHANGED, "a", "6"),
            (CHANGED, "a", "7"),
        ] {
            lane.push(event(kind, subject, data), || unreachable!("there is room"));
        }
        assert_eq!(
            contents(&mut lane),
            [
                ("publication.started".into(), "1".into()),
                (CHANGED.into(), "4".into()),
                (CHANGED.into(), "3".into()),
                ("publication.ended".into(), "5".to_owned()),
                (CHANGED.to_owned(), "7".to_owned()),
            ]
        );
    }

    #[test]
    fn too_many_become_one_resync() {
        let mut lane = Lane::default();
        let mut folded = 0;
        for n in 0..=WAITING_MAX {
            folded += lane.push(event("publication.started", &n.to_string(), ""), || event(RESYNC, "", ""));
        }
        lane.push(event("publication.ended", "x", ""), || unreachable!("there is room again"));
        assert_eq!(folded, 1_001);
        let kinds: Vec<String> = contents(&mut lane).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, [RESYNC, "publication.ended"]);
    }

    fn event(kind: &str, subject: &str, data: &str) -> PluginEvent {
        PluginEvent {
            id: String::new(),
            kind: kind.into(),
            at: Timestamp(0),
            room: Some("r".into()),
            subject: subject.into(),
            attempt: 1,
            data: data.into(),
        }
    }

    fn contents(lane: &mut Lane) -> Vec<(String, String)> {
        std::iter::from_fn(|| lane.pop()).map(|event| (event.kind, event.data)).collect()
    }
}
