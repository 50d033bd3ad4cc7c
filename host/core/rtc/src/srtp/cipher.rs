//! One direction's session keys under either profile: packets in, packets out, in place.
//!
//! The packet stands at the end of the caller's buffer and grows there. Indices are the caller's.

use super::cm::{self, Cm};
use super::derivation::{Label, derive};
use super::gcm::{self, Gcm};
use super::profile::{MasterKey, Profile};

/// The trailing word of SRTCP: the E flag and 31 bits of index (RFC 3711 §3.4).
const WORD_LEN: usize = 4;
const ENCRYPTED: u32 = 1 << 31;
/// RTCP is encrypted behind its first SSRC.
const RTCP_HEADER_LEN: usize = 8;

/// Keys for RTP and for RTCP.
#[derive(Debug)]
pub enum Cipher {
    Gcm { rtp: Gcm, rtcp: Gcm },
    Cm { rtp: Box<Cm>, rtcp: Box<Cm> },
}

impl Cipher {
    pub fn new(master: &MasterKey) -> Self {
        match master.profile {
            Profile::AeadAes128Gcm => Self::Gcm {
                rtp: Gcm::new(&derive(master, Label::RtpKey), derive(master, Label::RtpSalt)),
                rtcp: Gcm::new(&derive(master, Label::RtcpKey), derive(master, Label::RtcpSalt)),
            },
            Profile::Aes128CmSha1_80 => Self::Cm {
                rtp: Box::new(Cm::new(
                    &derive(master, Label::RtpKey),
                    derive(master, Label::RtpSalt),
                    &derive(master, Label::RtpAuthentication),
                )),
                rtcp: Box::new(Cm::new(
                    &derive(master, Label::RtcpKey),
                    derive(master, Label::RtcpSalt),
                    &derive(master, Label::RtcpAuthentication),
                )),
            },
        }
    }

    /// Seals the RTP packet at `out[start..]`, whose header has `header_len` bytes.
    pub fn seal_rtp(&self, ssrc: u32, index: u64, out: &mut Vec<u8>, start: usize, header_len: usize) {
        let (header, text) = out[start..].split_at_mut(header_len);
        match self {
            Self::Gcm { rtp, .. } => {
                let tag = rtp.seal(ssrc, index, header, text);
                out.extend_from_slice(&tag);
            }
            Self::Cm { rtp, .. } => {
                rtp.apply(ssrc, index, text);
                let tag = rtp.tag(&out[start..], &rollover(index));
                out.extend_from_slice(&tag);
            }
        }
    }

    /// Opens a packet with a header of `header_len` bytes; returns the length without tag. `None`:
    /// not sealed by the peer.
    pub fn open_rtp(&self, ssrc: u32, index: u64, packet: &mut [u8], header_len: usize) -> Option<usize> {
        let (header, sealed) = packet.split_at_mut_checked(header_len)?;
        match self {
            Self::Gcm { rtp, .. } => rtp.open(ssrc, index, header, sealed).map(|text| header_len + text.len()),
            Self::Cm { rtp, .. } => {
                let len = packet.len().checked_sub(cm::TAG_LEN).filter(|len| *len >= header_len)?;
                let (sent, tag) = packet.split_at_mut(len);
                if !rtp.is_tag(sent, &rollover(index), tag) {
                    return None;
                }
                rtp.apply(ssrc, index, &mut sent[header_len..]);
                Some(len)
            }
        }
    }

    /// Seals the compound at `out[start..]`, at least 8 bytes; `index` has 31 bits.
    pub fn seal_rtcp(&self, ssrc: u32, index: u32, out: &mut Vec<u8>, start: usize) {
        let word = (ENCRYPTED | index).to_be_bytes();
        let (header, text) = out[start..].split_at_mut(RTCP_HEADER_LEN);
        match self {
            Self::Gcm { rtcp, .. } => {
                let tag = rtcp.seal(ssrc, u64::from(index), &rtcp_header(header, word), text);
                out.extend_from_slice(&tag);
                out.extend_from_slice(&word);
            }
            Self::Cm { rtcp, .. } => {
                rtcp.apply(ssrc, u64::from(index), text);
                out.extend_from_slice(&word);
                let tag = rtcp.tag(&out[start..], &[]);
                out.extend_from_slice(&tag);
            }
        }
    }

