//! heliu, the media server: command line, configuration, wiring, shutdown.
//!
//! Whatever keeps it from starting is one sentence on standard error and exit code 1.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

mod cli;
mod compiling;
mod config;
mod files;
mod log;
mod plugin_command;
mod run;
mod wiring;

/// Media and plugins allocate from many threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match cli::Arguments::parse().command {
        cli::Command::Run { config } => run::run(&config),
        cli::Command::Check { config } => run::check(&config),
        cli::Command::Probe { place, seconds, at } => run::probe(&place, seconds, at),
        cli::Command::Version => run::version(),
        cli::Command::Plugin { command: cli::PluginCommand::List { config } } => plugin_command::list(&config),
        cli::Command::Plugin { command: cli::PluginCommand::Rollback { name, config } } => {
            plugin_command::rollback(&config, &name)
        }
        cli::Command::CompileComponent { memory_len_max, cpu_s_max } => compiling::begin(memory_len_max, cpu_s_max),
        cli::Command::CompileWithinCeilings => return compiling::compile(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("heliu: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error with its causes. One that tells its cause already in the cause's own words does not make it
/// told twice.
fn sentence(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.ends_with(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the connection broke: {0}")]
    struct Telling(#[from] std::io::Error);

    #[test]
    fn nothing_is_told_twice() {
        let cause = || std::io::Error::other("no route");
        let telling = anyhow::Error::from(Telling(cause())).context("cannot read the stream");
        assert_eq!(sentence(&telling), "cannot read the stream: the connection broke: no route");
        let silent = Err::<(), _>(cause()).context("cannot listen").unwrap_err();
        assert_eq!(sentence(&silent), "cannot listen: no route");
    }
}
