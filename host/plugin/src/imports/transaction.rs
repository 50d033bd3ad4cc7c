//! `transaction`: the call's own beginning and end.

use wasmtime::Result;

use crate::bindings::transaction::Host;
use crate::bindings::types::Error;
use crate::call::Guest;
use crate::tape::Question;

impl Host for Guest {
    async fn commit(&mut self) -> Result<Result<(), Error>> {
        let question = Question::new("transaction.commit", ());
        let call = self.call()?;
        if let Some(played) = call.recall(question)? {
            return Ok(played);
        }
        let answer = call.commit().await?;
        call.remember(question, &answer);
        Ok(answer)
    }

    fn rollback(&mut self) -> Result<()> {
        self.answer(Question::new("transaction.rollback", ()), |call| call.transaction.rollback())
    }
}
