//! A record and its key as they lie on disk: a sized key, then the record.
//!
//! What reads writes back the same bytes; one flipped bit is noticed.

use heliu_model::{Revision, Timestamp};
use heliu_store::{Key, Record};

use crate::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let key = script.sized();
    let raw = script.rest();
    if let Some(parsed) = Key::from_bytes(key) {
        assert_eq!(parsed.to_bytes(), key);
    }
    if let Some(record) = Record::decode(key, raw) {
        assert_eq!(record.encode(key), raw);
    }
    written(key, script);
}

/// A record of the same bytes comes back, and does not once a bit of it or of its key has turned.
fn written(key: &[u8], mut script: Script<'_>) {
    let (at, revision, expires) = (usize::from(script.short()), script.long(), script.byte());
    let record = Record {
        bytes: script.rest().into(),
        revision: Revision(revision.into()),
        expires: (expires > 0).then_some(Timestamp(expires.into())),
    };
    let raw = record.encode(key);
    assert_eq!(Record::decode(key, &raw), Some(record));
    let mut torn = [key, &raw].concat();
    let at = at % torn.len();
    torn[at] ^= 1 << (revision & 7);
    let (key, raw) = torn.split_at(key.len());
    assert_eq!(Record::decode(key, raw), None, "bit turned at {at}");
}
