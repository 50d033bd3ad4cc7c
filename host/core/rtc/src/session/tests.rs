//! Whole sessions in memory and in simulated time, against parts of another stack.

mod peer;

use std::net::SocketAddr;
use std::time::Duration;

use heliu_rtp::rtcp::{self, Rtcp};

use super::*;
use crate::agreement::DtlsRole;
use crate::srtp::Profile;
use peer::{World, address, agreement, outgoing};

#[test]
fn a_peer_connects_and_media_flows_both_ways() {
    for profile in [Profile::AeadAes128Gcm, Profile::Aes128CmSha1_80] {
        for role in [DtlsRole::Server, DtlsRole::Client] {
            let mut world = World::new(role, &[profile], 0.0, 1);
            world.connect();
            assert_eq!(world.session.destination(), Some(address(1)), "{profile:?} {role:?}");
            world.publish(0, 100, b"picture");
            world.run(Duration::from_millis(50));
            assert_eq!(world.take_received(), [(0, 100, b"picture".to_vec(), false)]);

            let sealed = world.play(1, &outgoing(7), b"sound");
            let plain = world.peer.open_rtp(&sealed).expect("sealed for the peer");
            let view = heliu_rtp::RtpView::parse(&plain).unwrap();
            assert_eq!((view.payload(), view.sequence(), view.ssrc()), (&b"sound"[..], 7, 0x2222));
        }
    }
}

#[test]
fn a_peer_connects_over_a_bad_link() {
    let connects = |seed| {
        let mut world = World::new(DtlsRole::Server, &[Profile::AeadAes128Gcm], 0.2, seed);
        world.run(Duration::from_secs(12));
        world.take_events().contains(&Event::Connected)
    };
    let connected = (0..50).filter(|seed| connects(*seed)).count();
    assert!(connected >= 45, "{connected} of 50");
}

#[test]
fn what_comes_from_elsewhere_does_not_disturb_the_handshake() {
    let mut failed = 0;
    for seed in 0..20 {
        let mut world = World::new(DtlsRole::Server, &[Profile::AeadAes128Gcm], 0.0, seed);
        let forged = world.stranger_hello();
        for n in 0..1_000 {
            let from = SocketAddr::from(([203, 0, 113, 9], 1_024 + n));
            assert!(world.session.handle_datagram(&mut forged.clone(), from, world.now()).is_none());
            if n % 100 == 0 {
                world.run(Duration::from_millis(10));
            }
        }
        world.run(Duration::from_secs(2));
        assert_eq!(world.session.stats().discards.of(Discard::Unvalidated), 1_000);
        failed += u32::from(!world.take_events().contains(&Event::Connected));
    }
    assert_eq!(failed, 0);
}

#[test]
fn unchecked_unsealed_and_replayed_packets_are_counted_and_grow_nothing() {
    let mut world = World::connected();
    let sealed = world.peer.seal_rtp(0x1111, 96, 5, b"picture", &[]);
    let (from, elsewhere, now) = (address(1), address(99), world.now());
    let mut forged = sealed.clone();
    *forged.last_mut().unwrap() ^= 1;
    for (what, datagram, from, want) in [
        ("nobody's address", &sealed, elsewhere, Some(Discard::Unvalidated)),
        ("forged", &forged, from, Some(Discard::SrtpUnauthenticated)),
        ("right", &sealed, from, None),
        ("replayed", &sealed, from, Some(Discard::SrtpReplayed)),
        ("no protocol", &vec![70, 1, 2], from, Some(Discard::Unknown)),
        ("nothing", &vec![], from, Some(Discard::Unknown)),
    ] {
        let before = *world.session.stats();
        let is_heard = world.session.handle_datagram(&mut datagram.clone(), from, now).is_some();
        assert_eq!(is_heard, want.is_none(), "{what}");
        let after = world.session.stats().discards;
        let counted = want.map_or(0, |reason| after.of(reason) - before.discards.of(reason));
        assert_eq!((counted, after.total() - before.discards.total()), (u64::from(want.is_some()), counted), "{what}");
    }
}

#[test]
fn a_session_without_checks_is_over_after_the_consent_time() {
    let mut world = World::connected();
    world.take_events();
    world.peer.is_silent = true;
    world.run(Duration::from_millis(12_000));
    assert!(!world.session.is_closed());
    world.run(Duration::from_millis(3_100));
    assert_eq!(world.take_events(), [Event::Forgotten(address(1)), Event::Closed(CloseReason::Consent)]);
    assert_eq!((world.session.destination(), world.session.poll_timeout()), (None, None));
}

