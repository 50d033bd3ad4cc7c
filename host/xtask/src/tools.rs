//! Which tools a build needs beside cargo, and what to do where one is missing.
//!
//! `plan` is pure: it asks its questions about the machine through a parameter, so a test can hide
//! each tool in turn.
//!
//! Not here: looking (`machine`) and doing (`install`).

/// What a tool is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Building and starting heliu.
    Run,
    /// Also the tests.
    Test,
}

/// A question to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Is there such a command on the path?
    Command(&'static str),
    /// Is there such a file or folder?
    File(&'static str),
    /// Does any compiler here make wasm already?
    WasmCompiler,
    /// May we install without asking for a password?
    Root,
}

/// Where a missing tool comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A Debian package.
    Apt(&'static str),
    /// `cargo install --locked`.
    Cargo(&'static str),
}

struct Tool {
    /// What shows that it is here; any one is enough.
    probes: &'static [Probe],
    source: Source,
    purpose: Purpose,
    /// Completes "… is missing: it".
    why: &'static str,
}

/// One table. The order is that of the sentences.
const TOOLS: [Tool; 8] = [
    Tool {
        probes: &[Probe::Command("cmake")],
        source: Source::Apt("cmake"),
        purpose: Purpose::Run,
        why: "builds the Opus codec",
    },
    Tool {
        probes: &[Probe::Command("nasm")],
        source: Source::Apt("nasm"),
        purpose: Purpose::Run,
        why: "gives the H.264 codec its fast code",
    },
    Tool {
        probes: &[Probe::Command("g++")],
        source: Source::Apt("g++"),
        purpose: Purpose::Run,
        why: "compiles the H.264 codec",
    },
    Tool {
        probes: &[Probe::WasmCompiler, Probe::File("/usr/share/doc/rustc-web")],
        source: Source::Apt("rustc-web"),
        purpose: Purpose::Run,
        why: "compiles plugins to wasm",
    },
    Tool {
        probes: &[Probe::WasmCompiler, Probe::File("/usr/share/doc/rust-web-src")],
        source: Source::Apt("rust-web-src"),
        purpose: Purpose::Run,
        why: "is the standard library that plugins are compiled with",
    },
    Tool {
        probes: &[Probe::Command("ffmpeg")],
        source: Source::Apt("ffmpeg"),
        purpose: Purpose::Test,
        why: "publishes and plays in the tests",
    },
    Tool {
        probes: &[Probe::Command("chromium")],
        source: Source::Apt("chromium"),
        purpose: Purpose::Test,
        why: "is the browser of the tests",
    },
    Tool {
        probes: &[Probe::Command("cargo-nextest")],
        source: Source::Cargo("cargo-nextest"),
        purpose: Purpose::Test,
        why: "runs the tests",
    },
];

/// What to do before the first build.
#[derive(Debug, PartialEq, Eq)]
pub enum Plan {
    /// Say these lines, then run these commands; both are empty where nothing is missing.
    Install {
        /// One per missing tool.
        lines: Vec<String>,
        /// Each with its arguments.
        commands: Vec<Vec<&'static str>>,
    },
    /// There is no package manager that we know: a sentence for the human.
    ByHand(String),
}

/// Finds what is missing and how to get it.
pub fn plan(purpose: Purpose, is_true: impl Fn(Probe) -> bool) -> Plan {
    let missing: Vec<&Tool> = TOOLS
        .iter()
        .filter(|tool| tool.purpose == Purpose::Run || purpose == Purpose::Test)
        .filter(|tool| !tool.probes.iter().any(|probe| is_true(*probe)))
        .collect();
    let packages: Vec<&str> = missing.iter().filter_map(|tool| tool.package()).collect();
    if !packages.is_empty() && !is_true(Probe::Command("apt-get")) {
        return Plan::ByHand(format!(
            "missing, and there is no apt-get to install it with: {}; please install what your system calls these",
            packages.join(", ")
        ));
    }

    let mut commands = Vec::new();
    if !packages.is_empty() {
        let rights: &[&str] = if !is_true(Probe::Root) && is_true(Probe::Command("sudo")) { &["sudo"] } else { &[] };
        commands.push([rights, &["apt-get", "update"]].concat());
        commands.push([rights, &["apt-get", "install", "--yes", "--no-install-recommends"], &packages].concat());
    }
    commands.extend(missing.iter().filter_map(|tool| match tool.source {
        Source::Apt(_) => None,
        Source::Cargo(name) => Some(vec!["cargo", "install", "--locked", name]),
    }));
    Plan::Install { lines: missing.iter().map(|tool| tool.line()).collect(), commands }
}

impl Tool {
    fn package(&self) -> Option<&'static str> {
        match self.source {
            Source::Apt(package) => Some(package),
            Source::Cargo(_) => None,
        }
    }

    fn line(&self) -> String {
        match self.source {
            Source::Apt(package) => format!("{package} is missing: it {}; installing the package {package}", self.why),
            Source::Cargo(name) => format!("{name} is missing: it {}; installing it with cargo", self.why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hidden_tool_is_named_with_its_package() {
        for (hidden, package) in [
            (Probe::Command("cmake"), "cmake"),
            (Probe::Command("nasm"), "nasm"),
            (Probe::Command("g++"), "g++"),
            (Probe::File("/usr/share/doc/rustc-web"), "rustc-web"),
            (Probe::File("/usr/share/doc/rust-web-src"), "rust-web-src"),
            (Probe::Command("ffmpeg"), "ffmpeg"),
            (Probe::Command("chromium"), "chromium"),
        ] {
            let (lines, commands) = installed(Purpose::Test, &[hidden, Probe::WasmCompiler]);

            assert_eq!(lines.len(), 1, "{hidden:?}: {lines:?}");
            assert!(lines[0].contains(&format!("installing the package {package}")), "{lines:?}");
            assert_eq!(commands[0], ["apt-get", "update"]);
            assert_eq!(commands[1], ["apt-get", "install", "--yes", "--no-install-recommends", package]);
        }
    }

    #[test]
    fn every_tool_of_the_table_is_missed_when_hidden() {
        for tool in &TOOLS {
            let (lines, _) = installed(Purpose::Test, tool.probes);
            assert!(lines.contains(&tool.line()), "{lines:?}");
        }
    }

    #[test]
    fn the_test_runner_comes_from_cargo() {
        let (lines, commands) = installed(Purpose::Test, &[Probe::Command("cargo-nextest")]);
        assert_eq!(lines, ["cargo-nextest is missing: it runs the tests; installing it with cargo"]);
        assert_eq!(commands, [["cargo", "install", "--locked", "cargo-nextest"]]);
    }

    #[test]
    fn where_a_compiler_makes_wasm_no_second_one_comes() {
        let without = [Probe::File("/usr/share/doc/rustc-web"), Probe::File("/usr/share/doc/rust-web-src")];
        assert_eq!(installed(Purpose::Run, &without).0, Vec::<String>::new());
    }

    #[test]
    fn what_only_tests_need_is_not_installed_to_run() {
        let without = [Probe::Command("ffmpeg"), Probe::Command("cargo-nextest")];
        assert_eq!(installed(Purpose::Run, &without), (vec![], vec![]));
    }

    #[test]
    fn sudo_is_asked_only_by_those_who_are_not_root() {
        let nasm = Probe::Command("nasm");
        for (what, hidden, first) in [
            ("root", vec![nasm], "apt-get"),
            ("a user", vec![nasm, Probe::Root], "sudo"),
            ("a user without sudo", vec![nasm, Probe::Root, Probe::Command("sudo")], "apt-get"),
        ] {
            let (_, commands) = installed(Purpose::Run, &hidden);
            assert!(commands.iter().all(|command| command[0] == first), "{what}: {commands:?}");
        }
    }

    #[test]
    fn without_a_package_manager_a_sentence_names_the_packages() {
        let hidden = [Probe::Command("apt-get"), Probe::Command("nasm"), Probe::Command("g++")];
        let Plan::ByHand(sentence) = plan(Purpose::Run, |probe| !hidden.contains(&probe)) else {
            panic!("there is no apt-get");
        };
        assert!(sentence.contains("nasm, g++"), "{sentence}");
    }

    fn installed(purpose: Purpose, hidden: &[Probe]) -> (Vec<String>, Vec<Vec<&'static str>>) {
        match plan(purpose, |probe| !hidden.contains(&probe)) {
            Plan::Install { lines, commands } => (lines, commands),
            Plan::ByHand(sentence) => panic!("{sentence}"),
        }
    }
}
