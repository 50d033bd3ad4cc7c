//! `ambient`: time and chance.

use wasmtime::Result;

use crate::bindings::ambient::Host;
use crate::call::{Ended, Guest};
use crate::fault::Fault;
use crate::tape::Question;

const RANDOM_LEN_MAX: u32 = 4096;

impl Host for Guest {
    fn now(&mut self) -> Result<u64> {
        self.answer(Question::new("ambient.now", ()), |call| call.transaction.now().0)
    }

    /// More than 4 KiB breaks the contract: a trap.
    fn random(&mut self, len: u32) -> Result<Vec<u8>> {
        if len > RANDOM_LEN_MAX {
            return Err(self.call()?.end(Ended::Fault(Fault::Trap)));
        }
        let mut bytes = vec![0; len as usize];
        // The system's own: the crypto provider measures jitter for a tenth of a second before its first.
        if getrandom::fill(&mut bytes).is_err() {
            return Err(self.call()?.end(Ended::Fault(Fault::Trap)));
        }
        self.answer(Question::new("ambient.random", len), |_| bytes)
    }
}
