//! Both directions against another implementation, and what a stranger may do to them.

use heliu_sim::Rng;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;

use super::{Inbound, MasterKey, Outbound, Profile, Stream};
use crate::discard::Discard;

const SSRC: u32 = 0x1122_3344;
const PROFILES: [Profile; 2] = [Profile::AeadAes128Gcm, Profile::Aes128CmSha1_80];

#[test]
fn another_implementation_opens_what_we_seal() {
    for profile in PROFILES {
        let (key, mut other) = (master(profile), other(profile));
        let (mut outbound, mut stream) = (Outbound::new(&key), Stream::new(SSRC));
        for packet in packets(65_400, 300) {
            let mut out = b"before".to_vec();
            out.extend_from_slice(&packet.bytes);
            assert!(outbound.seal_rtp(&mut stream, &mut out, 6, packet.header_len));
            assert_eq!(out.len(), 6 + packet.bytes.len() + profile.rtp_overhead());
            assert_eq!(other.decrypt_rtp(&out[6..]).unwrap(), packet.bytes, "{profile:?}");
        }
        for n in 0..20 {
            let plain = report(n);
            let mut out = plain.clone();
            assert!(outbound.seal_rtcp(&mut out, 0));
            assert_eq!(other.decrypt_rtcp(&out).unwrap(), plain, "{profile:?}");
        }
    }
}

#[test]
fn we_open_what_another_implementation_seals() {
    for profile in PROFILES {
        let (key, mut other) = (master(profile), other(profile));
        let mut inbound = Inbound::new(&key);
        for packet in packets(65_400, 300) {
            let mut sealed = other.encrypt_rtp(&packet.bytes).unwrap();
            assert_eq!(inbound.open_rtp(&mut sealed).unwrap(), packet.bytes, "{profile:?}");
        }
        for n in 0..20 {
            let plain = report(n);
            let mut sealed = other.encrypt_rtcp(&plain).unwrap();
            assert_eq!(inbound.open_rtcp(&mut sealed).unwrap(), plain, "{profile:?}");
        }
    }
}

#[test]
fn no_index_is_sealed_twice() {
    for profile in PROFILES {
        let (outbound, mut stream) = (Outbound::new(&master(profile)), Stream::new(SSRC));
        for (what, sequence, want) in
            [("first", 2_000, true), ("late", 1_999, true), ("again", 2_000, false), ("too late", 900, false)]
        {
            let packet = Packet::new(sequence, b"media");
            let mut out = packet.bytes;
            assert_eq!(outbound.seal_rtp(&mut stream, &mut out, 0, packet.header_len), want, "{what}");
            assert_eq!(out.is_empty(), !want, "nothing unsealed is left: {what}");
        }
    }
}

#[test]
fn a_replayed_packet_is_refused() {
    for profile in PROFILES {
        let (key, mut inbound) = (master(profile), Inbound::new(&master(profile)));
        let (mut outbound, mut stream) = (Outbound::new(&key), Stream::new(SSRC));
        for packet in packets(1, 100) {
            let mut out = packet.bytes;
            outbound.seal_rtp(&mut stream, &mut out, 0, packet.header_len);
            assert!(inbound.open_rtp(&mut out.clone()).is_ok());
            assert_eq!(inbound.open_rtp(&mut out), Err(Discard::SrtpReplayed));
        }
        let mut out = report(1);
        outbound.seal_rtcp(&mut out, 0);
        assert!(inbound.open_rtcp(&mut out.clone()).is_ok());
        assert_eq!(inbound.open_rtcp(&mut out), Err(Discard::SrtpReplayed));
    }
}

