//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::compiling;

/// A media server whose REST APIs are WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "heliu", disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves until SIGTERM or SIGINT.
    Run {
        /// The configuration file; `examples/heliu.toml` shows every key.
        #[arg(long)]
        config: PathBuf,
    },
    /// Reads the configuration and loads its components, then says whether `run` would take them.
    Check {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Says which heliu this is.
    Version,
    /// Takes these ceilings, then reads a component and writes its compiled code: heliu runs itself so.
    #[command(name = compiling::COMMAND, hide = true)]
    CompileComponent {
        /// Heap and stacks, in bytes.
        memory_len_max: u64,
        /// Computing time, in seconds.
        cpu_s_max: u64,
    },
    /// The same without taking ceilings.
    #[command(name = compiling::WITHIN_CEILINGS, hide = true)]
    CompileWithinCeilings,
}
