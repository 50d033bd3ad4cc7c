//! The loop against a fake media plane: tables for the rules, scripts by seed for everything else.

mod converging;
mod fake;
mod jobs;
mod rules;
