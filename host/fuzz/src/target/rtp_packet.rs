//! One RTP packet: its header, its extensions, and where a keyframe begins.

use heliu_rtp::{
    Codec, HeaderFields, Meta, Ring, RtpView, extension, header_len, is_rtcp, starts_keyframe, write_header,
    write_padding,
};

use crate::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let padding = script.byte();
    let packet = script.rest();
    let _ = is_rtcp(packet);
    let Ok(view) = RtpView::parse(packet) else { return };
    assert_eq!(header_len(packet), Ok(view.payload_range().start));
    assert!(view.payload_range().end <= packet.len());
    let extensions: Vec<(u8, &[u8])> = view.extensions().collect();
    for (id, value) in &extensions {
        assert!(view.extension(*id).is_some(), "the first of that id");
        let _ = (extension::audio_level(value), extension::transport_sequence(value));
        assert!(extension::orientation(value).is_none_or(|turns| turns < 4));
    }
    for codec in [Codec::H264, Codec::Vp8, Codec::Opus] {
        let _ = starts_keyframe(codec, view.payload());
    }
    read_back(&view, &extensions, padding);
    let mut ring = Ring::new(2);
    let meta = Meta { marker: view.marker(), ..Meta::default() };
    assert_eq!(ring.push(meta, view.payload()), Ok(0), "any payload of a view fits");
    assert_eq!(ring.get(0), Some((&meta, view.payload())));
}

fn read_back(view: &RtpView<'_>, extensions: &[(u8, &[u8])], padding: u8) {
    let fields = HeaderFields {
        payload_type: view.payload_type(),
        marker: view.marker(),
        sequence: view.sequence(),
        timestamp: view.timestamp(),
        ssrc: view.ssrc(),
    };
    let mut out = Vec::new();
    write_header(&mut out, &fields, extensions);
    out.extend_from_slice(view.payload());
    write_padding(&mut out, 0, padding);
    // Padding may make it longer than a datagram is.
    let Ok(again) = RtpView::parse(&out) else { return };
    let read = (again.payload_type(), again.marker(), again.sequence(), again.timestamp(), again.ssrc());
    assert_eq!(read, (fields.payload_type, fields.marker, fields.sequence, fields.timestamp, fields.ssrc));
    assert_eq!(again.extensions().collect::<Vec<_>>(), extensions);
    assert_eq!(again.payload(), view.payload());
}
