//! What this machine can carry: the operator's ceilings, over the mixers and egresses of all plugins.
//!
//! All of them are read in the call's own snapshot and noted as read, so that two calls that would
//! overshoot together conflict, and one of them runs again.

use heliu_model::{MixerIntent, Namespace};
use heliu_store::{Collection, Key};

use crate::bindings::types::Error;
use crate::plane::HostLimits;
use crate::transaction::OpenTransaction;

/// May this mixer be put beside all others?
///
/// # Errors
/// `exhausted("mixers")`, `exhausted("codec")`, or `already-exists` if another of the plugin's mixers
/// publishes under the same id in the same room.
pub(crate) fn check_mixer(
    transaction: &mut OpenTransaction,
    id: &str,
    intent: &MixerIntent,
    limits: HostLimits,
) -> Result<(), Error> {
    let own = Key::new(transaction.namespace(), Collection::Mixer, id);
    let mut others = 0;
    let mut pixels = intent.pixels_per_second();
    let mut was_there = false;
    for (key, bytes) in transaction.everywhere(Collection::Mixer)? {
        if key == own {
            was_there = true;
            continue;
        }
        let other = decode(&key.namespace, &bytes)?;
        if !other.is_elsewhere(intent) {
            return Err(Error::AlreadyExists);
        }
        others += 1;
        pixels = pixels.saturating_add(other.pixels_per_second());
    }
    // One that is only changed takes no further place, whatever the operator has lowered.
    if !was_there && others >= limits.mixers_max {
        return Err(Error::Exhausted("mixers".into()));
    }
    if pixels > limits.mixer_pixels_per_second_max {
        return Err(Error::Exhausted("codec".into()));
    }
    Ok(())
}

/// May this egress be put beside all others?
///
/// # Errors
/// `exhausted("egresses")`.
pub(crate) fn check_egress(transaction: &mut OpenTransaction, id: &str, limits: HostLimits) -> Result<(), Error> {
    let own = Key::new(transaction.namespace(), Collection::Egress, id);
    let all = transaction.everywhere(Collection::Egress)?;
    // As for mixers: a change takes no further place.
    if !all.contains_key(&own) && all.len() >= limits.egresses_max as usize {
        return Err(Error::Exhausted("egresses".into()));
    }
    Ok(())
}

fn decode(namespace: &Namespace, bytes: &[u8]) -> Result<MixerIntent, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        tracing::error!(plugin = %namespace, %error, "a stored mixer cannot be read");
        Error::Unavailable("store".into())
    })
}

#[cfg(test)]
mod tests {
    use heliu_model::{Encoding, Layout, RoomId, Scene, Size};
    use heliu_store::{CommitError, Store};

    use super::*;

    const LIMITS: HostLimits = HostLimits { mixers_max: 3, mixer_pixels_per_second_max: 500, egresses_max: 3 };

    #[tokio::test]
    async fn mixers_of_all_plugins_share_the_ceilings() {
        let store = Store::in_memory();
        for (what, plugin, id, intent, want) in [
            ("the first", "a", "1", mixer("a", "x", 100), None),
            ("the same again", "a", "1", mixer("a", "x", 200), None),
            ("one publication twice", "a", "2", mixer("a", "x", 1), Some(Error::AlreadyExists)),
            ("another plugin's", "b", "1", mixer("b", "x", 200), None),
            ("too many pixels", "b", "2", mixer("b", "y", 101), Some(Error::Exhausted("codec".into()))),
            ("the last", "b", "2", mixer("b", "y", 100), None),
            ("too many", "a", "2", mixer("a", "y", 0), Some(Error::Exhausted("mixers".into()))),
            ("a change that is too large", "a", "1", mixer("a", "x", 201), Some(Error::Exhausted("codec".into()))),
        ] {
            let mut call = begin(&store, plugin);
            assert_eq!(put(&mut call, id, &intent).err(), want, "{what}");
            store.commit(call.to_commit()).await.unwrap();
        }
        let mut call = begin(&store, "b");
        call.delete(Collection::Mixer, "2").unwrap();
        assert_eq!(put(&mut call, "3", &mixer("b", "z", 1)), Ok(()), "a place that the call itself made free");
    }

    #[tokio::test]
    async fn two_calls_cannot_overshoot_together() {
        let store = Store::in_memory();
        let mut calls = ["a", "b"].map(|plugin| begin(&store, plugin));
        for (call, plugin) in calls.iter_mut().zip(["a", "b"]) {
            put(call, "1", &mixer(plugin, "x", 300)).unwrap();
        }
        store.commit(calls[0].to_commit()).await.unwrap();
        assert!(matches!(store.commit(calls[1].to_commit()).await, Err(CommitError::Conflict)));
    }

    #[tokio::test]
    async fn egresses_of_all_plugins_share_the_ceiling() {
        let store = Store::in_memory();
        for (what, plugin, id, want) in [
            ("the first", "a", "1", None),
            ("another plugin's", "b", "1", None),
            ("the last", "a", "2", None),
            ("too many", "b", "2", Some(Error::Exhausted("egresses".into()))),
            ("one of them, changed", "b", "1", None),
        ] {
            let mut call = begin(&store, plugin);
            let checked = check_egress(&mut call, id, LIMITS);
            assert_eq!(checked.as_ref().err(), want.as_ref(), "{what}");
            if checked.is_ok() {
                call.put(Collection::Egress, id, b"{}".to_vec(), None).unwrap();
                store.commit(call.to_commit()).await.unwrap();
            }
        }
    }

    fn put(call: &mut OpenTransaction, id: &str, intent: &MixerIntent) -> Result<(), Error> {
        check_mixer(call, id, intent, LIMITS)?;
        call.put(Collection::Mixer, id, serde_json::to_vec(intent).unwrap(), None)
    }

    fn begin(store: &Store, plugin: &str) -> OpenTransaction {
        OpenTransaction::new(plugin.parse().unwrap(), store.snapshot().unwrap(), 1 << 20)
    }

    fn mixer(plugin: &str, publication: &str, pixels_per_second: u32) -> MixerIntent {
        let size = Some(Size { width: pixels_per_second, height: 1 });
        let scene = Scene {
            encoding: Encoding { size, frame_rate: Some(1), ..Encoding::default() },
            background: "#000000".into(),
            layout: Layout::Regions(vec![]),
        };
        MixerIntent {
            room: RoomId::new(&plugin.parse().unwrap(), "r").unwrap(),
            publication: publication.parse().unwrap(),
            scene: Some(scene),
            sound: None,
        }
    }
}