#[test]
fn no_bit_of_a_sealed_packet_can_be_changed() {
    for profile in PROFILES {
        let (key, mut inbound) = (master(profile), Inbound::new(&master(profile)));
        let (mut outbound, mut stream) = (Outbound::new(&key), Stream::new(SSRC));
        let packet = Packet::new(7, b"some media");
        let (mut rtp, mut rtcp) = (packet.bytes, report(1));
        outbound.seal_rtp(&mut stream, &mut rtp, 0, packet.header_len);
        outbound.seal_rtcp(&mut rtcp, 0);
        for bit in 0..rtp.len() * 8 {
            let mut changed = rtp.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let error = inbound.open_rtp(&mut changed).unwrap_err();
            assert!(matches!(error, Discard::SrtpUnauthenticated | Discard::SrtpMalformed), "{bit}: {error:?}");
        }
        for bit in 0..rtcp.len() * 8 {
            let mut changed = rtcp.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let error = inbound.open_rtcp(&mut changed).unwrap_err();
            assert!(matches!(error, Discard::SrtpUnauthenticated | Discard::SrtpMalformed), "{bit}: {error:?}");
        }
        for len in 0..rtp.len() {
            assert!(inbound.open_rtp(&mut rtp[..len].to_vec()).is_err(), "{len}");
        }
        for len in 0..rtcp.len() {
            assert!(inbound.open_rtcp(&mut rtcp[..len].to_vec()).is_err(), "{len}");
        }
        assert_eq!(inbound.stream_count(), 0, "nothing grows");
        assert!(inbound.open_rtp(&mut rtp).is_ok() && inbound.open_rtcp(&mut rtcp).is_ok());
    }
}

#[test]
fn ssrcs_are_kept_after_their_first_verified_packet_and_bounded() {
    for profile in PROFILES {
        let (key, mut inbound) = (master(profile), Inbound::new(&master(profile)));
        let outbound = Outbound::new(&key);
        for n in 0..40_u32 {
            let mut packet = Packet::new(1, b"media");
            packet.bytes[8..12].copy_from_slice(&n.to_be_bytes());
            outbound.seal_rtp(&mut Stream::new(n), &mut packet.bytes, 0, packet.header_len);
            let want = if n < 32 { None } else { Some(Discard::SrtpStreamsFull) };
            assert_eq!(inbound.open_rtp(&mut packet.bytes).err(), want, "{n}");
        }
        assert_eq!(inbound.stream_count(), 32);
    }
}

#[test]
fn keys_are_exported_clients_first() {
    let material: Vec<u8> = (0..60).collect();
    let (client, server) = MasterKey::pair(Profile::Aes128CmSha1_80, &material).unwrap();
    assert_eq!((client.key[0], server.key[0], client.salt[0], server.salt[13]), (0, 16, 32, 59));
    let (_, server) = MasterKey::pair(Profile::AeadAes128Gcm, &material[..56]).unwrap();
    assert_eq!((server.salt[0], server.salt[11..].to_vec()), (44, vec![55, 0, 0]));
    assert!(MasterKey::pair(Profile::AeadAes128Gcm, &material).is_none());
    assert!(!format!("{server:?}").contains("44"));
}

struct Packet {
    bytes: Vec<u8>,
    header_len: usize,
}

impl Packet {
    fn new(sequence: u16, payload: &[u8]) -> Self {
        let mut bytes = vec![0x80, 96];
        bytes.extend_from_slice(&sequence.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 9]);
        bytes.extend_from_slice(&SSRC.to_be_bytes());
        bytes.extend_from_slice(payload);
        Self { bytes, header_len: 12 }
    }

    fn with_extension(mut self) -> Self {
        self.bytes[0] |= 0x10;
        self.bytes.splice(12..12, [0xbe, 0xde, 0, 1, 0x10, 0x30, 0, 0]);
        self.header_len += 8;
        self
    }
}

/// Over a rollover, some with extension, some empty.
fn packets(first: u16, count: u16) -> impl Iterator<Item = Packet> {
    let mut rng = Rng::new(5);
    (0..count).map(move |n| {
        let payload: Vec<u8> = (0..rng.below(1_200)).map(|_| rng.draw() as u8).collect();
        let packet = Packet::new(first.wrapping_add(n), &payload);
        if n % 3 == 0 { packet.with_extension() } else { packet }
    })
}

/// A receiver report without blocks.
fn report(n: u8) -> Vec<u8> {
    let mut bytes = vec![0x80, 201, 0, 1];
    bytes.extend_from_slice(&SSRC.to_be_bytes());
    bytes.extend_from_slice(&[0x80, 202, 0, 1, n, n, n, n]);
    bytes
}

fn master(profile: Profile) -> MasterKey {
    MasterKey::new(profile, &[7; 16], &[9; 14][..profile.salt_len()]).unwrap()
}

fn other(profile: Profile) -> Context {
    let other = match profile {
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Profile::Aes128CmSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
    };
    let provider = rtc_srtp::crypto::default_provider().unwrap();
    let salt = &[9; 14][..profile.salt_len()];
    Context::new(&[7; 16], salt, other, None, None, provider.crypto()).unwrap()
}
