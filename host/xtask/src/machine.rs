//! Answers questions about this machine by looking.
//!
//! Not here: what follows from the answers.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::tools::Probe;

/// Looks at the real machine.
pub fn is_true(probe: Probe) -> bool {
    match probe {
        Probe::Command(name) => is_on_path(name, &std::env::var_os("PATH").unwrap_or_default()),
        Probe::File(path) => Path::new(path).exists(),
        Probe::WasmCompiler => heliu_build::find_compiler().is_ok(),
        Probe::Root => output("id", &["-u"]).is_some_and(|uid| uid == "0"),
    }
}

fn is_on_path(name: &str, path: &OsStr) -> bool {
    std::env::split_paths(path).any(|folder| folder.join(name).is_file())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_only_in_the_folders_of_the_path() {
        for (name, path, want) in [
            ("sh", "/nowhere:/bin", true),
            ("sh", "/nowhere", false),
            ("sh", "", false),
            ("no-such-command", "/bin", false),
        ] {
            assert_eq!(is_on_path(name, OsStr::new(path)), want, "{name} in {path:?}");
        }
    }
}
