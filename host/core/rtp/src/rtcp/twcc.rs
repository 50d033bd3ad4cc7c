//! Transport-wide feedback as it is written (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).

use super::write::write;
use super::{FMT_TWCC, TRANSPORT_FEEDBACK};
use crate::twcc::Status;

const RUN_MAX: usize = 0x1FFF;
/// Statuses of one bit, and of two, in a chunk.
const BITS: usize = 14;
const PAIRS: usize = 7;

/// Appends feedback. `head`: the number of the first packet, the reference time in 64 ms, the number of
/// the feedback itself.
pub(crate) fn write_twcc(out: &mut Vec<u8>, sender: u32, media: u32, head: (u16, u32, u8), statuses: &[Status]) {
    let (base, reference, number) = head;
    write(out, TRANSPORT_FEEDBACK, FMT_TWCC, |out| {
        out.extend_from_slice(&sender.to_be_bytes());
        out.extend_from_slice(&media.to_be_bytes());
        out.extend_from_slice(&base.to_be_bytes());
        out.extend_from_slice(&(statuses.len() as u16).to_be_bytes());
        out.extend_from_slice(&(reference << 8 | u32::from(number)).to_be_bytes());
        let mut rest = statuses;
        while !rest.is_empty() {
            let (chunk, len) = chunk(rest);
            out.extend_from_slice(&chunk.to_be_bytes());
            rest = &rest[len..];
        }
        statuses.iter().for_each(|status| write_delta(out, *status));
    });
}

/// The chunk that says most about the first statuses, and of how many it speaks.
fn chunk(statuses: &[Status]) -> (u16, usize) {
    let run = statuses.iter().take(RUN_MAX).take_while(|status| symbol(**status) == symbol(statuses[0])).count();
    let bits = statuses.iter().take(BITS).take_while(|status| symbol(**status) < 2).count();
    if run >= bits.max(PAIRS) || run == statuses.len() {
        return (symbol(statuses[0]) << 13 | run as u16, run);
    }
    if bits == BITS.min(statuses.len()) {
        return (0x8000 | packed(&statuses[..bits], BITS, 1), bits);
    }
    let pairs = PAIRS.min(statuses.len());
    (0xC000 | packed(&statuses[..pairs], PAIRS, 2), pairs)
}

/// From the top of 14 bits down.
fn packed(statuses: &[Status], len: usize, width: u32) -> u16 {
    let bits = statuses.iter().fold(0, |bits, status| bits << width | symbol(*status));
    bits << (width * (len - statuses.len()) as u32)
}

fn symbol(status: Status) -> u16 {
    match status {
        Status::Lost => 0,
        Status::Short(_) => 1,
        Status::Long(_) => 2,
    }
}

fn write_delta(out: &mut Vec<u8>, status: Status) {
    match status {
        Status::Lost => {}
        Status::Short(delta) => out.push(delta),
        Status::Long(delta) => out.extend_from_slice(&delta.to_be_bytes()),
    }
}
