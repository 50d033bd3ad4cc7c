//! From a function that builds a [`Plugin`] to the exports of the contract.
//!
//! [`Entry`] has one method per export; [`export!`] connects them with the generated glue, the only
//! place with `unsafe`. A refusal is rolled back here, so that no handler has to think of it. The
//! plugin is built once an instance: it is the same every time, and all that may outlive a call.

use crate::admission::{Attempt, Grant, Refusal};
use crate::bindings::exports::heliu::personality::manifest::Descriptor;
use crate::bindings::heliu::personality::http;
use crate::bindings::heliu::personality::types::Error;
use crate::event::{Alarm, Event};
use crate::plugin::Plugin;
use crate::transaction;

/// The exports of one plugin.
#[derive(Debug, Clone, Copy)]
pub struct Entry(pub fn() -> Plugin);

impl Entry {
    /// `manifest.describe`.
    #[must_use]
    pub fn describe(self) -> Descriptor {
        self.with(Plugin::descriptor)
    }

    /// `requests.handle-request`.
    #[must_use]
    pub fn handle_request(self, request: &http::Request) -> http::Response {
        let answer = self.with(|plugin| plugin.handle_request(request));
        let response = answer.unwrap_or_else(|refusal| {
            transaction::rollback();
            refusal
        });
        response.0
    }

    /// `admission.admit`.
    ///
    /// # Errors
    /// The client stays out.
    pub fn admit(self, attempt: &Attempt) -> Result<Grant, Refusal> {
        self.with(|plugin| plugin.handle_attempt(attempt)).inspect_err(|_| transaction::rollback())
    }

    /// `events.handle-event`.
    ///
    /// # Errors
    /// The host shall come again.
    pub fn handle_event(self, event: &Event) -> Result<(), Error> {
        self.with(|plugin| plugin.handle_event(event)).inspect_err(|_| transaction::rollback())
    }

    /// `events.handle-alarm`.
    ///
    /// # Errors
    /// The host shall come again.
    pub fn handle_alarm(self, alarm: &Alarm) -> Result<(), Error> {
        self.with(|plugin| plugin.handle_alarm(alarm)).inspect_err(|_| transaction::rollback())
    }

    #[cfg(target_family = "wasm")]
    fn with<T>(self, act: impl FnOnce(&Plugin) -> T) -> T {
        thread_local! {
            static BUILT: std::cell::OnceCell<Plugin> = const { std::cell::OnceCell::new() };
        }
        let build = || {
            std::panic::set_hook(Box::new(last_words));
            (self.0)()
        };
        BUILT.with(|built| act(built.get_or_init(build)))
    }

    #[cfg(not(target_family = "wasm"))]
    fn with<T>(self, act: impl FnOnce(&Plugin) -> T) -> T {
        act(&(self.0)())
    }
}

/// A panic ends in a trap, which says nothing; this tells the operator before.
#[cfg(target_family = "wasm")]
fn last_words(panic: &std::panic::PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("panic");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    crate::host::log::last_words(message, &place);
}

/// Makes the crate a component: `heliu_sdk::export!(plugin);` with `fn plugin() -> Plugin`.
/// In native builds it does nothing.
#[macro_export]
macro_rules! export {
    ($plugin:ident) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, missing_docs, reason = "generated exports of the component")]
        mod component {
            use $crate::bindings::exports::heliu::personality::{admission, events, manifest, requests};

            const ENTRY: $crate::Entry = $crate::Entry(super::$plugin);

            struct Component;

            impl manifest::Guest for Component {
                fn describe() -> manifest::Descriptor {
                    ENTRY.describe()
                }
            }

            impl requests::Guest for Component {
                fn handle_request(request: requests::Request) -> requests::Response {
                    ENTRY.handle_request(&request)
                }
            }

            impl admission::Guest for Component {
                fn admit(attempt: admission::Attempt) -> Result<admission::Grant, admission::Refusal> {
                    ENTRY.admit(&attempt)
                }
            }

            impl events::Guest for Component {
                fn handle_event(event: events::Event) -> Result<(), events::Error> {
                    ENTRY.handle_event(&event)
                }

                fn handle_alarm(alarm: events::Alarm) -> Result<(), events::Error> {
                    ENTRY.handle_alarm(&alarm)
                }
            }

            $crate::bindings::export_personality!(Component with_types_in $crate::bindings);
        }
    };
}
