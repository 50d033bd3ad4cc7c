//! A disk that a test can fill: a filesystem in memory, mounted where only its own processes see it.
//!
//! A keeper process holds the mount in a user and a mount namespace of its own; heliu is started inside,
//! the test reaches in through the keeper's root. Needs no rights, but a kernel that allows it: where it
//! does not, there is no such disk, and the test says so.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The mounted filesystem; gone with the keeper.
pub struct SmallDisk {
    keeper: Child,
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one over `folder`; `None`: this machine does not allow it.
    pub fn mount(folder: &Path, kib: u32) -> Option<Self> {
        let script = format!("mount -t tmpfs -o size={kib}k tmpfs \"$0\" && echo mounted && exec cat");
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]).arg(folder);
        // It reads until this process is gone.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut keeper = command.spawn().ok()?;
        let mut line = String::new();
        let said = BufReader::new(keeper.stdout.take()?).read_line(&mut line);
        if said.is_err() || line.trim() != "mounted" {
            let _ = keeper.kill();
            let _ = keeper.wait();
            return None;
        }
        Some(Self { keeper, folder: folder.to_owned() })
    }

    /// A command that will run inside.
    pub fn command(&self, program: &Path) -> Command {
        let keeper = self.keeper.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["--target", &keeper, "--user", "--mount", "--preserve-credentials", "--"]).arg(program);
        command
    }

    /// Leaves no byte.
    pub fn fill(&self) {
        let mut file = std::fs::File::options().create(true).append(true).open(self.filler()).expect("a file");
        for len in [64 << 10, 4 << 10, 1] {
            while file.write_all(&vec![1; len]).is_ok() {}
        }
    }

    /// Takes that back.
    pub fn free(&self) {
        std::fs::remove_file(self.filler()).expect("it was filled");
    }

    fn filler(&self) -> PathBuf {
        let inside = self.folder.strip_prefix("/").expect("an absolute path").join("filler");
        Path::new("/proc").join(self.keeper.id().to_string()).join("root").join(inside)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
