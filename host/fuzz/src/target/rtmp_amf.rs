//! One AMF body: as metadata, as a command to a server, as a command to a client. What is understood as
//! metadata reads back as it was written.

use heliu_rtmp::{ClientSession, Media, Metadata, ServerEvent, metadata_message};

use crate::wire::{Answer, asked, feed, message, publishing};

const DATA: u8 = 18;
const COMMAND: u8 = 20;

pub fn run(data: &[u8]) {
    if let Some(metadata) = metadata(&message(DATA, 0, 1, data)) {
        let again = self::metadata(&metadata_message(&metadata, 1, true));
        assert_eq!(again, Some(metadata), "what was written reads back");
    }
    let command = message(COMMAND, 0, 0, data);
    feed(&mut publishing(), &[&command], Answer::Accept);
    let _ = asked(ClientSession::publish).0.handle_bytes(&command);
}

fn metadata(bytes: &[u8]) -> Option<Metadata> {
    let heard = feed(&mut publishing(), &[bytes], Answer::Accept);
    heard.events.into_iter().find_map(|event| match event {
        ServerEvent::Media(Media::Metadata(metadata)) => Some(metadata),
        ServerEvent::Media(Media::Audio { .. } | Media::Video { .. })
        | ServerEvent::PublishRequested(_)
        | ServerEvent::PlayRequested(_)
        | ServerEvent::Ended => None,
    })
}
