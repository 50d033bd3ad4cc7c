//! What the system says about this process (`proc(5)`); elsewhere than on Linux it says nothing.

use std::fs;

/// The kernel tells processor time to programs in hundredths of a second (`USER_HZ`), on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// Each `None` where it cannot be read.
#[derive(Debug, Default)]
pub(super) struct Process {
    /// Seconds, of all threads.
    pub(super) cpu: Option<f64>,
    pub(super) resident_bytes: Option<f64>,
    pub(super) files: Option<f64>,
    pub(super) threads: Option<f64>,
}

impl Process {
    pub(super) fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let files = fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
        Self {
            cpu: cpu_seconds(&stat),
            resident_bytes: number(&status, "VmRSS:").map(|kibibytes| kibibytes * 1024.0),
            // The look itself has one open.
            files: files.and_then(|count| u32::try_from(count.saturating_sub(1)).ok()).map(f64::from),
            threads: number(&status, "Threads:"),
        }
    }
}

/// The 14th and 15th word; the second one, the program's name, may hold spaces and stands in brackets.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut words = after_name.split_ascii_whitespace().skip(11);
    let [user, system]: [f64; 2] = [words.next()?.parse().ok()?, words.next()?.parse().ok()?];
    Some((user + system) / TICKS_PER_SECOND)
}

fn number(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_a_name_with_brackets() {
        let stat = "7 (a) b) S 1 1 1 0 -1 0 1 2 3 4 250 50 0 0 20 0 9 0";
        assert_eq!((cpu_seconds(stat), cpu_seconds("")), (Some(3.0), None));
    }

    #[test]
    fn a_figure_is_the_first_word_behind_its_name() {
        let status = "Name:\theliu\nVmRSS:\t    1024 kB\nThreads:\t9\n";
        assert_eq!((number(status, "VmRSS:"), number(status, "Threads:")), (Some(1024.0), Some(9.0)));
        assert_eq!(number("", "VmRSS:"), None);
    }
}
