//! May we ship code under this licence expression? (SPDX 2.3, annex D, and the older `/` for `OR`.)

/// Licences that ask for no more than their own text beside ours.
const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether some choice that the expression leaves consists of allowed licences.
pub(super) fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut words = &words[..];
    any_of(&mut words) && words.is_empty()
}

fn any_of(words: &mut &[&str]) -> bool {
    let mut is_allowed = all_of(words);
    while take(words, "OR") {
        is_allowed |= all_of(words);
    }
    is_allowed
}

fn all_of(words: &mut &[&str]) -> bool {
    let mut is_allowed = one(words);
    while take(words, "AND") {
        is_allowed &= one(words);
    }
    is_allowed
}

fn one(words: &mut &[&str]) -> bool {
    if take(words, "(") {
        let is_allowed = any_of(words);
        return take(words, ")") && is_allowed;
    }
    let [name, rest @ ..] = *words else { return false };
    *words = rest;
    match *words {
        ["WITH", exception, rest @ ..] => {
            *words = rest;
            ALLOWED.contains(&format!("{name} WITH {exception}").as_str())
        }
        _ => ALLOWED.contains(name),
    }
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let is_next = words.first() == Some(&word);
    if is_next {
        *words = &words[1..];
    }
    is_next
}

#[test]
fn a_choice_needs_one_allowed_side_and_a_sum_needs_all() {
    for (expression, want) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("", false),
        ("MIT OR GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("MIT/Apache-2.0", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT WITH LLVM-exception", false),
        ("ISC AND (GPL-2.0 OR ISC)", true),
        ("ISC AND (GPL-2.0 OR LGPL-2.1)", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT", false),
    ] {
        assert_eq!(is_allowed(expression), want, "{expression}");
    }
}