#[test]
fn sealed_media_keeps_a_session_whose_peer_checks_no_more() {
    let mut world = World::connected();
    world.take_events();
    world.peer.is_silent = true;
    for sequence in 0..40 {
        world.run(Duration::from_millis(500));
        let mut sealed = world.peer.seal_rtp(0x1111, 96, sequence, b"picture", &[]);
        world.session.handle_datagram(&mut sealed, address(1), world.now());
    }
    assert!(!world.session.is_closed());
    world.run(Duration::from_millis(15_100));
    assert_eq!(world.take_events(), [Event::Forgotten(address(1)), Event::Closed(CloseReason::Consent)]);
}

#[test]
fn a_peer_that_never_comes_is_given_up() {
    let mut world = World::new(DtlsRole::Server, &[Profile::AeadAes128Gcm], 1.0, 1);
    world.run(Duration::from_secs(31));
    assert_eq!(world.take_events(), [Event::Closed(CloseReason::Late)]);
}

#[test]
fn another_certificate_ends_the_session() {
    let mut world = World::new(DtlsRole::Server, &[Profile::AeadAes128Gcm], 0.0, 1);
    let agreement = agreement(DtlsRole::Server, crate::Fingerprint::of(b"another"));
    world.session = Session::new(world.config.clone(), agreement, world.now());
    world.run(Duration::from_secs(2));
    let failed = Event::Closed(CloseReason::Handshake(crate::dtls::Failure::Fingerprint));
    assert!(world.take_events().contains(&failed));
}

#[test]
fn a_goodbye_ends_the_session_on_either_side() {
    let mut world = World::connected();
    world.take_events();
    world.peer.close(world.now());
    world.run(Duration::from_millis(100));
    assert_eq!(world.take_events(), [Event::Closed(CloseReason::Goodbye)]);

    let mut world = World::connected();
    world.session.close(world.now());
    world.run(Duration::from_millis(100));
    assert!(world.session.is_closed() && world.peer.was_told_goodbye);
}

#[test]
fn a_peer_may_change_its_address_without_loss() {
    let mut world = World::connected();
    for n in 0..400_u16 {
        if n == 200 {
            world.peer.move_to(address(2));
        }
        // The peer sends from its new address when that was answered, as browsers do.
        world.publish(0, n, &n.to_be_bytes());
        world.run(Duration::from_millis(10));
    }
    world.run(Duration::from_millis(50));
    let received = world.take_received();
    assert_eq!(received.len(), 400);
    assert_eq!(world.session.destination(), Some(address(2)));
}

#[test]
fn ice_begins_anew_without_a_gap() {
    let mut world = World::connected();
    let (local, remote) = (peer::credentials("ours2", "our second password"), peer::credentials("them2", "pwd2"));
    world.session.restart_ice(local.clone(), remote.clone());
    assert_eq!(world.session.ufrags().collect::<Vec<_>>(), ["ours2", "ours"]);
    world.publish(0, 1, b"before");
    world.run(Duration::from_millis(50));
    world.peer.restart(local, remote, address(3));
    world.run(Duration::from_millis(200));
    world.publish(0, 2, b"after");
    world.run(Duration::from_millis(50));
    assert_eq!(world.take_received().len(), 2);
    assert_eq!(world.session.destination(), Some(address(3)));
    assert_eq!(world.session.ufrags().collect::<Vec<_>>(), ["ours2"]);
}

#[test]
fn retransmissions_come_as_what_they_repeat() {
    let mut world = World::connected();
    world.publish(0, 10, b"ten");
    world.publish_rtx(0x1112, 97, 500, 11, b"eleven");
    world.publish_rtx(0x1112, 97, 501, 12, b"");
    world.run(Duration::from_millis(50));
    let want = [(0, 10, b"ten".to_vec(), false), (0, 11, b"eleven".to_vec(), true), (0, 12, b"".to_vec(), true)];
    assert_eq!(world.take_received(), want);
    assert_eq!(world.session.stats().retransmissions_received, 2);
}

