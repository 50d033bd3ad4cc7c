//! An RTCP datagram. What heliu also writes reads back as it was.

use heliu_rtp::rtcp::{
    ReportBlock, Rtcp, SenderInfo, parse, write_bye, write_nack, write_pli, write_receiver_report, write_sender_report,
};

/// What one byte of NACK may ask for: 17 packets in four bytes.
const LOST_PER_BYTE_MAX: usize = 5;

pub fn run(data: &[u8]) {
    let mut packets = parse(data);
    let mut len = 0;
    while let Some(packet) = packets.next() {
        let Ok(packet) = packet else {
            assert!(packets.next().is_none(), "nothing comes behind an error");
            return;
        };
        len += 4;
        walk(&packet, data.len());
    }
    assert!(len <= data.len(), "each has a header");
}

fn walk(packet: &Rtcp<'_>, len: usize) {
    let mut out = Vec::new();
    match *packet {
        Rtcp::SenderReport { ssrc, ntp, rtp, packets, octets, blocks } => {
            let blocks: Vec<ReportBlock> = blocks.collect();
            write_sender_report(&mut out, ssrc, &SenderInfo { ntp, rtp, packets, octets }, &blocks);
            let Some(Ok(Rtcp::SenderReport { ntp: again, blocks: read, .. })) = parse(&out).next() else { panic!() };
            assert_eq!((again, read.collect::<Vec<_>>()), (ntp, blocks));
        }
        Rtcp::ReceiverReport { ssrc, blocks } => {
            let blocks: Vec<ReportBlock> = blocks.collect();
            write_receiver_report(&mut out, ssrc, &blocks);
            let Some(Ok(Rtcp::ReceiverReport { blocks: read, .. })) = parse(&out).next() else { panic!() };
            assert_eq!(read.collect::<Vec<_>>(), blocks);
        }
        Rtcp::Nack { sender_ssrc, media_ssrc, lost } => {
            let lost: Vec<u16> = lost.collect();
            assert!(lost.len() <= LOST_PER_BYTE_MAX * len);
            let written = write_nack(&mut out, sender_ssrc, media_ssrc, &lost);
            assert!(written > 0 || lost.is_empty());
            if let Some(Ok(Rtcp::Nack { lost: read, .. })) = parse(&out).next() {
                assert!(read.clone().all(|sequence| lost[..written].contains(&sequence)));
                assert!(lost[..written].iter().all(|sequence| read.clone().any(|other| other == *sequence)));
            }
        }
        Rtcp::Pli { sender_ssrc, media_ssrc } => {
            write_pli(&mut out, sender_ssrc, media_ssrc);
            assert!(matches!(parse(&out).next(), Some(Ok(Rtcp::Pli { .. }))));
        }
        Rtcp::Bye { ssrcs } => {
            let ssrcs: Vec<u32> = ssrcs.collect();
            write_bye(&mut out, &ssrcs);
            let Some(Ok(Rtcp::Bye { ssrcs: read })) = parse(&out).next() else { panic!() };
            assert_eq!(read.collect::<Vec<_>>(), ssrcs);
        }
        Rtcp::Fir { entries, .. } => assert!(entries.count() <= len / 8),
        Rtcp::Remb { ssrcs, .. } => assert!(ssrcs.count() <= len / 4),
        Rtcp::Twcc { feedback, .. } => assert!(feedback.packets().count() <= usize::from(feedback.count)),
        Rtcp::Description | Rtcp::Other { .. } => {}
    }
}
