//! A command message taken apart (RTMP 1.0 §7.2).

use crate::amf::{self, Value};
use crate::error::Error;
use crate::message::{self, Message};

/// A name and what stands behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    pub name: String,
    /// 0: no answer is wanted.
    pub transaction: f64,
    /// The command object comes first.
    pub arguments: Vec<Value>,
}

impl Command {
    /// Reads a message of either command kind.
    pub fn read(message: &Message) -> Result<Self, Error> {
        let body = match message.kind {
            message::COMMAND_AMF3 => message.body.get(1..).unwrap_or_default(),
            _ => &message.body,
        };
        let mut values = amf::read_all(body)?.into_iter();
        let Some(Value::String(name)) = values.next() else { return Err(Error::Command) };
        // ffmpeg's server sends `onFCPublish` with nothing behind it.
        let transaction = values.next().as_ref().and_then(Value::as_number).unwrap_or(0.0);
        Ok(Self { name, transaction, arguments: values.collect() })
    }

    /// Does a refused `connect` name another server? (Adobe's `ex.code` 302, with `ex.redirect`.)
    pub fn is_redirect(&self) -> bool {
        let extra = self.arguments.get(1).and_then(|object| object.get("ex"));
        extra.and_then(|extra| extra.get("code")).and_then(Value::as_number) == Some(302.0)
    }

    /// Text of a member of the information object (the second argument): `code`, `level`, `description`.
    pub fn information(&self, member: &str) -> Option<&str> {
        self.arguments.get(1).and_then(|object| object.get(member)).and_then(Value::as_str)
    }
}
