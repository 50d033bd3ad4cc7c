//! What is read of RTCP and written of it, and whether the library agrees.

use proptest::prelude::*;
use rtc_rtcp::goodbye::Goodbye;
use rtc_rtcp::packet::unmarshal;
use rtc_rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc_rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc_rtcp::sender_report::SenderReport;
use rtc_rtcp::source_description::SourceDescription;
use rtc_rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use rtc_shared::marshal::Marshal;

use super::*;
use crate::Discard;

const BLOCK: ReportBlock = ReportBlock {
    ssrc: 9,
    fraction_lost: 255,
    lost: -3,
    highest: 0x0001_FFFF,
    jitter: u32::MAX,
    last_report: 0x1234_5678,
    delay_since: 65_536,
};

#[test]
fn a_compound_reads_as_it_was_written() {
    let info = SenderInfo { ntp: u64::MAX - 1, rtp: 0xFEDC_BA98, packets: 7, octets: u32::MAX };
    let mut out = Vec::new();
    write_sender_report(&mut out, 1, &info, &[BLOCK]);
    write_cname(&mut out, 1, "who@where");
    write_receiver_report(&mut out, 2, &[BLOCK; 40]);
    write_pli(&mut out, 3, 4);
    write_fir(&mut out, 3, 4, 200);
    write_bye(&mut out, &[1, 2]);
    let mut packets = parse(&out).map(Result::unwrap);

    let Some(Rtcp::SenderReport { ssrc: 1, ntp, rtp, packets: sent, octets, blocks }) = packets.next() else {
        panic!()
    };
    assert_eq!(SenderInfo { ntp, rtp, packets: sent, octets }, info);
    assert_eq!(blocks.collect::<Vec<_>>(), [BLOCK]);
    assert!(matches!(packets.next(), Some(Rtcp::Description)));
    let Some(Rtcp::ReceiverReport { ssrc: 2, blocks }) = packets.next() else { panic!() };
    assert_eq!(blocks.collect::<Vec<_>>(), [BLOCK; 31]);
    assert!(matches!(packets.next(), Some(Rtcp::Pli { sender_ssrc: 3, media_ssrc: 4 })));
    let Some(Rtcp::Fir { sender_ssrc: 3, entries }) = packets.next() else { panic!() };
    assert_eq!(entries.collect::<Vec<_>>(), [(4, 200)]);
    let Some(Rtcp::Bye { ssrcs }) = packets.next() else { panic!() };
    assert_eq!(ssrcs.collect::<Vec<_>>(), [1, 2]);
    assert!(packets.next().is_none());
}

#[test]
fn the_library_reads_what_we_write() {
    let info = SenderInfo { ntp: 5 << 32, rtp: 6, packets: 7, octets: 8 };
    let mut out = Vec::new();
    write_sender_report(&mut out, 1, &info, &[ReportBlock { lost: 3, ..BLOCK }]);
    write_cname(&mut out, 1, "x");
    write_nack(&mut out, 2, 3, &[65_535, 0, 15]);
    write_pli(&mut out, 4, 5);
    write_fir(&mut out, 6, 7, 8);
    write_bye(&mut out, &[9]);
    let packets = unmarshal(&mut &out[..]).unwrap();
    let [report, name, nack, pli, fir, bye] = &packets[..] else { panic!("{packets:?}") };

    let report = report.as_any().downcast_ref::<SenderReport>().unwrap();
    assert_eq!((report.ssrc, report.ntp_time, report.rtp_time), (1, 5 << 32, 6));
    assert_eq!((report.packet_count, report.octet_count), (7, 8));
    let block = &report.reports[0];
    assert_eq!((block.ssrc, block.fraction_lost, block.total_lost, block.jitter), (9, 255, 3, u32::MAX));
    assert_eq!((block.last_sequence_number, block.last_sender_report, block.delay), (0x1_FFFF, 0x1234_5678, 65_536));
    let name = name.as_any().downcast_ref::<SourceDescription>().unwrap();
    assert_eq!((name.chunks[0].source, &name.chunks[0].items[0].text[..]), (1, &b"x"[..]));
    let nack = nack.as_any().downcast_ref::<TransportLayerNack>().unwrap();
    assert_eq!((nack.sender_ssrc, nack.media_ssrc), (2, 3));
    assert_eq!(nack.nacks.iter().flat_map(NackPair::packet_list).collect::<Vec<_>>(), [65_535, 0, 15]);
    let pli = pli.as_any().downcast_ref::<PictureLossIndication>().unwrap();
    assert_eq!((pli.sender_ssrc, pli.media_ssrc), (4, 5));
    let fir = fir.as_any().downcast_ref::<FullIntraRequest>().unwrap();
    assert_eq!((fir.sender_ssrc, fir.fir[0].ssrc, fir.fir[0].sequence_number), (6, 7, 8));
    assert_eq!(bye.as_any().downcast_ref::<Goodbye>().unwrap().sources, [9]);
}

