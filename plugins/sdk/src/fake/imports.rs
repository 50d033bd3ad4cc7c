//! The contract's imports, answered by the thread's fake host. Signatures are those of the bindings.

pub(crate) mod log {
    use crate::bindings::heliu::personality::log::Level;
    use crate::bindings::heliu::personality::types::Field;
    use crate::fake::state::current;

    pub(crate) fn write(level: Level, message: &str, fields: &[Field]) {
        let level = match level {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        let fields: String = fields.iter().map(|field| format!(" {}={}", field.name, field.value)).collect();
        current(|state| state.log.push(format!("{level} {message}{fields}")));
    }
}

pub(crate) mod ambient {
    use crate::fake::state::current;

    pub(crate) fn now() -> u64 {
        current(|state| state.now_ms)
    }

    /// Repeatable: a linear congruential generator (Knuth's MMIX) from zero.
    pub(crate) fn random(len: u32) -> Vec<u8> {
        current(|state| {
            let mut next = || {
                state.random =
                    state.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state.random.to_be_bytes()[0]
            };
            (0..len).map(|_| next()).collect()
        })
    }
}

pub(crate) mod transaction {
    use crate::bindings::heliu::personality::types::Error;
    use crate::fake::state::{State, current};

    pub(crate) fn commit() -> Result<(), Error> {
        current(State::commit);
        Ok(())
    }

    pub(crate) fn rollback() {
        current(State::roll_back);
    }
}

pub(crate) mod crypto {
    use aws_lc_rs::{digest, hmac};

    use crate::bindings::heliu::personality::crypto::{Hash, Key};
    use crate::fake::state::current;

    /// # Panics
    /// MD5, which the fake host does not have.
    pub(crate) fn digest(hash: Hash, data: &[u8]) -> Vec<u8> {
        let algorithm = match hash {
            Hash::Md5 => panic!("the fake host has no MD5"),
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, data).as_ref().to_vec()
    }

    /// # Panics
    /// MD5, which the fake host does not have.
    pub(crate) fn hmac(hash: Hash, key: &Key, data: &[u8]) -> Option<Vec<u8>> {
        let algorithm = match hash {
            Hash::Md5 => panic!("the fake host has no MD5"),
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        let key = match key {
            Key::Bytes(bytes) => bytes.clone(),
            Key::Secret(name) => current(|state| state.secrets.get(name).cloned())?.into_bytes(),
        };
        Some(hmac::sign(&hmac::Key::new(algorithm, &key), data).as_ref().to_vec())
    }
}

pub(crate) mod config {
    use crate::fake::state::current;

    pub(crate) fn read() -> String {
        let config = current(|state| state.config.clone());
        if config.is_empty() { "{}".to_owned() } else { config }
    }
}

pub(crate) mod store {
    use crate::bindings::heliu::personality::store::{Entry, Range};
    use crate::bindings::heliu::personality::types::Error;
    use crate::fake::state::{Record, current};

    const KEY_LEN_MAX: usize = 512;

    fn check(key: &str) -> Result<(), Error> {
        if key.is_empty() || key.len() > KEY_LEN_MAX { Err(Error::Invalid("key".to_owned())) } else { Ok(()) }
    }

    pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
        check(key)?;
        let get = |(name, record): (&String, &Record)| (name == key).then(|| record.value.clone());
        Ok(current(|state| state.records(key).find_map(get)))
    }

    pub(crate) fn put(key: &str, value: &[u8], ttl_s: Option<u32>) -> Result<(), Error> {
        check(key)?;
        current(|state| {
            let expires = ttl_s.map(|ttl_s| state.now_ms + u64::from(ttl_s) * 1_000);
            state.open.records.insert(key.to_owned(), Record { value: value.to_vec(), expires });
        });
        Ok(())
    }

    pub(crate) fn delete(key: &str) -> Result<(), Error> {
        check(key)?;
        current(|state| state.open.records.remove(key));
        Ok(())
    }

    pub(crate) fn clear(prefix: &str) -> Result<(), Error> {
        current(|state| state.open.records.retain(|key, _| !key.starts_with(prefix)));
        Ok(())
    }

    pub(crate) fn scan(range: &Range) -> Result<Vec<Entry>, Error> {
        let entry = |(key, record): (&String, &Record)| Entry { key: key.clone(), value: record.value.clone() };
        let (skip, limit) = (range.skip as usize, range.limit as usize);
        let after = range.after.as_ref();
        Ok(current(|state| {
            let records = state.records(&range.prefix);
            if range.reverse {
                let records = records.rev().filter(|(key, _)| after.is_none_or(|after| *key < after));
                records.skip(skip).take(limit).map(entry).collect()
            } else {
                let records = records.filter(|(key, _)| after.is_none_or(|after| *key > after));
                records.skip(skip).take(limit).map(entry).collect()
            }
        }))
    }

