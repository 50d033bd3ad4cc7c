//! Prometheus' text format, version 0.0.4: one family after the other, each with its help and type.
//!
//! Source: prometheus.io, "Exposition formats". Escaped are `\`, `"` and the line feed in the values of
//! labels; names and help are constants of this host and need none.

use std::fmt::Write;

/// What `Content-Type` says.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a family is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// A name that is exported.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
}

/// The text while it grows.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// A family of one sample.
    pub(super) fn value(&mut self, family: &Family, value: f64) {
        self.family(family, [([], value)]);
    }

    /// A family whose samples differ in their labels; without samples it is left out.
    pub(super) fn family<'a, const N: usize>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = ([(&'a str, &'a str); N], f64)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        let Family { name, kind, help } = family;
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
        for (labels, value) in samples {
            // The sum of nothing is -0, which reads like a mistake.
            let value = value + 0.0;
            let labels: Vec<String> =
                labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escape(text))).collect();
            match labels.is_empty() {
                true => self.line(format_args!("{name} {value}")),
                false => self.line(format_args!("{name}{{{}}} {value}", labels.join(","))),
            }
        }
    }

    /// All of it.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a string takes everything");
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILY: Family = Family { name: "heliu_things_total", kind: Kind::Counter, help: "Things." };

    #[test]
    fn a_family_has_its_help_its_type_and_its_samples() {
        let mut text = Exposition::default();
        text.value(&Family { name: "heliu_level", kind: Kind::Gauge, help: "How high." }, 1.5);
        text.family(&FAMILY, [([("kind", "a\"b\\c\nd"), ("way", "in")], 3.0), ([("kind", "e"), ("way", "out")], 1e15)]);
        let want = "# HELP heliu_level How high.\n# TYPE heliu_level gauge\nheliu_level 1.5\n\
                    # HELP heliu_things_total Things.\n# TYPE heliu_things_total counter\n\
                    heliu_things_total{kind=\"a\\\"b\\\\c\\nd\",way=\"in\"} 3\n\
                    heliu_things_total{kind=\"e\",way=\"out\"} 1000000000000000\n";
        assert_eq!(text.into_text(), want);
    }

    #[test]
    fn the_sum_of_nothing_is_nought() {
        let mut text = Exposition::default();
        text.value(&FAMILY, std::iter::empty::<f64>().sum());
        assert!(text.into_text().ends_with("\nheliu_things_total 0\n"));
    }

    #[test]
    fn a_family_without_samples_is_left_out() {
        let mut text = Exposition::default();
        text.family(&FAMILY, std::iter::empty::<([(&str, &str); 1], f64)>());
        assert_eq!(text.into_text(), "");
    }
}
