//! RTCP packets as they are written. Each appends one whole packet.

use super::{
    BLOCKS_MAX, BYE, DESCRIPTION, FMT_FIR, FMT_NACK, FMT_PLI, PAYLOAD_FEEDBACK, RECEIVER_REPORT, ReportBlock,
    SENDER_REPORT, TRANSPORT_FEEDBACK,
};

const ITEM_CNAME: u8 = 1;
/// Sequence numbers behind a NACK's first that one entry names.
const FOLLOWING: u16 = 16;
/// Entries of one NACK: 1 KiB.
const NACK_ENTRIES_MAX: usize = 253;

/// What a sender says of itself (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderInfo {
    /// 32.32 seconds ([`super::ntp`]).
    pub ntp: u64,
    /// The same moment in the units of its packets' timestamps, as on the wire.
    pub rtp: u32,
    /// Packets sent so far, modulo 2^32.
    pub packets: u32,
    /// Payload bytes sent so far, modulo 2^32.
    pub octets: u32,
}

/// Appends a sender report. Blocks behind the 31st are left out.
pub fn write_sender_report(out: &mut Vec<u8>, ssrc: u32, info: &SenderInfo, blocks: &[ReportBlock]) {
    let blocks = &blocks[..blocks.len().min(BLOCKS_MAX)];
    write(out, SENDER_REPORT, blocks.len() as u8, |out| {
        put(out, ssrc);
        out.extend_from_slice(&info.ntp.to_be_bytes());
        [info.rtp, info.packets, info.octets].into_iter().for_each(|number| put(out, number));
        blocks.iter().for_each(|block| block.write(out));
    });
}

/// Appends a receiver report. Blocks behind the 31st are left out.
pub fn write_receiver_report(out: &mut Vec<u8>, ssrc: u32, blocks: &[ReportBlock]) {
    let blocks = &blocks[..blocks.len().min(BLOCKS_MAX)];
    write(out, RECEIVER_REPORT, blocks.len() as u8, |out| {
        put(out, ssrc);
        blocks.iter().for_each(|block| block.write(out));
    });
}

/// Appends a source description with the canonical name alone (RFC 3550 §6.5.1), which every compound
/// has. Bytes behind the 255th are left out.
pub fn write_cname(out: &mut Vec<u8>, ssrc: u32, cname: &str) {
    let cname = &cname.as_bytes()[..cname.len().min(255)];
    write(out, DESCRIPTION, 1, |out| {
        put(out, ssrc);
        out.extend_from_slice(&[ITEM_CNAME, cname.len() as u8]);
        out.extend_from_slice(cname);
        // One zero ends the list of items; `write` fills the word.
        out.push(0);
    });
}

/// Appends a generic NACK for `lost`, best in rising order: up to 17 that lie close share four bytes.
/// Returns how many are in it: less than all if there are too many for one packet. Nothing is written
/// for none.
pub fn write_nack(out: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32, lost: &[u16]) -> usize {
    let mut rest = lost;
    if lost.is_empty() {
        return 0;
    }
    write(out, TRANSPORT_FEEDBACK, FMT_NACK, |out| {
        put(out, sender_ssrc);
        put(out, media_ssrc);
        for _ in 0..NACK_ENTRIES_MAX {
            let Some((&base, after)) = rest.split_first() else { break };
            rest = after;
            let following = take_following(base, &mut rest);
            put(out, u32::from(base) << 16 | u32::from(following));
        }
    });
    lost.len() - rest.len()
}

/// Appends a picture loss indication.
pub fn write_pli(out: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32) {
    write(out, PAYLOAD_FEEDBACK, FMT_PLI, |out| {
        put(out, sender_ssrc);
        put(out, media_ssrc);
    });
}

/// Appends a full intra request for one source. `number` is one more than the last request's, or the
/// same to repeat it.
pub fn write_fir(out: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32, number: u8) {
    write(out, PAYLOAD_FEEDBACK, FMT_FIR, |out| {
        [sender_ssrc, 0, media_ssrc, u32::from(number) << 24].into_iter().for_each(|number| put(out, number));
    });
}

/// Appends a goodbye. Sources behind the 31st are left out.
pub fn write_bye(out: &mut Vec<u8>, ssrcs: &[u32]) {
    let ssrcs = &ssrcs[..ssrcs.len().min(BLOCKS_MAX)];
    write(out, BYE, ssrcs.len() as u8, |out| ssrcs.iter().for_each(|ssrc| put(out, *ssrc)));
}

/// A header, a body, zeros up to a whole word, and the length of it all.
pub(super) fn write(out: &mut Vec<u8>, packet_type: u8, count: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count & 0x1F, packet_type, 0, 0]);
    body(out);
    out.resize(start + (out.len() - start).next_multiple_of(4), 0);
    let words = ((out.len() - start) / 4 - 1) as u16;
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}

fn put(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_be_bytes());
}

/// Takes off the front what lies close behind `base`, as the bits that say so.
fn take_following(base: u16, rest: &mut &[u16]) -> u16 {
    let mut bits = 0;
    while let Some((&next, after)) = rest.split_first() {
        let distance = next.wrapping_sub(base);
        if distance > FOLLOWING {
            break;
        }
        if distance > 0 {
            bits |= 1 << (distance - 1);
        }
        *rest = after;
    }
    bits
}
