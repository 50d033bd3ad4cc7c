//! Tags out of FLV bytes: a file's, or those of an HTTP answer.

use std::io::Read;

use heliu_container::flv::TagReader;

use super::{Error, Next, broken};

const READ_LEN: usize = 64 << 10;

pub(crate) struct FlvSource {
    input: Box<dyn Read>,
    tags: TagReader,
    buffer: Vec<u8>,
}

impl FlvSource {
    pub(crate) fn new(input: Box<dyn Read>) -> Self {
        Self { input, tags: TagReader::new(), buffer: vec![0; READ_LEN] }
    }

    pub(crate) fn next(&mut self) -> Result<Next, Error> {
        if let Some(tag) = self.tags.poll()? {
            return Ok(tag.into());
        }
        match self.input.read(&mut self.buffer) {
            Ok(0) => Ok(Next::Over),
            Ok(len) => {
                self.tags.handle_bytes(&self.buffer[..len]);
                Ok(Next::Nothing)
            }
            Err(error) => broken(error),
        }
    }
}