#[test]
fn what_is_missing_is_asked_for_until_it_comes() {
    let mut world = World::connected();
    for sequence in [10, 11, 14] {
        world.publish(0, sequence, b"picture");
    }
    world.run(Duration::from_millis(300));
    let asked = world.asked();
    assert!(asked.starts_with(&[12, 13]) && asked.len() >= 4, "{asked:?}");
    world.publish_rtx(0x1112, 97, 500, 12, b"picture");
    world.publish(0, 13, b"picture");
    world.run(Duration::from_millis(100));
    world.asked();
    world.run(Duration::from_secs(2));
    assert!(world.asked().is_empty());
    assert_eq!(world.take_received().len(), 5);

    world.publish_rtx(0x1112, 97, 501, 13, b"picture");
    world.run(Duration::from_millis(50));
    assert_eq!(world.session.stats().discards.of(Discard::RtpDuplicate), 1);
}

#[test]
fn a_publisher_hears_what_came_and_when() {
    let mut world = World::connected();
    for sequence in 0..100_u16 {
        if sequence % 4 > 0 {
            let number = sequence.to_be_bytes();
            let sealed = world.peer.seal_rtp(0x1111, 96, sequence, b"picture", &[(3, &number)]);
            world.peer.outbox.push_back((address(1), sealed));
        }
        world.run(Duration::from_millis(10));
    }
    world.run(Duration::from_millis(1_500));
    let compounds = world.peer.take_rtcp();
    let packets = || compounds.iter().flat_map(|compound| rtcp::parse(compound)).map(Result::unwrap);
    let blocks = packets().filter_map(|packet| match packet {
        Rtcp::ReceiverReport { blocks, .. } => Some(blocks),
        _ => None,
    });
    let block = blocks.flatten().next().expect("a block");
    assert_eq!(
        (block.ssrc, block.lost > 0, (60..70).contains(&block.fraction_lost)),
        (0x1111, true, true),
        "{block:?}"
    );
    let feedback = packets().filter(|packet| matches!(packet, Rtcp::Twcc { media_ssrc: 0x1111, .. })).count();
    assert!((8..=12).contains(&feedback), "every tenth of a second: {feedback}");
}

#[test]
fn streams_that_were_not_announced_are_found_by_mid_or_payload_type() {
    let mut world = World::connected();
    let (now, from) = (world.now(), address(1));
    for (what, ssrc, kind, extensions, want) in [
        ("its own payload type", 0x7777, 96, &[][..], Some(0)),
        ("its mid", 0x7778, 96, &[(4, &b"0"[..])], Some(0)),
        ("a payload type of nobody", 0x7779, 50, &[], None),
        ("a line that we send on", 0x777a, 111, &[(4, b"1")], None),
        ("another payload type on a known SSRC", 0x7777, 97, &[], None),
    ] {
        let mut sealed = world.peer.seal_rtp(ssrc, kind, 1 + u16::from(kind), b"x", extensions);
        let line = world.session.handle_datagram(&mut sealed, from, now).map(|incoming| incoming.line);
        assert_eq!(line, want, "{what}");
    }
}

#[test]
fn reports_say_what_timestamps_mean() {
    let mut world = World::connected();
    let at = world.now();
    world.session.set_clock(1, at, 48_000);
    world.play(1, &outgoing(1), b"sound");
    world.run(Duration::from_millis(2_500));
    let reports: Vec<(u64, u32, u32, u32)> = world
        .peer
        .take_rtcp()
        .iter()
        .flat_map(|compound| {
            rtcp::parse(compound)
                .filter_map(|packet| match packet.unwrap() {
                    Rtcp::SenderReport { ssrc: 0x2222, ntp, rtp, packets, octets, .. } => {
                        Some((ntp, rtp, packets, octets))
                    }
                    _ => None,
                })
                .collect::<Vec<_>>()
        })
        .collect();
    assert!((2..=3).contains(&reports.len()), "{reports:?}");
    assert!(reports.iter().all(|(_, _, packets, octets)| (*packets, *octets) == (1, 5)));
    let (first, last) = (reports[0], reports[1]);
    let seconds = (last.0 - first.0) as f64 / 2_f64.powi(32);
    let ticks = f64::from(last.1.wrapping_sub(first.1));
    assert!((ticks / seconds - 48_000.0).abs() < 1.0, "{ticks} in {seconds}");
}

