//! Does the operator's table fit the plugin's JSON Schema?
//!
//! The part of JSON Schema 2020-12 that configuration needs. A schema that uses more is refused at
//! load: a rule that is not checked would look as if it were.

use serde_json::Value;

/// Deeper schemas are refused rather than followed.
const DEPTH_MAX: usize = 16;

const CHECKED: [&str; 12] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
];
const TOLD_ONLY: [&str; 8] =
    ["title", "description", "default", "examples", "$schema", "$id", "$comment", "deprecated"];

/// Why a schema cannot be used, or a value does not fit it. The place is a path of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A keyword this host does not check, or a malformed one.
    #[error("the plugin's config-schema uses `{keyword}` in a way this host does not check")]
    NotServed {
        /// Which.
        keyword: String,
    },
    /// A key the schema does not name.
    #[error("`{place}` is no setting of this plugin")]
    Unknown {
        /// Which.
        place: String,
    },
    /// A key that must be there.
    #[error("`{place}` is missing")]
    Missing {
        /// Which.
        place: String,
    },
    /// A value of another type or out of range.
    #[error("`{place}` must be {want}")]
    Unfit {
        /// Which.
        place: String,
        /// In words.
        want: String,
    },
}

/// Checks `value`, which the operator knows under `place`.
///
/// # Errors
/// The first thing that does not fit, or a schema that is not served.
pub(crate) fn check(schema: &Value, value: &Value, place: &str) -> Result<(), SchemaError> {
    check_schema(schema, DEPTH_MAX)?;
    check_value(schema, value, place)
}

/// Every rule of the schema must be one that is checked, also where no value meets it.
fn check_schema(schema: &Value, depth: usize) -> Result<(), SchemaError> {
    let Value::Object(rules) = schema else {
        return if schema.is_boolean() { Ok(()) } else { not_served("schema") };
    };
    if depth == 0 {
        return not_served("nesting");
    }
    for (keyword, rule) in rules {
        let is_sound = match keyword.as_str() {
            "type" => types_of(rule).is_some_and(|types| types.iter().all(|name| is_type(name))),
            "properties" => {
                let Value::Object(properties) = rule else { return not_served(keyword) };
                properties.values().try_for_each(|schema| check_schema(schema, depth - 1))?;
                true
            }
            "additionalProperties" | "items" => {
                check_schema(rule, depth - 1)?;
                true
            }
            "required" => rule.as_array().is_some_and(|names| names.iter().all(Value::is_string)),
            "enum" => rule.is_array(),
            "minimum" | "maximum" => rule.is_number(),
            known if CHECKED.contains(&known) => rule.is_u64(),
            other => TOLD_ONLY.contains(&other),
        };
        if !is_sound {
            return not_served(keyword);
        }
    }
    Ok(())
}

fn not_served<T>(keyword: &str) -> Result<T, SchemaError> {
    Err(SchemaError::NotServed { keyword: keyword.to_owned() })
}

fn check_value(schema: &Value, value: &Value, place: &str) -> Result<(), SchemaError> {
    let Value::Object(rules) = schema else {
        return if schema == &Value::Bool(false) {
            Err(SchemaError::Unknown { place: place.to_owned() })
        } else {
            Ok(())
        };
    };
    let unfit = |want: String| Err(SchemaError::Unfit { place: place.to_owned(), want });
    if let Some(types) = rules.get("type").and_then(types_of)
        && !types.iter().any(|name| is_of_type(value, name))
    {
        return unfit(types.join(" or "));
    }
    if let Some(allowed) = rules.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        return unfit(format!("one of {}", allowed.join(", ")));
    }
    for (low, high, size, what) in [
        ("minimum", "maximum", value.as_f64(), ""),
        ("minLength", "maxLength", value.as_str().map(|text| text.chars().count() as f64), " characters"),
        ("minItems", "maxItems", value.as_array().map(|items| items.len() as f64), " entries"),
    ] {
        let Some(size) = size else { continue };
        for (keyword, is_low, word) in [(low, true, "at least"), (high, false, "at most")] {
            if let Some(bound) = rules.get(keyword).and_then(Value::as_f64)
                && (if is_low { size < bound } else { size > bound })
            {
                return unfit(format!("{word} {bound}{what}"));
            }
        }
    }
    if let Some(items) = rules.get("items")
        && let Some(values) = value.as_array()
    {
        for (at, value) in values.iter().enumerate() {
            check_value(items, value, &format!("{place}[{at}]"))?;
        }
    }
    check_members(rules, value, place)
}

