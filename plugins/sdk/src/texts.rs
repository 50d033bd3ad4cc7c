//! Names and values that are all text (path parameters, query, forms) as typed values.
//!
//! A struct takes them by name; a plain type takes the only one. A number is the text of a number.

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use crate::json::Misfit;

/// Reads `T` from pairs. Of a repeated name the first counts.
pub(crate) fn read<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Misfit> {
    T::deserialize(Texts(pairs))
}

/// The pairs of `a=1&b=2`, percent-decoded, `+` as blank. None: bad escapes or no UTF-8.
pub(crate) fn split_query(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| Some((decode(n)?, decode(v)?))).collect()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

struct Texts<'a>(&'a [(String, String)]);

impl<'a> Texts<'a> {
    fn only(&self) -> Result<Text<'a>, Misfit> {
        match self.0 {
            [(_, value)] => Ok(Text(value)),
            _ => Err(de::Error::custom("needs a type with named fields")),
        }
    }
}

macro_rules! only {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            self.only()?.$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Texts<'_> {
    type Error = Misfit;

    only! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
        deserialize_str deserialize_string deserialize_char
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_map(Pairs { pairs: self.0, next: 0 })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i128 u128 bytes byte_buf option unit unit_struct seq tuple tuple_struct enum identifier ignored_any
    }
}

struct Pairs<'a> {
    pairs: &'a [(String, String)],
    next: usize,
}

impl<'de> MapAccess<'de> for Pairs<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        while let Some((name, _)) = self.pairs.get(self.next) {
            self.next += 1;
            let is_repeated = self.pairs[..self.next - 1].iter().any(|(former, _)| former == name);
            if !is_repeated {
                let name: StrDeserializer<'_, Misfit> = name.as_str().into_deserializer();
                return seed.deserialize(name).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some((name, value)) = self.next.checked_sub(1).and_then(|at| self.pairs.get(at)) else {
            return Err(de::Error::custom("a value was asked before its name"));
        };
        seed.deserialize(Text(value)).map_err(|misfit| misfit.inside(name))
    }
}

struct Text<'a>(&'a str);

macro_rules! parsed {
    ($($method:ident $visit:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match self.0.parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => visitor.visit_str(self.0),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_str(self.0)
    }

    parsed! {
        deserialize_bool visit_bool deserialize_i8 visit_i8 deserialize_i16 visit_i16
        deserialize_i32 visit_i32 deserialize_i64 visit_i64 deserialize_u8 visit_u8
        deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let text: StrDeserializer<'_, Misfit> = self.0.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Page {
        number: u32,
        size: Option<u8>,
        name: Option<String>,
    }

    #[test]
    fn a_query_is_read_by_name_or_refused() {
        let page = |number, size, name: Option<&str>| Page { number, size, name: name.map(str::to_owned) };
        for (query, want) in [
            ("number=7", Some(page(7, None, None))),
            ("&size=3&x=1&number=7&name=a+b%2f", Some(page(7, Some(3), Some("a b/")))),
            ("number=7&number=8", Some(page(7, None, None))),
            ("number=-7", None),
            ("number=7&size=300", None),
            ("", None),
            ("number=%7", None),
            ("number=%ff", None),
            ("number=%+1", None),
        ] {
            let got = split_query(query).and_then(|pairs| read::<Page>(&pairs).ok());
            assert_eq!(got, want, "{query}");
        }
    }

    #[test]
    fn a_plain_type_takes_the_only_value() {
        let pairs = [("id".to_owned(), "18446744073709551615".to_owned())];
        assert_eq!(read::<u64>(&pairs), Ok(u64::MAX));
        assert_eq!(read::<String>(&pairs).as_deref(), Ok("18446744073709551615"));
        assert!(read::<u32>(&pairs).is_err() && read::<String>(&[]).is_err());
    }
}
