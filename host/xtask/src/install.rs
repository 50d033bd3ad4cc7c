//! Brings missing tools to this machine, saying so.

use anyhow::{Result, bail};

use crate::tools::{Plan, Purpose, plan};
use crate::{machine, steps};

/// Installs what `purpose` needs and this machine lacks.
pub fn missing(purpose: Purpose) -> Result<()> {
    match plan(purpose, machine::is_true) {
        Plan::Install { lines, commands } => {
            for line in lines {
                println!("{line}");
            }
            commands.iter().try_for_each(|command| steps::carry_out(command[0], &command[1..]))
        }
        Plan::ByHand(sentence) => bail!(sentence),
    }
}
