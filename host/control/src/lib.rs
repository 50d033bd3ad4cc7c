//! Where the control plane meets the media plane: wishes go down, events and alarms go up.
//!
//! A ring is closed here. Plugins need a view of the host before they load ([`HostView`]), the media
//! plane needs somebody to ask before it accepts ([`Door`], made of the loaded plugins), and the loop
//! needs all of them. So they are made in this order: `HostView::new`, `Plugins::load`, `Door::new`,
//! `Media::start`, [`Control::start`]; stopped in the reverse one.
//!
//! Not here: deciding what to order (`heliu-reconcile`) and how calls into plugins run (`heliu-plugin`).

mod admissions;
mod alarms;
mod backoff;
mod clock;
mod control;
mod courier;
mod dead_letters;
mod door;
mod insight;
mod job_watch;
mod lane;
mod media_events;
mod reconciling;
mod side;
mod stats;
mod view;
mod wording;

#[cfg(test)]
mod tests;

pub use control::Control;
pub use door::{Door, DoorStats};
pub use insight::Insight;
pub use stats::{Count, Stats};
pub use view::{Config, HostView};
