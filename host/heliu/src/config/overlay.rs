//! Variables of the environment laid over the file: `HELIU_DATA_DIR`, and `HELIU_SECTION__KEY` for
//! every key: `HELIU_HTTP__0__LISTEN`, `HELIU_PLUGINS__MIX__COMPONENT`.
//!
//! A value is taken as TOML where the key's type allows it (`8`, `true`, `["a"]`), else as text. A
//! `-` in a table's name is written `_`. Variables without `__` belong to somebody else, except
//! `HELIU_DATA_DIR`. The file must be whole without them.

use toml::{Table, Value};

use super::{Config, ConfigError};

/// The configuration with all variables in force, in the order of their names.
pub(super) fn apply(
    mut table: Table,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut variables: Vec<_> = environment.filter(|(name, _)| is_ours(name)).collect();
    variables.sort();
    for (name, text) in variables {
        table = with_variable(&table, &name, &text).map_err(|message| ConfigError::InVariable { name, message })?;
    }
    let config = Config::from_table(table);
    Ok(config.expect("the file fitted, and so did every variable"))
}

fn is_ours(name: &str) -> bool {
    name.strip_prefix("HELIU_").is_some_and(|rest| rest == "DATA_DIR" || rest.contains("__"))
}

/// The first reading of the text that makes a whole configuration.
fn with_variable(table: &Table, name: &str, text: &str) -> Result<Table, String> {
    let path = name.trim_start_matches("HELIU_").to_ascii_lowercase();
    let path: Vec<&str> = path.split("__").collect();
    let mut trouble = String::new();
    for value in readings(text) {
        let mut root = Value::Table(table.clone());
        set(&mut root, &path, value)?;
        let Value::Table(changed) = root else { continue };
        match Config::from_table(changed.clone()) {
            Ok(_) => return Ok(changed),
            Err(error) => trouble = error.message().replace('\n', "; "),
        }
    }
    Err(trouble)
}

fn readings(text: &str) -> Vec<Value> {
    let typed = toml::from_str::<Table>(&format!("value = {text}")).ok().and_then(|mut table| table.remove("value"));
    typed.into_iter().chain([Value::String(text.to_owned())]).collect()
}

fn set(at: &mut Value, path: &[&str], value: Value) -> Result<(), String> {
    let [key, rest @ ..] = path else {
        *at = value;
        return Ok(());
    };
    let child = match at {
        Value::Table(table) => {
            let known = table.keys().find(|known| known.replace('-', "_") == *key).cloned();
            table.entry(known.unwrap_or_else(|| (*key).to_owned())).or_insert_with(|| empty(rest))
        }
        Value::Array(list) => element(list, key, rest)?,
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
            return Err(format!("there is no key under a {}", at.type_str()));
        }
    };
    set(child, rest, value)
}

/// An element that is there, or the one after the last.
fn element<'a>(list: &'a mut Vec<Value>, key: &str, rest: &[&str]) -> Result<&'a mut Value, String> {
    let index: usize = key.parse().map_err(|_| format!("{key:?} is no number of an element"))?;
    if index == list.len() {
        list.push(empty(rest));
    }
    let len = list.len();
    list.get_mut(index).ok_or_else(|| format!("there are only {len} elements before number {index}"))
}

/// What a missing key becomes before its children are set: a list if the next name is a number.
fn empty(rest: &[&str]) -> Value {
    match rest.first() {
        Some(next) if next.parse::<usize>().is_ok() => Value::Array(Vec::new()),
        _ => Value::Table(Table::new()),
    }
}

impl Config {
    fn from_table(table: Table) -> Result<Self, toml::de::Error> {
        table.try_into()
    }
}