    pub(crate) fn count(prefix: &str) -> Result<u32, Error> {
        let count = current(|state| state.records(prefix).count());
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

pub(crate) mod alarms {
    use crate::bindings::heliu::personality::types::Error;
    use crate::fake::state::{AlarmRecord, current};

    pub(crate) fn set(name: &str, after_ms: u32, key: Option<&str>, payload: &str) -> Result<(), Error> {
        current(|state| {
            let due = state.now_ms + u64::from(after_ms);
            let alarm = AlarmRecord { due, key: key.map(str::to_owned), payload: payload.to_owned() };
            state.open.alarms.insert(name.to_owned(), alarm);
        });
        Ok(())
    }

    pub(crate) fn cancel(name: &str) -> Result<(), Error> {
        current(|state| state.open.alarms.remove(name));
        Ok(())
    }
}

pub(crate) mod mixers {
    use crate::bindings::heliu::personality::mixers::Mixer;
    use crate::bindings::heliu::personality::types::Error;
    use crate::fake::state::current;

    pub(crate) fn put(id: &str, mixer: &Mixer) -> Result<(), Error> {
        current(|state| {
            let others = state.open.mixers.keys().filter(|other| *other != id).count();
            if state.mixers_max.is_some_and(|mixers_max| others >= mixers_max) {
                return Err(Error::Exhausted("mixers".to_owned()));
            }
            state.open.mixers.insert(id.to_owned(), mixer.clone());
            Ok(())
        })
    }

    pub(crate) fn delete(id: &str) -> Result<(), Error> {
        current(|state| state.open.mixers.remove(id));
        Ok(())
    }
}

pub(crate) mod egresses {
    use crate::bindings::heliu::personality::egresses::Egress;
    use crate::bindings::heliu::personality::types::Error;
    use crate::fake::state::current;

    pub(crate) fn put(id: &str, egress: &Egress) -> Result<(), Error> {
        current(|state| {
            if state.denied_urls.contains(&egress.url) {
                return Err(Error::Denied("url".to_owned()));
            }
            state.open.egresses.insert(id.to_owned(), egress.clone());
            Ok(())
        })
    }

    pub(crate) fn delete(id: &str) -> Result<(), Error> {
        current(|state| state.open.egresses.remove(id));
        Ok(())
    }
}

pub(crate) mod addresses {
    use crate::bindings::heliu::personality::addresses::{Address, Place};
    use crate::bindings::heliu::personality::types::{Error, Field};
    use crate::fake::state::current;

    pub(crate) fn put(app: &str, name: &str, address: &Address) -> Result<(), Error> {
        current(|state| state.open.addresses.insert(format!("{app}/{name}"), address.clone()));
        Ok(())
    }

    pub(crate) fn delete(app: &str, name: &str) -> Result<(), Error> {
        current(|state| state.open.addresses.remove(&format!("{app}/{name}")));
        Ok(())
    }

    pub(crate) fn urls(app: &str, name: &str, authority: Option<&str>) -> Vec<Field> {
        let own = current(|state| state.own_authorities.first().cloned());
        let host = own.as_deref().or(authority).unwrap_or("localhost");
        vec![Field { name: "rtmp".to_owned(), value: format!("rtmp://{host}/{app}/{name}") }]
    }

    pub(crate) fn locate(url: &str) -> Option<Place> {
        let (_, rest) = url.split_once("://")?;
        let (authority, path) = rest.split_once('/')?;
        let authority = authority.strip_suffix(":1935").unwrap_or(authority);
        let is_own = |own: &String| own.strip_suffix(":1935").unwrap_or(own).eq_ignore_ascii_case(authority);
        if !current(|state| state.own_authorities.iter().any(is_own)) {
            return None;
        }
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let (app, name) = path.split_once('/')?;
        Some(Place { app: app.to_owned(), name: name.to_owned() })
    }
}

pub(crate) mod status {
    use crate::bindings::heliu::personality::status::{Job, Publication};
    use crate::bindings::heliu::personality::types::{Error, Noun};
    use crate::fake::state::current;

    pub(crate) fn publications(room: &str, ids: Option<&[String]>) -> Result<Vec<Publication>, Error> {
        let mut found = current(|state| state.publications.get(room).cloned()).unwrap_or_default();
        found.retain(|publication| ids.is_none_or(|ids| ids.contains(&publication.id)));
        Ok(found)
    }

    pub(crate) fn jobs(noun: Noun, ids: &[String]) -> Result<Vec<Job>, Error> {
        Ok(current(|state| ids.iter().filter_map(|id| state.job(noun, id)).collect()))
    }

    pub(crate) fn wait(noun: Noun, id: &str, _time_ms_max: u32) -> Result<Job, Error> {
        current(|state| {
            state.commit();
            state.job(noun, id).ok_or(Error::NotFound)
        })
    }
}
