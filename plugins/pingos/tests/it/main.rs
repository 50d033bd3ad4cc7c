//! The plugin on the fake host: the table of calls and answers, and what only a test may arrange.

mod admission;
mod idle;
mod living;
