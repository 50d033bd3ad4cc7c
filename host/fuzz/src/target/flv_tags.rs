//! The tags of an FLV file. One byte seeds how the others are cut, which must change nothing.

use heliu_container::flv::{Tag, TagError, TagReader};

use crate::script::{Script, pieces};

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let seed = script.byte();
    let file = script.rest();
    let (tags, end) = read(&[file]);
    assert_eq!(read(&pieces(file, seed)), (tags.clone(), end), "however it is cut");
    let len: usize = tags.iter().map(|tag| tag.body.len()).sum();
    assert!(len <= file.len(), "nothing is made up");
}

fn read(pieces: &[&[u8]]) -> (Vec<Tag>, Option<TagError>) {
    let mut reader = TagReader::new();
    let mut tags = Vec::new();
    for piece in pieces {
        reader.handle_bytes(piece);
        loop {
            match reader.poll() {
                Ok(Some(tag)) => tags.push(tag),
                Ok(None) => break,
                Err(error) => return (tags, Some(error)),
            }
        }
    }
    (tags, None)
}
