//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use heliu_probe::{Options, Point};

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
    /// Reads a stream and prints as JSON what it is, shows and sounds: codec, size, rates, timestamps,
    /// colours, freezes, tones, silence, and how far sound and pictures are apart if they flash and beep.
    ///
    /// Exit code 0: the report is printed, whatever it says; 1: nothing could be read, and one sentence on
    /// standard error says why; 2: the command line is wrong.
    Probe {
        /// An FLV file, an rtmp:// or rtmps:// URL, or an http:// or https:// URL of FLV.
        place: String,
        /// How much of it, by its own timestamps.
        #[arg(long, default_value_t = Options::SECONDS, value_parser = clap::value_parser!(u64).range(1..=Options::SECONDS_MAX))]
        seconds: u64,
        /// Tells the colour there, too: fractions of width and height, as in `--at 0.5,0.25`; may stand
        /// several times.
        #[arg(long, value_name = "X,Y")]
        at: Vec<Point>,
    },
    /// Says which heliu this is.
    Version,
    /// Asks the running host about its plugins, over its admin listener.
    Plugin {
        /// What to do.
        #[command(subcommand)]
        command: PluginCommand,
    },
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

/// What to do with the plugins of a running host.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Prints which component of each plugin serves, and since when.
    List {
        /// The configuration file the host was started with.
        #[arg(long)]
        config: PathBuf,
    },
    /// Lets the component that served before serve again, until another one is put into the file.
    Rollback {
        /// The plugin's name in the configuration.
        name: String,
        /// The configuration file the host was started with.
        #[arg(long)]
        config: PathBuf,
    },
}
