//! `log`: lines of the plugin in the operator's log.

use heliu_model::Namespace;
use wasmtime::Result;

use crate::bindings::log::{Host, Level};
use crate::bindings::types::Field;
use crate::call::{Call, Guest};
use crate::limit::Limit;
use crate::tape::{Question, Shown};

const LINE_LEN_MAX: usize = 8 * 1024;

impl Host for Guest {
    fn write(&mut self, level: Level, message: String, fields: Vec<Field>) -> Result<()> {
        let question = Question::new("log.write", (Shown(level), &message, Shown(&fields)));
        self.answer(question, |call| {
            if call.context.log_lines.take() {
                write(level, call, &line(&message, &fields));
            } else {
                call.context.stats.count_limit(Limit::LogLines);
            }
        })
    }

    fn last_words(&mut self, message: String, place: String) -> Result<()> {
        self.answer(Question::new("log.last-words", (&message, &place)), |call| {
            if !call.take_last_words() {
                return;
            }
            let place = line(&place, &[]);
            tracing::error!(plugin = %call.context.namespace, call = call.id, place, "{}", line(&message, &[]));
        })
    }
}

fn write(level: Level, call: &Call, line: &str) {
    let plugin: &Namespace = &call.context.namespace;
    let id = &call.id;
    match level {
        Level::Trace => tracing::trace!(%plugin, call = id, "{line}"),
        Level::Debug => tracing::debug!(%plugin, call = id, "{line}"),
        Level::Info => tracing::info!(%plugin, call = id, "{line}"),
        Level::Warn => tracing::warn!(%plugin, call = id, "{line}"),
        Level::Error => tracing::error!(%plugin, call = id, "{line}"),
    }
}

/// Message and fields as one line: a guest must not write lines in another's name.
fn line(message: &str, fields: &[Field]) -> String {
    let mut line = String::new();
    push(&mut line, message);
    for Field { name, value } in fields {
        push(&mut line, " ");
        push(&mut line, name);
        push(&mut line, "=");
        push(&mut line, value);
    }
    line
}

fn push(line: &mut String, text: &str) {
    for c in text.chars() {
        if line.len() >= LINE_LEN_MAX {
            return;
        }
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_and_is_bounded() {
        let field = Field { name: "a".into(), value: "1\u{1b}[31m".into() };
        assert_eq!(line("x\ny", &[field]), "x\\ny a=1\\u{1b}[31m");
        assert!(line(&"左".repeat(LINE_LEN_MAX), &[]).len() < LINE_LEN_MAX + 16);
    }
}
