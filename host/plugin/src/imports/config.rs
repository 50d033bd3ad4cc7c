//! `config`: what the operator wrote for this plugin.

use wasmtime::Result;

use crate::bindings::config::Host;
use crate::call::Guest;

impl Host for Guest {
    fn read(&mut self) -> Result<String> {
        Ok(self.call()?.context.config.clone())
    }

    fn secret(&mut self, name: String) -> Result<Option<String>> {
        let context = &self.call()?.context;
        let Some(secret) = context.secrets.get(&name) else { return Ok(None) };
        if !context.readable_secrets.contains(&name) {
            context.deny("a secret in clear");
            return Ok(None);
        }
        Ok(Some(secret.reveal().to_owned()))
    }
}
