//! A compiler in a process of its own, as its parent sees it.
//!
//! Pipes only: the component goes in through standard input, code comes out of standard output, and one
//! line of standard error says why not. No shell, no files, nothing of the host's environment.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::CompileError;
use crate::code::Code;

/// Of standard error; more is nobody's sentence.
const WORDS_LEN_MAX: u64 = 4096;
/// How a Rust program ends when it gets no memory.
const NO_MEMORY: &str = "memory allocation of";
const SIGXCPU: i32 = 24;
const SIGABRT: i32 = 6;

/// How to start it, and what it may use.
#[derive(Debug, Clone)]
pub struct Child {
    /// A program that calls [`compile_component`](super::compile_component): its code runs in the host.
    pub program: PathBuf,
    /// How it is told to, and with which ceilings.
    pub arguments: Vec<OsString>,
    /// Its ceiling of memory, in bytes; only for what is said about it.
    pub memory_len_max: u64,
    /// Wall time; then it is killed.
    pub time_max: Duration,
    /// Bytes of compiled code.
    pub code_len_max: usize,
}

/// What a process left behind.
struct Remains {
    status: ExitStatus,
    code: Vec<u8>,
    words: Vec<u8>,
}

impl Child {
    pub(super) async fn compile(&self, component: &[u8]) -> Result<Code, CompileError> {
        let remains = self.run(component).await?;
        if remains.code.len() > self.code_len_max {
            return Err(CompileError::CodeLen(self.code_len_max));
        }
        if remains.status.success() {
            return Ok(Code::vouched(remains.code));
        }
        Err(self.judge(remains.status, &String::from_utf8_lossy(&remains.words)))
    }

    async fn run(&self, component: &[u8]) -> Result<Remains, CompileError> {
        let mut child = self.command().spawn().map_err(CompileError::Start)?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let ended = async {
            let feed = async {
                if let Some(mut stdin) = stdin {
                    // One that ends early does not read; its end says why.
                    let _ = stdin.write_all(component).await;
                }
            };
            // One byte more than may be shows that there was more.
            let code_len_max = u64::try_from(self.code_len_max).unwrap_or(u64::MAX).saturating_add(1);
            let ((), code, words) = tokio::join!(feed, read(stdout, code_len_max), read(stderr, WORDS_LEN_MAX));
            let status = child.wait().await.map_err(CompileError::Start)?;
            Ok(Remains { status, code, words })
        };
        // Who is dropped here is killed, and waited for by the runtime.
        tokio::time::timeout(self.time_max, ended).await.map_err(|_| CompileError::Time(self.time_max))?
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn judge(&self, status: ExitStatus, words: &str) -> CompileError {
        let line = words.lines().find(|line| !line.trim().is_empty());
        match (status.signal(), line) {
            (Some(SIGXCPU), _) => CompileError::Time(self.time_max),
            (Some(SIGABRT), _) if words.contains(NO_MEMORY) => CompileError::Memory(self.memory_len_max),
            (None, Some(line)) if status.code() == Some(1) => CompileError::NotAComponent(line.to_owned()),
            (_, Some(line)) => CompileError::Died(format!("{status}: {line}")),
            (_, None) => CompileError::Died(status.to_string()),
        }
    }
}

/// What comes until the end, a broken pipe, or so many bytes.
async fn read(from: Option<impl AsyncRead + Unpin>, len_max: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let _ = from.take(len_max).read_to_end(&mut bytes).await;
    }
    bytes
}
