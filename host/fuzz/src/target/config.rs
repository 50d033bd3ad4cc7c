//! The configuration file, and behind a zero byte the `HELIU_` variables, `NAME=value` lines. Whatever
//! is wrong is one sentence.
//!
//! The host's binary has no library, so its configuration is compiled here from its source: what it imports, this
//! package imports too.

use std::path::Path;

#[expect(dead_code, reason = "only its parser is wanted here")]
#[path = "../../../heliu/src"]
mod source {
    pub mod config;
}

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (file, variables) = text.split_once('\0').unwrap_or((text, ""));
    let variables = variables.lines().filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    match source::config::Config::parse(Path::new("etc/heliu.toml"), file, variables) {
        Ok(config) => assert!(!config.data_dir.as_os_str().is_empty()),
        Err(error) => {
            let sentence = error.to_string();
            assert!(!sentence.is_empty() && !sentence.contains('\n'), "one sentence: {sentence:?}");
        }
    }
}
