//! What a server's processes use, from `/proc`.

use std::fs;

/// Ticks of a second in `/proc/<pid>/stat`; the same on every Linux that runs this.
const TICKS: f64 = 100.0;

/// A process and its children, as nginx has them.
#[derive(Debug, Clone)]
pub struct Process {
    pids: Vec<u32>,
}

/// A look at it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Seconds of processor time so far.
    pub cpu: f64,
    /// KiB of memory that is there.
    pub rss_kib: u64,
    /// Open files, sockets among them.
    pub files: usize,
}

impl Process {
    /// The process of that number.
    pub fn of(pid: u32) -> Self {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        Self { pids: [pid].into_iter().chain(children).collect() }
    }

    /// All of them together; what has ended counts nothing.
    pub fn usage(&self) -> Usage {
        self.pids.iter().fold(Usage::default(), |sum, pid| {
            let one = look(*pid);
            Usage { cpu: sum.cpu + one.cpu, rss_kib: sum.rss_kib + one.rss_kib, files: sum.files + one.files }
        })
    }
}

fn look(pid: u32) -> Usage {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let stat = read("stat");
    // The name may hold anything; fields are counted from behind it.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    let status = read("status");
    let rss = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    let files = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    Usage { cpu: (ticks(11) + ticks(12)) / TICKS, rss_kib: rss.unwrap_or(0), files }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_seen() {
        let usage = Process::of(std::process::id()).usage();
        assert!(usage.rss_kib > 0 && usage.files > 2, "{usage:?}");
        assert_eq!(Process::of(0).usage().files, 0);
    }
}
