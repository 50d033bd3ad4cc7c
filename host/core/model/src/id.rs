//! Names of things. Plugins choose those of rooms, participants, publications, mixers and egresses;
//! the host invents those of endpoints.
//!
//! A *scoped* id is written `<namespace>/<local>`: the namespace is the plugin's name in the
//! configuration, so two plugins never meet under one id.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest id in bytes of UTF-8.
pub const ID_LEN_MAX: usize = 256;

/// Why a text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing at all.
    #[error("the id is empty")]
    Empty,
    /// Over 256 bytes.
    #[error("the id is longer than {ID_LEN_MAX} bytes")]
    TooLong,
    /// A control character.
    #[error("the id holds a control character")]
    ControlCharacter,
    /// A namespace with something else than `a-z 0-9 - _`.
    #[error("a namespace holds only a-z, 0-9, - and _")]
    Namespace,
    /// A scoped id without its `/`.
    #[error("the id names no namespace")]
    NoNamespace,
}

fn check(text: &str) -> Result<(), IdError> {
    match text {
        "" => Err(IdError::Empty),
        _ if text.len() > ID_LEN_MAX => Err(IdError::TooLong),
        _ if text.chars().any(char::is_control) => Err(IdError::ControlCharacter),
        _ => Ok(()),
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.as_str().parse()
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                $check(text)?;
                Ok(Self(text.into()))
            }
        }
    };
}

fn check_namespace(text: &str) -> Result<(), IdError> {
    check(text)?;
    let may_stand = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if text.bytes().all(may_stand) { Ok(()) } else { Err(IdError::Namespace) }
}

fn check_scoped(text: &str) -> Result<(), IdError> {
    let (namespace, local) = text.split_once('/').ok_or(IdError::NoNamespace)?;
    check_namespace(namespace)?;
    check(local)
}

text_id!(
    /// A plugin's name in the configuration: `a-z 0-9 - _`.
    Namespace,
    check_namespace
);
text_id!(
    /// An identity in a room.
    ParticipantId,
    check
);
text_id!(
    /// What an endpoint offers to its room.
    PublicationId,
    check
);
text_id!(
    /// The unit of routing and of ownership: `<namespace>/<room>`.
    RoomId,
    check_scoped
);
text_id!(
    /// A mixer intent: `<namespace>/<id>`.
    MixerId,
    check_scoped
);
text_id!(
    /// An egress intent: `<namespace>/<id>`.
    EgressId,
    check_scoped
);

macro_rules! scoped {
    ($name:ident) => {
        impl $name {
            /// Joins a namespace and an id chosen inside it.
            ///
            /// # Errors
            /// The local part is no id.
            pub fn new(namespace: &Namespace, local: &str) -> Result<Self, IdError> {
                check(local)?;
                Ok(Self(format!("{namespace}/{local}").into()))
            }

            /// Whose it is.
            #[must_use]
            pub fn namespace(&self) -> Namespace {
                Namespace(self.split().0.into())
            }

            /// As its plugin calls it.
            #[must_use]
            pub fn local(&self) -> &str {
                self.split().1
            }

            fn split(&self) -> (&str, &str) {
                self.0.split_once('/').expect("checked when it was made")
            }
        }
    };
}

scoped!(RoomId);
scoped!(MixerId);
scoped!(EgressId);

/// One media attachment of one worker. Invented by the host, never reused while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(pub u64);

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_printable() {
        for (text, want) in [
            ("", Err(IdError::Empty)),
            ("cam 1/左", Ok(())),
            ("a\nb", Err(IdError::ControlCharacter)),
            (&"x".repeat(256), Ok(())),
            (&"x".repeat(257), Err(IdError::TooLong)),
        ] {
            assert_eq!(text.parse::<ParticipantId>().map(|_| ()), want, "{text:?}");
        }
    }

    #[test]
    fn scoped_ids_know_their_namespace() {
        let room = RoomId::new(&"mix".parse().unwrap(), "app/7").unwrap();
        assert_eq!((room.as_str(), room.namespace().as_str(), room.local()), ("mix/app/7", "mix", "app/7"));
        assert_eq!("PING/x".parse::<RoomId>(), Err(IdError::Namespace));
        assert_eq!("x".parse::<RoomId>(), Err(IdError::NoNamespace));
    }
}
