//! `transaction`: the call's own beginning and end.

use wasmtime::Result;

use crate::bindings::transaction::Host;
use crate::bindings::types::Error;
use crate::call::Guest;

impl Host for Guest {
    async fn commit(&mut self) -> Result<Result<(), Error>> {
        self.call()?.commit().await
    }

    fn rollback(&mut self) -> Result<()> {
        self.call()?.transaction.rollback();
        Ok(())
    }
}