#[test]
fn an_estimate_of_the_library_is_read() {
    for (bitrate, want) in [(8_927_168.0, 8_927_168), (0.0, 0), (262_143.0, 262_143)] {
        let remb = ReceiverEstimatedMaximumBitrate { sender_ssrc: 1, bitrate, ssrcs: vec![5, 6] };
        let bytes = remb.marshal().unwrap();
        let Some(Ok(Rtcp::Remb { sender_ssrc: 1, bitrate, ssrcs })) = parse(&bytes).next() else { panic!() };
        assert_eq!((bitrate, ssrcs.collect::<Vec<_>>()), (want, vec![5, 6]));
    }
    let boundless = b"\x8f\xce\0\x04\0\0\0\x01\0\0\0\0REMB\0\xff\xff\xff";
    assert!(matches!(parse(boundless).next(), Some(Ok(Rtcp::Remb { bitrate: u64::MAX, .. }))));
    let another = b"\x8f\xce\0\x03\0\0\0\x01\0\0\0\0OTHR";
    assert!(matches!(parse(another).next(), Some(Ok(Rtcp::Other { packet_type: 206, count: 15 }))));
}

#[test]
fn lengths_that_lie_end_the_datagram() {
    let pli: &[u8] = b"\x81\xce\0\x02\0\0\0\x01\0\0\0\x02";
    for (what, bytes, good, want) in [
        ("nothing", &[][..], 0, None),
        ("one whole", pli, 1, None),
        ("half a header", &[pli, b"\x80\xc9"].concat(), 1, Some(Discard::BadRtcp)),
        ("a body that is cut", &[pli, &pli[..11]].concat(), 1, Some(Discard::BadRtcp)),
        ("another version", &[pli, b"\x41\xce\0\x02\0\0\0\x01\0\0\0\x02"].concat(), 1, Some(Discard::NotRtp)),
        ("RTP in between", &[pli, b"\x80\x60\0\0", pli].concat(), 1, Some(Discard::BadRtcp)),
        ("feedback about nobody", b"\x81\xce\0\x01\0\0\0\x01", 0, Some(Discard::BadRtcp)),
        ("blocks that are not there", b"\x9f\xc9\0\x01\0\0\0\x01", 0, Some(Discard::BadRtcp)),
        ("a report without its sender", b"\x80\xc8\0\0", 0, Some(Discard::BadRtcp)),
        ("leaving sources that are not there", b"\x82\xcb\0\x01\0\0\0\x01", 0, Some(Discard::BadRtcp)),
        ("padding", b"\xa1\xce\0\x03\0\0\0\x01\0\0\0\x02\0\0\0\x04", 1, None),
        ("padding of more than all", b"\xa1\xce\0\x02\0\0\0\x01\0\0\0\x09", 0, Some(Discard::BadRtcp)),
        ("padding of nothing", b"\xa1\xce\0\x02\0\0\0\x01\0\0\0\0", 0, Some(Discard::BadRtcp)),
        ("half feedback of times", b"\x8f\xcd\0\x03\0\0\0\x01\0\0\0\x02\0\0\0\0", 0, Some(Discard::BadRtcp)),
        ("an unknown kind", b"\x80\xcc\0\x01abcd", 1, None),
        ("a long one", &pli.repeat(126), 0, Some(Discard::TooLong)),
    ] {
        let read: Vec<_> = parse(bytes).collect();
        assert_eq!(read.iter().filter(|packet| packet.is_ok()).count(), good, "{what}");
        assert_eq!(read.last().and_then(|last| last.as_ref().err().copied()), want, "{what}");
    }
}

