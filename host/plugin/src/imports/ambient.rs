//! `ambient`: time and chance.

use wasmtime::Result;

use crate::bindings::ambient::Host;
use crate::call::{Ended, Guest};
use crate::fault::Fault;

const RANDOM_LEN_MAX: u32 = 4096;

impl Host for Guest {
    fn now(&mut self) -> Result<u64> {
        Ok(self.call()?.transaction.now().0)
    }

    /// More than 4 KiB breaks the contract: a trap.
    fn random(&mut self, len: u32) -> Result<Vec<u8>> {
        let call = self.call()?;
        if len > RANDOM_LEN_MAX {
            return Err(call.end(Ended::Fault(Fault::Trap)));
        }
        let mut bytes = vec![0; len as usize];
        // The system's own: the crypto provider measures jitter for a tenth of a second before its first.
        getrandom::fill(&mut bytes).map_err(|_| call.end(Ended::Fault(Fault::Trap)))?;
        Ok(bytes)
    }
}