#[test]
fn the_round_trip_is_measured() {
    let mut world = World::connected();
    world.session.set_clock(1, world.now(), 0);
    world.play(1, &outgoing(1), b"sound");
    world.run(Duration::from_millis(100));
    let compound = world.peer.take_rtcp().pop().expect("a report");
    let Some(Ok(Rtcp::SenderReport { ntp, .. })) = rtcp::parse(&compound).next() else { panic!("a sender report") };
    let mut answer = Vec::new();
    let block = ReportBlock { ssrc: 0x2222, last_report: rtcp::compact(ntp), fraction_lost: 25, ..Default::default() };
    rtcp::write_receiver_report(&mut answer, 1, &[block]);
    world.peer_sends_rtcp(&answer);
    world.run(Duration::from_millis(50));
    let measured = world.session.round_trip().expect("measured");
    assert!((Duration::from_millis(40)..Duration::from_millis(160)).contains(&measured), "{measured:?}");
    assert_eq!(world.session.remote_report(1).map(|block| block.fraction_lost), Some(25));
}

#[test]
fn keyframes_are_asked_for_once_for_all() {
    let mut world = World::connected();
    world.publish(0, 1, b"picture");
    world.run(Duration::from_millis(50));
    for _ in 0..200 {
        world.session.request_keyframe(0, world.now());
        world.run(Duration::from_millis(5));
    }
    let asked = world
        .peer
        .take_rtcp()
        .iter()
        .filter(|compound| {
            rtcp::parse(compound).any(|packet| matches!(packet.unwrap(), Rtcp::Pli { media_ssrc: 0x1111, .. }))
        })
        .count();
    assert!((3..=4).contains(&asked), "{asked}");
    assert_eq!(world.session.stats().plis_sent, asked as u64);
}

#[test]
fn storms_of_requests_are_bounded() {
    let mut world = World::connected();
    world.take_events();
    for sequence in 0..300 {
        world.play(1, &outgoing(sequence), b"sound");
    }
    let mut storm = Vec::new();
    let lost: Vec<u16> = (0..1_000).collect();
    rtcp::write_receiver_report(&mut storm, 1, &[]);
    rtcp::write_nack(&mut storm, 1, 0x2222, &lost);
    rtcp::write_pli(&mut storm, 1, 0x2222);
    rtcp::write_fir(&mut storm, 1, 0x2222, 1);
    for _ in 0..100 {
        world.peer_sends_rtcp(&storm);
    }
    world.run(Duration::from_millis(50));
    let events = world.take_events();
    let resent = events.iter().filter(|event| matches!(event, Event::Retransmit { line: 1, .. })).count();
    assert_eq!(resent, 364, "those that were sent, and no more than were sent and a few");
    assert_eq!(events.iter().filter(|event| **event == Event::KeyframeWanted { line: 1 }).count(), 1);
    assert_eq!(world.session.stats().plis_received, 200);
}

#[test]
fn a_packet_is_sent_again_under_the_other_ssrc() {
    let mut world = World::connected();
    world.play(1, &outgoing(900), b"sound");
    let mut out = Vec::new();
    assert!(world.session.seal_retransmission(1, &outgoing(900), b"sound", &mut out));
    let plain = world.peer.open_rtp(&out).expect("sealed for the peer");
    let view = heliu_rtp::RtpView::parse(&plain).unwrap();
    assert_eq!((view.ssrc(), view.payload_type(), view.payload()), (0x2223, 112, &b"\x03\x84sound"[..]));
    assert!(!world.session.seal_retransmission(0, &outgoing(900), b"sound", &mut out), "a line that receives");
}

#[test]
fn packets_are_padded_to_one_length() {
    let mut world = World::connected();
    for (payload, pad_to, want) in
        [(100, Some(383), 383), (100, Some(100), 128), (100, Some(128), 128), (100, Some(384), 128), (100, None, 128)]
    {
        let mut out = b"before".to_vec();
        let packet = outgoing(world.next_sequence());
        assert!(world.session.seal(1, &packet, &vec![7; payload], &mut out, pad_to));
        assert_eq!(out.len() - 6, want, "{pad_to:?}");
        let plain = world.peer.open_rtp(&out[6..]).expect("sealed for the peer");
        assert_eq!(heliu_rtp::RtpView::parse(&plain).unwrap().payload(), vec![7; payload]);
    }
    let again = outgoing(world.next_sequence() - 1);
    let mut out = b"before".to_vec();
    assert!(!world.session.seal(1, &again, b"else", &mut out, None));
    assert_eq!(out, b"before", "nothing is sealed twice under one number");
}
