//! Stories of the control plane between a store, a media plane and plugins that are test values.

mod alarms;
mod door;
mod events;
mod fake;
mod insight;
mod jobs;
mod loops;
mod words;
