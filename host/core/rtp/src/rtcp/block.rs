//! Report blocks: what one receiver saw of one source (RFC 3550 §6.4.1).

use super::BLOCK_LEN;

const LOST_MAX: i32 = 0x7F_FFFF;
const LOST_MIN: i32 = -0x80_0000;

/// What one receiver saw of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// The source.
    pub ssrc: u32,
    /// Lost since the last report, in 256ths of what was expected.
    pub fraction_lost: u8,
    /// Lost since the beginning, within 24 bits; negative when duplicates came.
    pub lost: i32,
    /// The highest sequence number, with the count of its turns in the upper half.
    pub highest: u32,
    /// Mean deviation of the packets' spacing, in timestamp units.
    pub jitter: u32,
    /// The middle of the last sender report's NTP timestamp; 0 without one.
    pub last_report: u32,
    /// Since then, in 65 536ths of a second.
    pub delay_since: u32,
}

/// Iterator over the blocks of a report.
#[derive(Debug, Clone, Copy)]
pub struct ReportBlocks<'a>(pub(super) &'a [u8]);

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(ReportBlock::read(block))
    }
}

impl ReportBlock {
    fn read(block: &[u8; BLOCK_LEN]) -> Self {
        let long = |at: usize| u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        Self {
            ssrc: long(0),
            fraction_lost: block[4],
            lost: (long(4) << 8).cast_signed() >> 8,
            highest: long(8),
            jitter: long(12),
            last_report: long(16),
            delay_since: long(20),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let lost = self.lost.clamp(LOST_MIN, LOST_MAX).cast_unsigned() & 0xFF_FFFF;
        let numbers = [
            self.ssrc,
            u32::from(self.fraction_lost) << 24 | lost,
            self.highest,
            self.jitter,
            self.last_report,
            self.delay_since,
        ];
        numbers.iter().for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
    }
}
