//! The hidden side of heliu: itself as the compiler of components, in a process of its own.
//!
//! A compiler reads a stranger's bytes; here it can use up neither the host's memory nor its time.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result};
use heliu_plugin::{Ceilings, Child, Compiler, compile_component};

/// The name of the command, which no help shows.
pub const COMMAND: &str = "compile-component";
/// And of the one it becomes.
pub const WITHIN_CEILINGS: &str = "compile-within-ceilings";
/// Heap and stacks.
const MEMORY_LEN_MAX: u64 = 2 << 30;
/// Wall time. An interpreter with its libraries, 20 MB of component, takes a minute on one slow core.
const TIME_MAX: Duration = Duration::from_secs(180);
/// Bytes of compiled code.
const CODE_LEN_MAX: usize = 512 << 20;

/// Compilers for this host's components.
///
/// # Errors
/// The system does not say which program this is.
pub fn compiler() -> Result<Compiler> {
    let threads = available_parallelism().map_or(1, usize::from);
    let cpu_s = TIME_MAX.as_secs().saturating_mul(threads as u64);
    let arguments = [COMMAND.to_owned(), MEMORY_LEN_MAX.to_string(), cpu_s.to_string()];
    Ok(Compiler::Child(Child {
        program: this_program()?,
        arguments: arguments.map(OsString::from).to_vec(),
        memory_len_max: MEMORY_LEN_MAX,
        time_max: TIME_MAX,
        code_len_max: CODE_LEN_MAX,
    }))
}

/// The child's first act: takes its ceilings and becomes the compiler. Ceilings that a program takes in
/// the middle of its life come too late for what its allocator has reserved.
///
/// # Errors
/// The system takes no ceilings, or does not start the program again.
pub fn begin(memory_len_max: u64, cpu_s_max: u64) -> Result<()> {
    let ceilings = Ceilings { memory_len_max, cpu_max: Duration::from_secs(cpu_s_max) };
    ceilings.take().context("cannot limit the compiler")?;
    let error = Command::new(this_program()?).arg(WITHIN_CEILINGS).exec();
    Err(error).context("cannot become the compiler")
}

/// What the child does then. Its one line on standard error is for its parent.
pub fn compile() -> ExitCode {
    match compile_component(&mut std::io::stdin().lock(), &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The program that runs, also when its file was replaced meanwhile: another heliu's code would be for
/// another engine.
fn this_program() -> Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe().context("cannot find the program that is running")
}
