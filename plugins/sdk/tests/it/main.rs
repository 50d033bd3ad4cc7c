//! A small plugin on the fake host: what the SDK promises a plugin author.

mod calls;
mod records;