fn check_members(rules: &serde_json::Map<String, Value>, value: &Value, place: &str) -> Result<(), SchemaError> {
    let Some(members) = value.as_object() else { return Ok(()) };
    let properties = rules.get("properties").and_then(Value::as_object);
    for (name, value) in members {
        let place = format!("{place}.{name}");
        let schema = properties.and_then(|known| known.get(name)).or_else(|| rules.get("additionalProperties"));
        if let Some(schema) = schema {
            check_value(schema, value, &place)?;
        }
    }
    let required = rules.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for name in required.iter().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            return Err(SchemaError::Missing { place: format!("{place}.{name}") });
        }
    }
    Ok(())
}

fn types_of(rule: &Value) -> Option<Vec<&str>> {
    match rule {
        Value::String(name) => Some(vec![name]),
        Value::Array(names) => names.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn is_type(name: &str) -> bool {
    matches!(name, "null" | "boolean" | "integer" | "number" | "string" | "array" | "object")
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_table_is_refused_by_the_name_of_its_key() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "key": { "type": "string", "minLength": 2, "description": "who may call" },
                "port": { "type": "integer", "minimum": 1, "maximum": 65535 },
                "mode": { "enum": ["a", "b"] },
                "hosts": { "type": "array", "items": { "type": ["string", "null"] }, "maxItems": 2 },
                "inner": { "type": "object", "properties": { "on": { "type": "boolean" } }, "required": ["on"] },
            },
            "additionalProperties": false,
            "required": ["key"],
        });
        for (value, want) in [
            (json!({ "key": "ab" }), None),
            (
                json!({ "key": "ab", "port": 1, "mode": "a", "hosts": ["x", null], "inner": { "on": true, "x": 1 } }),
                None,
            ),
            (json!({}), Some("`config.key` is missing")),
            (json!({ "key": "ab", "kye": 1 }), Some("`config.kye` is no setting of this plugin")),
            (json!({ "key": 1 }), Some("`config.key` must be string")),
            (json!({ "key": "a" }), Some("`config.key` must be at least 2 characters")),
            (json!({ "key": "ab", "port": 1.5 }), Some("`config.port` must be integer")),
            (json!({ "key": "ab", "port": 65536 }), Some("`config.port` must be at most 65535")),
            (json!({ "key": "ab", "mode": "c" }), Some("`config.mode` must be one of \"a\", \"b\"")),
            (json!({ "key": "ab", "hosts": ["x", 1] }), Some("`config.hosts[1]` must be string or null")),
            (json!({ "key": "ab", "hosts": ["", "", ""] }), Some("`config.hosts` must be at most 2 entries")),
            (json!({ "key": "ab", "inner": {} }), Some("`config.inner.on` is missing")),
            (json!([]), Some("`config` must be object")),
        ] {
            let got = check(&schema, &value, "config").err().map(|error| error.to_string());
            assert_eq!(got.as_deref(), want, "{value}");
        }
    }

    #[test]
    fn a_schema_that_is_not_checked_is_refused_even_where_no_value_meets_it() {
        for (schema, keyword) in [
            (json!({ "oneOf": [] }), "oneOf"),
            (json!({ "properties": { "a": { "$ref": "#/x" } } }), "$ref"),
            (json!({ "type": "text" }), "type"),
            (json!({ "minLength": -1 }), "minLength"),
            (json!("x"), "schema"),
        ] {
            let want = SchemaError::NotServed { keyword: keyword.to_owned() };
            assert_eq!(check(&schema, &json!({}), "config"), Err(want), "{schema}");
        }
        let deep = (0..20).fold(json!({}), |inner, _| json!({ "items": inner }));
        let want = SchemaError::NotServed { keyword: "nesting".to_owned() };
        assert_eq!(check(&deep, &json!({}), "config"), Err(want));
    }
}
