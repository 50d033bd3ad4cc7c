//! JSON whose errors name the place: `channel.appId`, `outputs[2]`.
//!
//! The text becomes a [`Value`] first, so a repeated key is the last one's and an unknown key nobody's;
//! then the value is walked with the path in hand. Numbers keep 64 bits.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Map, Value};

/// What does not fit, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// `channel.appId`, `outputs[2]`; empty: the whole value.
    pub place: String,
    /// For people.
    pub why: String,
}

impl Misfit {
    fn whole(why: impl fmt::Display) -> Self {
        Self { place: String::new(), why: why.to_string() }
    }

    pub(crate) fn inside(mut self, outer: &str) -> Self {
        let joint = if self.place.is_empty() || self.place.starts_with('[') { "" } else { "." };
        self.place = format!("{outer}{joint}{}", self.place);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => f.write_str(&self.why),
            place => write!(f, "{place}: {}", self.why),
        }
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self::whole(why)
    }

    fn missing_field(field: &'static str) -> Self {
        Self { place: field.to_owned(), why: "is missing".to_owned() }
    }
}

/// Reads a text.
///
/// # Errors
/// It is no JSON, or does not fit `T`.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, Misfit> {
    let value: Value = serde_json::from_slice(text).map_err(Misfit::whole)?;
    from_value(&value)
}

/// Reads a value.
///
/// # Errors
/// It does not fit `T`.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Misfit> {
    T::deserialize(Walk(value))
}

struct Walk<'de>(&'de Value);

impl<'de> Walk<'de> {
    fn number<V: Visitor<'de>>(number: &serde_json::Number, visitor: V) -> Result<V::Value, Misfit> {
        if let Some(number) = number.as_u64() {
            visitor.visit_u64(number)
        } else if let Some(number) = number.as_i64() {
            visitor.visit_i64(number)
        } else {
            visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
        }
    }
}

impl<'de> Deserializer<'de> for Walk<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => Self::number(number, visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items { items: items.iter(), index: 0 }),
            Value::Object(members) => visitor.visit_map(Members { members: members.iter(), value: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        // serde would take an array for a struct, too; JSON callers mean an object. Members come in
        // the order of declaration, so that of several misfits always the same one is told.
        let Value::Object(members) = self.0 else {
            return Err(Misfit::whole("is no object"));
        };
        visitor.visit_map(Declared { members, fields: fields.iter(), value: None })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.0.deserialize_enum(name, variants, visitor).map_err(Misfit::whole)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'de> {
    items: std::slice::Iter<'de, Value>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let place = format!("[{}]", self.index);
        self.index += 1;
        seed.deserialize(Walk(item)).map(Some).map_err(|misfit| misfit.inside(&place))
    }
}

struct Members<'de> {
    members: serde_json::map::Iter<'de>,
    value: Option<(&'de str, &'de Value)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some((name, value)) = self.members.next() else { return Ok(None) };
        self.value = Some((name, value));
        let name: StrDeserializer<'_, Misfit> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        value_of(self.value.take(), seed)
    }
}

struct Declared<'de> {
    members: &'de Map<String, Value>,
    fields: std::slice::Iter<'static, &'static str>,
    value: Option<(&'de str, &'de Value)>,
}

impl<'de> MapAccess<'de> for Declared<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let member = self.fields.find_map(|field| Some((*field, self.members.get(*field)?)));
        let Some((name, value)) = member else { return Ok(None) };
        self.value = Some((name, value));
        let name: StrDeserializer<'_, Misfit> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        value_of(self.value.take(), seed)
    }
}

fn value_of<'de, V: DeserializeSeed<'de>>(member: Option<(&str, &'de Value)>, seed: V) -> Result<V::Value, Misfit> {
    let (name, value) = member.ok_or_else(|| Misfit::whole("a value was asked before its name"))?;
    seed.deserialize(Walk(value)).map_err(|misfit| misfit.inside(name))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Order {
        channel: Channel,
        outputs: Vec<String>,
        id: Option<u64>,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Channel {
        #[serde(rename = "appId")]
        app: String,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Mix,
    }

    #[test]
    fn a_misfit_names_its_place() {
        for (text, place) in [
            ("[]", ""),
            ("{", ""),
            ("7", ""),
            ("{}", "channel"),
            (r#"{"channel":7}"#, "channel"),
            (r#"{"channel":[]}"#, "channel"),
            (r#"{"channel":{}}"#, "channel.appId"),
            (r#"{"channel":{"appId":1}}"#, "channel.appId"),
            (r#"{"outputs":7,"channel":{"appId":1}}"#, "channel.appId"),
            (r#"{"channel":{"appId":"a"},"outputs":["a",null]}"#, "outputs[1]"),
            (r#"{"channel":{"appId":"a"},"outputs":[],"id":-1}"#, "id"),
            (r#"{"channel":{"appId":"a"},"outputs":[],"kind":"x"}"#, "kind"),
        ] {
            assert_eq!(from_slice::<Order>(text.as_bytes()).unwrap_err().place, place, "{text}");
        }
    }

    #[test]
    fn what_fits_keeps_64_bits_and_tolerates_the_rest() {
        let text =
            br#"{"id":1,"x":{},"channel":{"appId":"a","y":[]},"outputs":["b"],"kind":"mix","id":18446744073709551615}"#;
        let order: Order = from_slice(text).unwrap();
        assert_eq!((order.id, order.kind, order.channel.app.as_str()), (Some(u64::MAX), Some(Kind::Mix), "a"));
    }
}
