//! AMF0, as far as RTMP commands need it. Bounded in depth and in the number of values.

use crate::error::Error;

const DEPTH_MAX: u32 = 8;
/// A file that is sent as it is carries an index of its keyframes in its metadata.
const VALUES_MAX: u32 = 4_096;

/// One value. Dates, references, XML and the like are read over as `Undefined`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Number(f64),
    Boolean(bool),
    String(String),
    Object(Vec<(String, Value)>),
    Array(Vec<Value>),
    Null,
    Undefined,
}

impl Value {
    pub fn text(text: &str) -> Self {
        Self::String(text.to_owned())
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Boolean(bool) => Some(f64::from(u8::from(*bool))),
            _ => None,
        }
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// All values of a message.
pub fn read_all(bytes: &[u8]) -> Result<Vec<Value>, Error> {
    let mut reader = Reader { rest: bytes, values: 0 };
    let mut values = Vec::new();
    while !reader.rest.is_empty() {
        values.push(reader.value(0)?);
    }
    Ok(values)
}

/// Values one after the other.
pub fn write_all(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    values.iter().for_each(|value| write(value, &mut out));
    out
}

struct Reader<'a> {
    rest: &'a [u8],
    values: u32,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: u32) -> Result<Value, Error> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            return Err(Error::Command);
        }
        match self.take::<1>()?[0] {
            0x00 => Ok(Value::Number(f64::from_be_bytes(self.take()?))),
            0x01 => Ok(Value::Boolean(self.take::<1>()?[0] != 0)),
            0x02 => self.short_text().map(Value::String),
            0x03 => self.members(depth).map(Value::Object),
            0x05 => Ok(Value::Null),
            0x06 | 0x0d => Ok(Value::Undefined),
            0x07 => self.take::<2>().map(|_| Value::Undefined),
            0x08 => {
                // An ECMA array is an object; its count is a hint nobody keeps.
                self.take::<4>()?;
                self.members(depth).map(Value::Object)
            }
            0x0a => {
                let count = u32::from_be_bytes(self.take()?);
                (0..count).map(|_| self.value(depth + 1)).collect::<Result<_, _>>().map(Value::Array)
            }
            0x0b => self.take::<10>().map(|_| Value::Undefined),
            0x0c => self.long_text().map(Value::String),
            0x0f => self.long_text().map(|_| Value::Undefined),
            // AMF3 begins, for which no command and no metadata is waited: it is read over to the end.
            0x11 if depth == 0 => {
                self.rest = &[];
                Ok(Value::Undefined)
            }
            0x10 => {
                self.short_text()?;
                self.members(depth).map(Value::Object)
            }
            _ => Err(Error::Command),
        }
    }

    fn members(&mut self, depth: u32) -> Result<Vec<(String, Value)>, Error> {
        let mut members = Vec::new();
        loop {
            if self.rest.starts_with(&[0, 0, 9]) {
                self.rest = &self.rest[3..];
                return Ok(members);
            }
            // Some encoders leave the end of the last array out.
            if self.rest.is_empty() && depth == 0 {
                return Ok(members);
            }
            let name = self.short_text()?;
            members.push((name, self.value(depth + 1)?));
        }
    }

    fn short_text(&mut self) -> Result<String, Error> {
        let len = u16::from_be_bytes(self.take()?);
        self.text(usize::from(len))
    }

    fn long_text(&mut self) -> Result<String, Error> {
        let len = u32::from_be_bytes(self.take()?);
        self.text(usize::try_from(len).map_err(|_| Error::Command)?)
    }

    fn text(&mut self, len: usize) -> Result<String, Error> {
        let (text, rest) = self.rest.split_at_checked(len).ok_or(Error::Command)?;
        self.rest = rest;
        // Replaced characters would make one name of two.
        String::from_utf8(text.to_vec()).map_err(|_| Error::Command)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(Error::Command)?;
        self.rest = rest;
        Ok(*head)
    }
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Number(number) => {
            out.push(0x00);
            out.extend(number.to_be_bytes());
        }
        Value::Boolean(bool) => out.extend([0x01, u8::from(*bool)]),
        Value::String(text) => {
            out.push(0x02);
            write_name(text, out);
        }
        Value::Object(members) => {
            out.push(0x03);
            for (name, value) in members {
                write_name(name, out);
                write(value, out);
            }
            out.extend([0, 0, 9]);
        }
        Value::Array(values) => {
            out.push(0x0a);
            out.extend(u32::try_from(values.len()).unwrap_or(u32::MAX).to_be_bytes());
            values.iter().for_each(|value| write(value, out));
        }
        Value::Null => out.push(0x05),
        Value::Undefined => out.push(0x06),
    }
}

/// Names and texts of ours are short; a longer one is cut at a character.
fn write_name(text: &str, out: &mut Vec<u8>) {
    let len = text.floor_char_boundary(usize::from(u16::MAX));
    out.extend(u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(&text.as_bytes()[..len]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let values = vec![
            Value::text("connect"),
            Value::Number(1.0),
            Value::Object(vec![
                ("app".to_owned(), Value::text("live")),
                ("inner".to_owned(), Value::Object(vec![("x".to_owned(), Value::Boolean(true))])),
            ]),
            Value::Null,
            Value::Array(vec![Value::Undefined, Value::Number(-0.5)]),
        ];
        assert_eq!(read_all(&write_all(&values)).unwrap(), values);
    }

    #[test]
    fn what_nests_or_counts_without_end_is_refused() {
        let mut deep = Vec::new();
        (0..100).for_each(|_| deep.extend([0x03, 0, 1, b'a']));
        assert_eq!(read_all(&deep), Err(Error::Command));
        let mut long = vec![0x0a, 0xff, 0xff, 0xff, 0xff];
        long.extend([0x05; 5_000]);
        assert_eq!(read_all(&long), Err(Error::Command));
        assert_eq!(read_all(&[0x0c, 0xff, 0xff, 0xff, 0xff]), Err(Error::Command));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_all(&bytes);
        }
    }
}