    /// SSRC and index of a sealed compound as it claims them. `None`: too short to be one, or sent without
    /// encryption, which nobody agreed to.
    pub fn rtcp_index(&self, packet: &[u8]) -> Option<(u32, u32)> {
        let (at, least) = match self {
            Self::Gcm { .. } => (packet.len().checked_sub(WORD_LEN)?, RTCP_HEADER_LEN + gcm::TAG_LEN),
            Self::Cm { .. } => (packet.len().checked_sub(cm::TAG_LEN + WORD_LEN)?, RTCP_HEADER_LEN),
        };
        if at < least {
            return None;
        }
        let (ssrc, word) = (packet[4..8].try_into().ok()?, packet[at..at + WORD_LEN].try_into().ok()?);
        let (ssrc, word) = (u32::from_be_bytes(ssrc), u32::from_be_bytes(word));
        (word & ENCRYPTED != 0).then_some((ssrc, word & !ENCRYPTED))
    }

    /// Opens a compound with the index it claims; returns the length of the plain one. `None`: not
    /// sealed by the peer.
    pub fn open_rtcp(&self, ssrc: u32, index: u32, packet: &mut [u8]) -> Option<usize> {
        match self {
            Self::Gcm { rtcp, .. } => {
                let word = (ENCRYPTED | index).to_be_bytes();
                let (packet, _) = packet.split_last_chunk_mut::<WORD_LEN>()?;
                let (header, sealed) = packet.split_at_mut_checked(RTCP_HEADER_LEN)?;
                let text = rtcp.open(ssrc, u64::from(index), &rtcp_header(header, word), sealed)?;
                Some(RTCP_HEADER_LEN + text.len())
            }
            Self::Cm { rtcp, .. } => {
                let (sent, tag) = packet.split_last_chunk_mut::<{ cm::TAG_LEN }>()?;
                if !rtcp.is_tag(sent, &[], tag) {
                    return None;
                }
                let (text, _) = sent.split_last_chunk_mut::<WORD_LEN>()?;
                rtcp.apply(ssrc, u64::from(index), text.get_mut(RTCP_HEADER_LEN..)?);
                Some(text.len())
            }
        }
    }
}

/// The rollover counter is authenticated but not sent.
fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// RFC 7714 §9.2: what is authenticated besides the text.
fn rtcp_header(header: &[u8], word: [u8; WORD_LEN]) -> [u8; RTCP_HEADER_LEN + WORD_LEN] {
    let mut whole = [0; RTCP_HEADER_LEN + WORD_LEN];
    whole[..RTCP_HEADER_LEN].copy_from_slice(header);
    whole[RTCP_HEADER_LEN..].copy_from_slice(&word);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 16] = 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128.to_be_bytes();
    const SALT: [u8; 12] = *b"Quid pro quo";

    #[test]
    fn gcm_seals_rtp_as_the_rfc_does() {
        // RFC 7714 §16.1.1.
        let mut packet = hex("8040f17b8041f8d35501a0b2");
        packet.extend_from_slice(b"Gallia est omnis divisa in partes tres");
        let plain = packet.clone();
        let cipher = gcm();
        cipher.seal_rtp(0x5501_a0b2, 0xf17b, &mut packet, 0, 12);
        let sealed = "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833\
                      899d7f27beb16a9152cf765ee4390cce";
        assert_eq!(packet, hex(sealed));
        let len = cipher.open_rtp(0x5501_a0b2, 0xf17b, &mut packet, 12).unwrap();
        assert_eq!(packet[..len], plain);
    }

    #[test]
    fn gcm_seals_rtcp_as_the_rfc_does() {
        // RFC 7714 §17.1.
        let plain = hex("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61\
                         deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
        let mut packet = plain.clone();
        let cipher = gcm();
        cipher.seal_rtcp(0x4d61_7273, 0x5d4, &mut packet, 0);
        let sealed = "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b46\
                      86303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4";
        assert_eq!(packet, hex(sealed));
        assert_eq!(cipher.rtcp_index(&packet), Some((0x4d61_7273, 0x5d4)));
        let len = cipher.open_rtcp(0x4d61_7273, 0x5d4, &mut packet).unwrap();
        assert_eq!(packet[..len], plain);
    }

    #[test]
    fn counter_mode_makes_the_key_stream_of_the_rfc() {
        // RFC 3711 §B.2.
        let key = 0x2B7E_1516_28AE_D2A6_ABF7_1588_09CF_4F3C_u128.to_be_bytes();
        let salt = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd").try_into().unwrap();
        let mut stream = [0; 32];
        Cm::new(&key, salt, &[0; 20]).apply(0, 0, &mut stream);
        assert_eq!(stream[..], hex("e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"));
    }

    fn gcm() -> Cipher {
        Cipher::Gcm { rtp: Gcm::new(&KEY, SALT), rtcp: Gcm::new(&KEY, SALT) }
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }
}