#[test]
fn a_nack_is_written_as_short_as_it_can_be() {
    for (what, lost, entries) in [
        ("one", &[7][..], 1),
        ("17 in a row", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], 1),
        ("far apart", &[0, 17], 2),
        ("over the turn", &[65_530, 65_535, 3, 10], 1),
        ("one twice", &[5, 5], 1),
    ] {
        let mut out = Vec::new();
        assert_eq!(write_nack(&mut out, 1, 2, lost), lost.len(), "{what}");
        assert_eq!(out.len(), 12 + 4 * entries, "{what}");
    }
    let mut out = Vec::new();
    assert_eq!((write_nack(&mut out, 1, 2, &[]), out.len()), (0, 0));
    let flood: Vec<u16> = (0..1_000).map(|n| n * 20).collect();
    assert_eq!((write_nack(&mut out, 1, 2, &flood), out.len()), (253, 12 + 4 * 253));
    let Some(Ok(Rtcp::Nack { lost, .. })) = parse(&out).next() else { panic!() };
    assert_eq!(lost.collect::<Vec<_>>(), flood[..253]);
}

#[test]
fn the_name_is_cut_and_its_words_are_whole() {
    for len in [0, 1, 2, 3, 4, 255, 300] {
        let mut out = Vec::new();
        write_cname(&mut out, 1, &"n".repeat(len));
        let packets = unmarshal(&mut &out[..]).unwrap();
        let name = packets[0].as_any().downcast_ref::<SourceDescription>().unwrap();
        assert_eq!(name.chunks[0].items[0].text.len(), len.min(255));
    }
}

#[test]
fn times_of_packets_are_read_from_every_kind_of_chunk() {
    let head = b"\x8f\xcd\0\x08\0\0\0\x01\0\0\0\x02\xff\xfe\0\x19\xff\xff\xff\x07";
    // A run of two without deltas, 14 of one bit, 7 of two bits, a run of two with long deltas.
    let chunks = b"\x00\x02\xa0\x01\xd8\x02\x40\x02";
    let deltas = b"\x01\x02\x03\xff\xff\xff\xf0\x00\x0a\x7f\xff\0";
    let bytes = [&head[..], chunks, deltas].concat();
    let bytes = [&bytes[..3], &[u8::try_from(bytes.len() / 4 - 1).unwrap()], &bytes[4..]].concat();
    let Some(Ok(Rtcp::Twcc { sender_ssrc: 1, media_ssrc: 2, feedback })) = parse(&bytes).next() else { panic!() };
    assert_eq!((feedback.base, feedback.count, feedback.reference, feedback.number), (65_534, 25, -1, 7));
    let there: Vec<_> = feedback.packets().filter_map(|(number, at)| at.map(|at| (number, at))).collect();
    assert_eq!(feedback.packets().count(), 25);
    assert_eq!(there, [(0, 1), (13, 3), (14, 6), (15, 5), (20, -11), (21, -1), (22, 32_766)]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..200), kind in 199_u8..208, count in 0_u8..64) {
        let len = u8::try_from(data.len() / 4).unwrap();
        for data in [&data[..], &[&[0x80 | count, kind, 0, len][..], &data].concat()] {
            for packet in parse(data).flatten() {
                match packet {
                    Rtcp::SenderReport { blocks, .. } | Rtcp::ReceiverReport { blocks, .. } => prop_assert!(blocks.count() < 32),
                    Rtcp::Nack { lost, .. } => prop_assert!(lost.count() <= 17 * data.len() / 4),
                    Rtcp::Bye { ssrcs } | Rtcp::Remb { ssrcs, .. } => prop_assert!(ssrcs.count() <= data.len() / 4),
                    Rtcp::Fir { entries, .. } => prop_assert!(entries.count() <= data.len() / 8),
                    Rtcp::Twcc { feedback, .. } => prop_assert!(feedback.packets().count() <= usize::from(feedback.count)),
                    Rtcp::Pli { .. } | Rtcp::Description | Rtcp::Other { .. } => {}
                }
            }
        }
    }

    #[test]
    fn what_is_lost_reads_back(lost in proptest::collection::btree_set(any::<u16>(), 1..200)) {
        let lost: Vec<u16> = lost.into_iter().collect();
        let mut out = Vec::new();
        prop_assert_eq!(write_nack(&mut out, 1, 2, &lost), lost.len());
        let Some(Ok(Rtcp::Nack { sender_ssrc: 1, media_ssrc: 2, lost: read })) = parse(&out).next() else { panic!() };
        prop_assert_eq!(read.collect::<Vec<_>>(), lost);
    }
}
