//! Packets into SRTP, sealed ones and such as shall be sealed. What was sealed opens once and is what it
//! was; nothing else grows anything.

use heliu_rtc::Discard;
use heliu_rtc::srtp::{Inbound, MasterKey, Outbound, Profile, Stream};

use crate::script::Script;

const RTCP: u8 = 1;
const PLAIN: u8 = 2;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let profile = if script.byte() & 1 > 0 { Profile::Aes128CmSha1_80 } else { Profile::AeadAes128Gcm };
    let key = MasterKey::new(profile, &[7; 16], &[9; 14][..profile.salt_len()]).expect("the lengths of the profile");
    let (mut inbound, mut outbound) = (Inbound::new(&key), Outbound::new(&key));
    let mut streams: Vec<Stream> = Vec::new();
    while !script.is_empty() {
        let kind = script.byte();
        let packet = script.sized();
        let mut sealed = packet.to_vec();
        if kind & PLAIN > 0 && !seal(&mut outbound, &mut streams, kind, &mut sealed) {
            assert!(sealed.is_empty(), "what is not sealed is not left");
            continue;
        }
        open(&mut inbound, kind, &sealed, (kind & PLAIN > 0).then_some(packet));
    }
}

fn seal(outbound: &mut Outbound, streams: &mut Vec<Stream>, kind: u8, packet: &mut Vec<u8>) -> bool {
    if kind & RTCP > 0 {
        return outbound.seal_rtcp(packet, 0);
    }
    let Ok(header_len) = heliu_rtp::header_len(packet) else {
        packet.clear();
        return false;
    };
    let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
    let known = streams.iter().position(|stream| stream.ssrc() == ssrc);
    let at = known.unwrap_or_else(|| {
        streams.push(Stream::new(ssrc));
        streams.len() - 1
    });
    outbound.seal_rtp(&mut streams[at], packet, 0, header_len)
}

fn open(inbound: &mut Inbound, kind: u8, sealed: &[u8], plain: Option<&[u8]>) {
    let (mut first, mut second, before) = (sealed.to_vec(), sealed.to_vec(), inbound.stream_count());
    let open = if kind & RTCP > 0 { Inbound::open_rtcp } else { Inbound::open_rtp };
    match open(inbound, &mut first) {
        Ok(opened) => {
            assert!(plain.is_none_or(|plain| plain == opened), "what was sealed is what it was");
            assert_eq!(open(inbound, &mut second), Err(Discard::SrtpReplayed));
        }
        Err(Discard::SrtpReplayed) => assert_eq!(inbound.stream_count(), before),
        // The other window says which of two numbers it may be: what it cannot tell apart is lost.
        Err(Discard::SrtpUnauthenticated | Discard::SrtpStreamsFull | Discard::SrtpMalformed) => {
            assert_eq!(inbound.stream_count(), before);
        }
        Err(other) => panic!("{other:?} is nothing that SRTP says"),
    }
    assert!(inbound.stream_count() <= 64);
}
