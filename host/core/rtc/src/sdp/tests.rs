//! Offers of real clients, and what is answered to them. Those of Chromium, Firefox (without its H.264
//! plugin), ffmpeg and aiortc are as the programs made them; the others are written after theirs.

use std::fmt::Write;

use heliu_model::Kind;

use crate::agreement::DtlsRole;
use crate::fingerprint::Fingerprint;
use crate::ice::Credentials;
use crate::line::{Codec, Direction, MLine};

use super::{Offer, OfferError, Outgoing, Terms, Wish, answer};

/// The fuzz target's corpus has them too.
macro_rules! offers {
    ($($name:ident = $file:literal)*) => {
        $(const $name: &str = include_str!(concat!("../../../../fuzz/corpus/sdp_answer/seed-", $file));)*
        const ALL: &[(&str, &str)] = &[$(($file, $name)),*];
    };
}

offers! {
    AIORTC_PLAY = "aiortc-play"
    AIORTC_PUBLISH = "aiortc-publish"
    CHROMIUM_PLAY = "chromium-play"
    CHROMIUM_PLAY_AUDIO = "chromium-play-audio"
    CHROMIUM_PLAY_DATA = "chromium-play-data"
    CHROMIUM_PLAY_VIDEO = "chromium-play-video"
    CHROMIUM_PLAY_VIDEO_FIRST = "chromium-play-video-first"
    CHROMIUM_PLAY_VP8 = "chromium-play-vp8"
    CHROMIUM_PUBLISH = "chromium-publish"
    CHROMIUM_PUBLISH_SENDRECV = "chromium-publish-sendrecv"
    CHROMIUM_PUBLISH_SIMULCAST = "chromium-publish-simulcast"
    CHROMIUM_PUBLISH_VIDEO = "chromium-publish-video"
    FFMPEG_PUBLISH = "ffmpeg9-whip-av"
    FFMPEG_PUBLISH_VIDEO = "ffmpeg9-whip-video"
    FIREFOX_PLAY = "firefox-play"
    FIREFOX_PLAY_H264 = "firefox-play-h264"
    FIREFOX_PLAY_VIDEO = "firefox-play-video"
    FIREFOX_PUBLISH = "firefox-publish"
    FIREFOX_PUBLISH_VIDEO = "firefox-publish-video"
    GSTREAMER_PUBLISH = "gstreamer-publish"
    LARIX_PUBLISH = "larix-publish"
    OBS_PUBLISH = "obs30-publish"
    SAFARI_PUBLISH = "safari-publish"
}

#[test]
fn publishers_are_taken_as_they_offer() {
    for (what, offer, want) in [
        (
            "chromium",
            CHROMIUM_PUBLISH,
            "0 receive opus 111 twcc mid=4 level=1 twcc=3 ssrc=[3991367150]
             1 receive h264 108/109 nack pli twcc mid=4 rid=10 rrid=11 twcc=3 orientation=13 ssrc=[1057009582] rtx=[2042544149]",
        ),
        (
            "chromium, layers",
            CHROMIUM_PUBLISH_SIMULCAST,
            "0 receive opus 111 twcc mid=4 level=1 twcc=3 ssrc=[…]
             1 receive h264 108/109 nack pli twcc mid=4 rid=10 rrid=11 twcc=3 orientation=13 rids=h,m,l",
        ),
        (
            "chromium, both ways, pictures first",
            CHROMIUM_PUBLISH_SENDRECV,
            "0 receive h264 108/109 nack pli twcc mid=9 rid=10 rrid=11 twcc=4 orientation=3 ssrc=[…] rtx=[…]
             1 receive opus 111 twcc mid=9 level=14 twcc=4 ssrc=[…]",
        ),
        ("firefox without its plugin", FIREFOX_PUBLISH, "0 receive opus 109 twcc mid=3 level=1 twcc=7 ssrc=[1680252322]
             1 receive vp8 120/124 nack pli twcc mid=3 twcc=7 ssrc=[3865042003] rtx=[3982315808]"),
        ("ffmpeg", FFMPEG_PUBLISH, "0 receive opus 111 ssrc=[4133620302]
             1 receive h264 106/105 nack ssrc=[4133620303] rtx=[4133620304]"),
        ("ffmpeg, pictures only", FFMPEG_PUBLISH_VIDEO, "1 receive h264 106/105 nack ssrc=[3471124249] rtx=[3471124250]"),
        ("aiortc", AIORTC_PUBLISH, "0 receive opus 96 mid=1 level=2 ssrc=[…]
             1 receive h264 101/102 nack pli mid=1 ssrc=[…] rtx=[…]"),
        ("gstreamer", GSTREAMER_PUBLISH, "video0 receive h264 96/97 nack pli twcc twcc=1 ssrc=[3216549870] rtx=[1234567890]
             audio1 receive opus 98 twcc twcc=1 ssrc=[1122334455]"),
        ("obs", OBS_PUBLISH, "0 receive opus 111 ssrc=[1463710345]
             1 receive h264 96 nack pli ssrc=[1463710346]"),
        ("safari", SAFARI_PUBLISH, "0 receive opus 111 twcc mid=4 level=1 twcc=3 ssrc=[3016542980]
             1 receive h264 98/99 nack pli twcc mid=4 rid=10 rrid=11 twcc=3 orientation=13 ssrc=[2904171302] rtx=[1370283847]"),
        ("larix", LARIX_PUBLISH, "0 receive opus 111 ssrc=[889231123]
             1 receive h264 102/103 nack pli ssrc=[2323411] rtx=[88123912]"),
    ] {
        check(what, offer, &terms(publish(true, true)), want);
    }
}

#[test]
fn viewers_get_what_there_is() {
    let [sound, pictures, vp8] = [OPUS, H264, VP8].map(Some);
    for (what, offer, audio, video, want) in [
        (
            "chromium",
            CHROMIUM_PLAY,
            sound,
            pictures,
            "0 send opus 111 mid=4 level=1 ssrc=[1]
             1 send h264 108/109 nack pli mid=4 orientation=13 ssrc=[3] rtx=[4]",
        ),
        (
            "chromium, pictures first",
            CHROMIUM_PLAY_VIDEO_FIRST,
            sound,
            pictures,
            "0 send h264 108/109 nack pli mid=9 orientation=3 ssrc=[3] rtx=[4]
             1 send opus 111 mid=9 level=14 ssrc=[1]",
        ),
        (
            "chromium, of VP8",
            CHROMIUM_PLAY,
            None,
            vp8,
            "0 refused
             1 send vp8 96/97 nack pli mid=4 orientation=13 ssrc=[3] rtx=[4]",
        ),
        (
            "pictures only",
            CHROMIUM_PLAY,
            None,
            pictures,
            "0 refused
             1 send h264 108/109 nack pli mid=4 orientation=13 ssrc=[3] rtx=[4]",
        ),
        (
            "sound only",
            CHROMIUM_PLAY,
            sound,
            None,
            "0 send opus 111 mid=4 level=1 ssrc=[1]
             1 refused",
        ),
        (
            "data too",
            CHROMIUM_PLAY_DATA,
            sound,
            pictures,
            "0 send opus 111 mid=4 level=1 ssrc=[1]
             1 send h264 108/109 nack pli mid=4 orientation=13 ssrc=[3] rtx=[4]",
        ),
        (
            "wants pictures only",
            CHROMIUM_PLAY_VIDEO,
            sound,
            pictures,
            "0 send h264 108/109 nack pli mid=9 orientation=3 ssrc=[3] rtx=[4]",
        ),
        ("wants sound only", CHROMIUM_PLAY_AUDIO, sound, pictures, "0 send opus 111 mid=4 level=1 ssrc=[1]"),
        (
            "firefox",
            FIREFOX_PLAY_H264,
            sound,
            pictures,
            "0 send opus 109 mid=3 level=1 ssrc=[1]
             1 send h264 126/127 nack pli mid=3 ssrc=[3] rtx=[4]",
        ),
        (
            "firefox without its plugin, of VP8",
            FIREFOX_PLAY,
            sound,
            vp8,
            "0 send opus 109 mid=3 level=1 ssrc=[1]
             1 send vp8 120/124 nack pli mid=3 ssrc=[3] rtx=[4]",
        ),
        (
            "aiortc",
            AIORTC_PLAY,
            sound,
            pictures,
            "0 send opus 96 mid=1 level=2 ssrc=[1]
             1 send h264 101/102 nack pli mid=1 ssrc=[3] rtx=[4]",
        ),
    ] {
        check(what, offer, &terms(play(audio, video)), want);
    }
}

#[test]
fn every_answer_keeps_the_places_of_its_offer() {
    for (what, offer) in ALL {
        for wish in wishes() {
            let Ok(answer) = answer(&Offer::parse(offer).unwrap(), &terms(wish.clone())) else { continue };
            let (offered, answered) = (outline(offer), outline(&answer.sdp));
            let names = |outline: &[Outline]| {
                outline.iter().map(|line| (line.media.clone(), line.mid.clone())).collect::<Vec<_>>()
            };
            assert_eq!(names(&offered), names(&answered), "{what} {wish:?}");
            let bundle = answer.sdp.lines().find_map(|line| line.strip_prefix("a=group:BUNDLE ")).unwrap();
            for line in &answered {
                let is_refused = line.port == "0";
                assert!(line.has("a=inactive") || !is_refused, "{what} {wish:?}");
                assert_eq!(bundle.split(' ').any(|mid| mid == line.mid), !is_refused, "{what} {wish:?}: {bundle}");
                assert_eq!(line.has("a=rtcp-mux"), !is_refused, "{what} {wish:?}");
            }
            assert_eq!(answer.sdp.matches("a=end-of-candidates").count(), 1, "{what} {wish:?}");
        }
    }
}

#[test]
fn what_is_not_granted_keeps_its_place() {
    for (what, offer, audio, video, want) in [
        ("no sound", CHROMIUM_PUBLISH, false, true, ["0 refused", "1 receive h264"]),
        ("no pictures", CHROMIUM_PUBLISH, true, false, ["0 receive opus", "1 refused"]),
        ("no pictures, which stand first", CHROMIUM_PUBLISH_SENDRECV, true, false, ["0 refused", "1 receive opus"]),
    ] {
        let lines = lines(offer, &terms(publish(audio, video))).unwrap();
        let got: Vec<String> = lines.iter().map(summary).collect();
        assert!(
            got.iter().zip(want).all(|(got, want)| got.starts_with(want)) && got.len() == want.len(),
            "{what}: {got:?}"
        );
    }
}

#[test]
fn the_text_of_an_answer_to_a_publisher() {
    let answer = answer(&Offer::parse(GSTREAMER_PUBLISH).unwrap(), &terms(publish(true, false))).unwrap();
    let want = "v=0
o=- 77 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE video0 audio1
a=ice-lite
a=msid-semantic: WMS *
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=mid:video0
a=inactive
TRANSPORT
a=candidate:1 1 udp 2130706175 192.0.2.9 7000 typ host
a=candidate:2 1 udp 2130705919 2001:db8::9 7000 typ host
a=end-of-candidates
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;profile-level-id=42c01f
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
m=audio 9 UDP/TLS/RTP/SAVPF 98
c=IN IP4 0.0.0.0
a=mid:audio1
a=recvonly
TRANSPORT
a=rtpmap:98 opus/48000/2
a=rtcp-fb:98 transport-cc
a=fmtp:98 minptime=10;stereo=1
a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
";
    let transport = "a=ice-ufrag:ours
a=ice-pwd:oursoursoursoursoursours
a=ice-options:trickle
a=fingerprint:sha-256 BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD
a=setup:passive
a=rtcp-mux
a=rtcp-rsize";
    assert_eq!(answer.sdp, want.replace("TRANSPORT", transport).replace('\n', "\r\n"));
}

#[test]
fn a_line_where_nothing_flows_stays_in_the_bundle_if_it_can() {
    let (head, rest) = CHROMIUM_PUBLISH.split_at(CHROMIUM_PUBLISH.find("m=video").unwrap());
    for (what, offer, bundle, audio, carrier) in [
        ("it can", CHROMIUM_PUBLISH.to_owned(), "0 1", "m=audio 9 ", "m=audio"),
        ("no codec of ours", without(CHROMIUM_PUBLISH, &["opus/48000/2"]), "1", "m=audio 0 ", "m=video"),
        ("RTCP apart", head.replace("a=rtcp-mux\r\n", "") + rest, "1", "m=audio 0 ", "m=video"),
        ("not in the bundle", CHROMIUM_PUBLISH.replace("BUNDLE 0 1", "BUNDLE 1"), "1", "m=audio 0 ", "m=video"),
        ("refused by its maker", head.replace("m=audio 33056", "m=audio 0") + rest, "1", "m=audio 0 ", "m=video"),
    ] {
        let answer = answer(&Offer::parse(&offer).unwrap(), &terms(publish(false, true))).unwrap();
        let sdp = answer.sdp;
        assert!(sdp.contains(&format!("a=group:BUNDLE {bundle}\r\n")) && sdp.contains(audio), "{what}: {sdp}");
        let before = &sdp[..sdp.find("a=candidate").unwrap()];
        assert!(before.rfind(carrier) == before.rfind("m="), "{what}: {sdp}");
        assert_eq!(answer.agreement.lines[0].direction, Direction::Refused, "{what}");
    }
}

#[test]
fn the_text_of_an_answer_to_a_viewer() {
    let offer = Offer::parse(CHROMIUM_PLAY_VIDEO).unwrap();
    let answer = answer(&offer, &terms(play(Some(OPUS), Some(H264)))).unwrap();
    let (_, section) = answer.sdp.split_once("a=end-of-candidates\r\n").unwrap();
    let want = "a=rtpmap:108 H264/90000
a=rtcp-fb:108 ccm fir
a=rtcp-fb:108 nack
a=rtcp-fb:108 nack pli
a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:109 rtx/90000
a=fmtp:109 apt=108
a=extmap:3 urn:3gpp:video-orientation
a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
a=msid:room video
a=ssrc-group:FID 3 4
a=ssrc:3 cname:room
a=ssrc:3 msid:room video
a=ssrc:4 cname:room
a=ssrc:4 msid:room video
";
    assert_eq!(section, want.replace('\n', "\r\n"));
    assert!(answer.sdp.contains("\r\na=extmap-allow-mixed\r\n"));
}

#[test]
fn of_simulcast_the_first_layer_is_taken() {
    let answer = answer(&Offer::parse(CHROMIUM_PUBLISH_SIMULCAST).unwrap(), &terms(publish(true, true))).unwrap();
    assert!(answer.sdp.ends_with("a=rid:h recv\r\na=simulcast:recv h\r\n"), "{}", answer.sdp);
}

#[test]
fn who_begins_dtls_is_what_the_offer_leaves() {
    for (what, offer, role, setup) in [
        ("either", CHROMIUM_PUBLISH.to_owned(), DtlsRole::Server, "a=setup:passive\r\n"),
        (
            "the peer",
            CHROMIUM_PUBLISH.replace("a=setup:actpass", "a=setup:active"),
            DtlsRole::Server,
            "a=setup:passive\r\n",
        ),
        ("not a word", CHROMIUM_PUBLISH.replace("a=setup:actpass\r\n", ""), DtlsRole::Server, "a=setup:passive\r\n"),
        ("ffmpeg waits for us", FFMPEG_PUBLISH.to_owned(), DtlsRole::Client, "a=setup:active\r\n"),
    ] {
        let answer = answer(&Offer::parse(&offer).unwrap(), &terms(publish(true, true))).unwrap();
        assert_eq!(answer.agreement.dtls, role, "{what}");
        assert_eq!(answer.sdp.matches(setup).count(), 2, "{what}");
    }
}

#[test]
fn the_transport_is_that_of_the_first_line_taken() {
    let own = CHROMIUM_PUBLISH.replacen("a=ice-ufrag:yRag", "a=ice-ufrag:sound", 1);
    let session = FIREFOX_PUBLISH
        .replace("a=ice-ufrag:1bf18452", "a=x")
        .replace("a=ice-pwd:", "a=y:")
        .replace("a=group:", "a=ice-ufrag:session\r\na=ice-pwd:sessionsessionsessionsession\r\na=group:");
    // RFC 9143 §7.1.3: a line that lives in the bundle only may leave the transport to the first one.
    let bare = GSTREAMER_PUBLISH.replace("a=bundle-only", "a=bundle-only\r\na=x");
    let (video, audio) = bare.split_at(bare.find("m=audio").unwrap());
    let audio: String =
        audio.lines().filter(|line| !line.starts_with("a=ice-")).map(|line| format!("{line}\r\n")).collect();
    for (what, offer, wish, want) in [
        ("both taken", own.clone(), publish(true, true), "sound"),
        ("sound idle", own.clone(), publish(false, true), "sound"),
        ("sound refused", own.replace("BUNDLE 0 1", "BUNDLE 1"), publish(false, true), "yRag"),
        ("told for the session", session, publish(true, true), "session"),
        ("told on the first line", format!("{video}{audio}"), publish(true, false), "oyRcF8V5dW2fTzXjmPa0hqYk1sUeLbNg"),
    ] {
        let answer = answer(&Offer::parse(&offer).unwrap(), &terms(wish)).unwrap();
        assert_eq!(answer.agreement.remote.ufrag, want, "{what}");
    }
}

#[test]
fn an_offer_that_cannot_be_met_is_refused_with_a_reason() {
    let codec = |kind, wanted| OfferError::Codec { kind, wanted };
    let ours = "sound or video that the client receives";
    let theirs = "sound or video that the client sends";
    for (what, offer, wish, want) in [
        (
            "H.264 for who takes VP8 only",
            CHROMIUM_PLAY_VP8.to_owned(),
            play(None, Some(H264)),
            codec(Kind::Video, "H.264 with packetization-mode=1"),
        ),
        (
            "VP8 for who takes H.264 only",
            LARIX_PUBLISH.replace("sendonly", "recvonly"),
            play(None, Some(VP8)),
            codec(Kind::Video, "VP8"),
        ),
        (
            "VP9 only",
            without(CHROMIUM_PUBLISH, &["H264/90000", "VP8/90000"]),
            publish(true, true),
            codec(Kind::Video, "H.264 or VP8"),
        ),
        ("no Opus", without(CHROMIUM_PUBLISH, &["opus/48000/2"]), publish(true, true), codec(Kind::Audio, "Opus")),
        (
            "only single packets of H.264",
            FIREFOX_PLAY_H264.replace("packetization-mode=1", "packetization-mode=0"),
            play(None, Some(H264)),
            codec(Kind::Video, "H.264 with packetization-mode=1"),
        ),
        ("nothing that is sent", CHROMIUM_PLAY.to_owned(), publish(true, true), OfferError::Nothing(theirs)),
        (
            "nothing that is received",
            CHROMIUM_PUBLISH.to_owned(),
            play(Some(OPUS), Some(H264)),
            OfferError::Nothing(ours),
        ),
        ("nothing granted", CHROMIUM_PUBLISH.to_owned(), publish(false, false), OfferError::Nothing(theirs)),
        (
            "nothing but refused lines",
            CHROMIUM_PLAY_VIDEO.replace("m=video 4", "m=video 0 x 4").replace("m=video 5", "m=video 0 x 5"),
            play(None, Some(H264)),
            OfferError::Nothing(ours),
        ),
        (
            "inactive",
            CHROMIUM_PUBLISH.replace("sendonly", "inactive"),
            publish(true, true),
            OfferError::Nothing(theirs),
        ),
        (
            "plain RTP",
            CHROMIUM_PUBLISH.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
            publish(true, true),
            OfferError::Nothing(theirs),
        ),
        (
            "two transports",
            CHROMIUM_PUBLISH.replace("BUNDLE 0 1", "BUNDLE 0"),
            publish(true, true),
            OfferError::Unbundled,
        ),
        (
            "no bundle",
            CHROMIUM_PUBLISH.replace("a=group:BUNDLE 0 1", "a=x"),
            publish(true, true),
            OfferError::Unbundled,
        ),
        ("RTCP apart", CHROMIUM_PUBLISH.replace("a=rtcp-mux", "a=x"), publish(true, true), OfferError::NotMuxed),
        (
            "a lite peer",
            CHROMIUM_PUBLISH.replace("a=extmap-allow-mixed", "a=ice-lite"),
            publish(true, true),
            OfferError::IceLite,
        ),
        (
            "no ICE",
            CHROMIUM_PUBLISH.replace("a=ice-pwd", "a=x"),
            publish(true, true),
            OfferError::Missing("ice-ufrag and ice-pwd"),
        ),
        (
            "too short a password",
            CHROMIUM_PUBLISH.replace("yfDFWstoIxNxkcBQl05ioaUb", "short"),
            publish(true, true),
            OfferError::Missing("ice-ufrag and ice-pwd"),
        ),
        (
            "no certificate",
            CHROMIUM_PUBLISH.replace("sha-256", "sha-1"),
            publish(true, true),
            OfferError::Missing("fingerprint"),
        ),
    ] {
        let error = lines(&offer, &terms(wish)).unwrap_err();
        assert_eq!(error, want, "{what}");
        assert_eq!(error.is_garbage(), matches!(error, OfferError::Missing(_)), "{what}");
    }
}

#[test]
fn one_line_alone_needs_no_bundle() {
    let alone = CHROMIUM_PUBLISH_VIDEO.replace("a=group:BUNDLE 0\r\n", "").replace("a=mid:0\r\n", "");
    let answer = answer(&Offer::parse(&alone).unwrap(), &terms(publish(true, true))).unwrap();
    assert!(
        !answer.sdp.contains("a=group") && !answer.sdp.contains("a=mid") && answer.sdp.contains("a=candidate"),
        "{}",
        answer.sdp
    );
    let [line] = &answer.agreement.lines[..] else { panic!("{:?}", answer.agreement.lines) };
    assert_eq!((line.mid.as_str(), line.extensions.mid), ("", None));
}

#[test]
fn of_each_kind_one_line_is_taken() {
    let second = CHROMIUM_PUBLISH_VIDEO.split_at(CHROMIUM_PUBLISH_VIDEO.find("m=video").unwrap()).1;
    let three = CHROMIUM_PUBLISH.replace("BUNDLE 0 1", "BUNDLE 0 1 2") + &second.replace("a=mid:0", "a=mid:2");
    let got: Vec<Direction> =
        lines(&three, &terms(publish(true, true))).unwrap().iter().map(|line| line.direction).collect();
    assert_eq!(got, [Direction::Receive, Direction::Receive, Direction::Refused]);

    let unusable = without(&three, &["H264/90000", "VP8/90000"]) + "a=rtpmap:96 VP8/90000\r\n";
    let got: Vec<Direction> =
        lines(&unusable, &terms(publish(true, true))).unwrap().iter().map(|line| line.direction).collect();
    assert_eq!(got, [Direction::Receive, Direction::Refused, Direction::Receive], "the first one that can be used");
}

#[test]
fn header_extensions_are_those_that_can_flow() {
    let mid = "urn:ietf:params:rtp-hdrext:sdes:mid";
    let long = "12345678901234567";
    let long_mid =
        CHROMIUM_PUBLISH.replace("a=mid:0", &format!("a=mid:{long}")).replace("BUNDLE 0", &format!("BUNDLE {long}"));
    let number = |number: &str| CHROMIUM_PUBLISH.replace("extmap:4 ", &format!("extmap:{number} "));
    for (what, offer, want, text) in [
        ("as offered", number("4"), Some(4), "a=extmap:4 "),
        ("the peer only takes it", number("4/recvonly"), None, ""),
        ("the peer only sends it", number("4/sendonly"), Some(4), "a=extmap:4/recvonly "),
        ("a number of the long form", number("40"), Some(40), "a=extmap:40 "),
        ("a number that is taken", number("3"), None, ""),
        ("told twice", number(&format!("4 {mid}\r\na=extmap:5")), Some(4), "a=extmap:4 "),
        ("too long a mid", long_mid, None, ""),
    ] {
        let answer = answer(&Offer::parse(&offer).unwrap(), &terms(publish(true, false))).unwrap();
        assert_eq!(answer.agreement.lines[0].extensions.mid, want, "{what}");
        assert!(answer.sdp.contains(text), "{what}");
        assert_eq!(answer.sdp.matches(mid).count(), usize::from(want.is_some()), "{what}");
    }
    let unmixed = CHROMIUM_PUBLISH.replace("a=extmap-allow-mixed\r\n", "").replace("extmap:4", "extmap:40");
    assert_eq!(
        lines(&unmixed, &terms(publish(true, true))).unwrap()[0].extensions.mid,
        None,
        "long and short do not mix"
    );
}

#[test]
fn what_is_no_offer_is_not_read() {
    let head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    let line = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
    let many = |what, max| OfferError::TooMany { what, max };
    for (what, text, want) in [
        ("nothing", String::new(), OfferError::Missing("m-line")),
        ("noise", "\u{1}\u{2}".to_owned(), OfferError::Malformed(1)),
        ("JSON", r#"{"sdp":"v=0"}"#.to_owned(), OfferError::Malformed(1)),
        ("another beginning", "o=- 1\r\nv=0\r\n".to_owned(), OfferError::Malformed(1)),
        ("another version", "v=1\r\n".to_owned(), OfferError::Malformed(1)),
        ("no m-line", head.to_owned(), OfferError::Missing("m-line")),
        ("half an m-line", format!("{head}m=audio 9\r\n"), OfferError::Malformed(5)),
        ("an m-line without formats", format!("{head}m=audio 9 UDP/TLS/RTP/SAVPF\r\n"), OfferError::Malformed(5)),
        ("a port that is none", format!("{head}m=audio 65536 UDP/TLS/RTP/SAVPF 0\r\n"), OfferError::Malformed(5)),
        ("a broken mid", format!("{head}{line}a=mid:a b\r\n"), OfferError::Malformed(6)),
        ("an endless mid", format!("{head}{line}a=mid:{}\r\n", "a".repeat(65)), OfferError::Malformed(6)),
        ("one mid twice", format!("{head}{line}a=mid:0\r\n{line}a=mid:0\r\n"), OfferError::SameMid),
        ("thousands of m-lines", format!("{head}{}", "m=a 9 b 1\r\n".repeat(3000)), many("m-lines", 32)),
        (
            "thousands of candidates",
            format!("{head}{line}{}", "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n".repeat(1000)),
            many("candidates in one m-line", 256),
        ),
        (
            "many extensions",
            format!("{head}{line}{}", "a=extmap:1 urn:3gpp:video-orientation\r\n".repeat(33)),
            many("header extensions in one m-line", 32),
        ),
        (
            "many layers",
            format!("{head}{line}{}", "a=rid:a send\r\n".repeat(9)),
            many("simulcast layers in one m-line", 8),
        ),
        (
            "a long list of layers",
            format!("{head}{line}a=simulcast:send 1;2;3;4;5;6;7;8;9\r\n"),
            many("simulcast layers in one m-line", 8),
        ),
        ("a long bundle", format!("{head}a=group:BUNDLE{}\r\n", " 0".repeat(33)), many("bundled m-lines", 32)),
        ("too much", format!("{head}{line}{}", "a=x\r\n".repeat(20_000)), OfferError::TooLong),
    ] {
        let error = Offer::parse(&text).unwrap_err();
        assert_eq!(error, want, "{what}");
        assert!(error.is_garbage(), "{what}");
    }
}

#[test]
fn an_offer_with_line_feeds_alone_is_read() {
    let bare = CHROMIUM_PUBLISH.replace("\r\n", "\n");
    assert_eq!(Offer::parse(&bare), Offer::parse(CHROMIUM_PUBLISH));
}

const OPUS: Outgoing = Outgoing { codec: Codec::Opus, ssrc: 1, rtx_ssrc: 2 };
const H264: Outgoing = Outgoing { codec: Codec::H264, ssrc: 3, rtx_ssrc: 4 };
const VP8: Outgoing = Outgoing { codec: Codec::Vp8, ..H264 };

fn publish(audio: bool, video: bool) -> Wish {
    Wish::Publish { audio, video }
}

fn play(audio: Option<Outgoing>, video: Option<Outgoing>) -> Wish {
    Wish::Play { audio, video, cname: "room".to_owned() }
}

fn wishes() -> Vec<Wish> {
    vec![
        publish(true, true),
        publish(true, false),
        publish(false, true),
        play(Some(OPUS), Some(H264)),
        play(Some(OPUS), None),
        play(None, Some(H264)),
        play(None, Some(VP8)),
    ]
}

fn terms(wish: Wish) -> Terms {
    Terms {
        wish,
        local: Credentials { ufrag: "ours".to_owned(), pwd: "oursoursoursoursoursours".to_owned() },
        fingerprint: Fingerprint::of(b"abc"),
        candidates: vec!["192.0.2.9:7000".parse().unwrap(), "[2001:db8::9]:7000".parse().unwrap()],
        session_id: 77,
    }
}

fn lines(offer: &str, terms: &Terms) -> Result<Vec<MLine>, OfferError> {
    Ok(answer(&Offer::parse(offer)?, terms)?.agreement.lines)
}

/// Compares with one summary a line; `[…]` is any list.
fn check(what: &str, offer: &str, terms: &Terms, want: &str) {
    let got: Vec<String> = lines(offer, terms).unwrap().iter().map(summary).collect();
    let want: Vec<&str> = want.lines().map(str::trim).collect();
    assert_eq!(got.len(), want.len(), "{what}: {got:?}");
    for (got, want) in got.iter().zip(want) {
        let words: Vec<(&str, &str)> = got.split(' ').zip(want.split(' ')).collect();
        let is_same = |(got, want): &(&str, &str)| got == want || (want.ends_with("[…]") && got.ends_with(']'));
        assert!(
            words.iter().all(is_same) && got.split(' ').count() == want.split(' ').count(),
            "{what}: {got}\nwanted: {want}"
        );
    }
}

/// A line's mid, direction, codec, numbers, feedback, extensions and sources.
fn summary(line: &MLine) -> String {
    let direction = match line.direction {
        Direction::Receive => "receive",
        Direction::Send => "send",
        Direction::Refused => "refused",
    };
    let mut text = format!("{} {direction}", line.mid);
    let Some(codec) = line.codec else { return text };
    let codec = format!("{codec:?}").to_ascii_lowercase();
    write!(text, " {codec} {}", line.payload_type).unwrap();
    line.rtx_payload_type.iter().for_each(|rtx| write!(text, "/{rtx}").unwrap());
    let feedback = line.feedback;
    for (is_agreed, name) in [(feedback.nack, " nack"), (feedback.pli, " pli"), (feedback.twcc, " twcc")] {
        text += if is_agreed { name } else { "" };
    }
    let ids = line.extensions;
    for (name, id) in [
        ("mid", ids.mid),
        ("rid", ids.rid),
        ("rrid", ids.repaired_rid),
        ("level", ids.audio_level),
        ("twcc", ids.twcc),
        ("orientation", ids.orientation),
    ] {
        id.iter().for_each(|id| write!(text, " {name}={id}").unwrap());
    }
    for (name, ssrcs) in [("ssrc", &line.ssrcs), ("rtx", &line.rtx_ssrcs)] {
        if !ssrcs.is_empty() {
            write!(text, " {name}={ssrcs:?}").unwrap();
        }
    }
    if !line.rids.is_empty() {
        write!(text, " rids={}", line.rids.join(",")).unwrap();
    }
    text
}

/// The offer without formats of those names.
fn without(offer: &str, names: &[&str]) -> String {
    names.iter().fold(offer.to_owned(), |offer, name| offer.replace(name, "unknown/90000"))
}

/// An m-line and its attributes.
struct Outline {
    media: String,
    port: String,
    mid: String,
    attributes: Vec<String>,
}

impl Outline {
    fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|known| known == attribute)
    }
}

fn outline(sdp: &str) -> Vec<Outline> {
    let sections = sdp.split("\r\nm=").skip(1);
    let read = |section: &str| {
        let attributes: Vec<String> = section.lines().map(str::to_owned).collect();
        let mut words = attributes[0].split(' ').map(str::to_owned);
        let [media, port] = std::array::from_fn(|_| words.next().unwrap());
        let mid = attributes.iter().find_map(|line| line.strip_prefix("a=mid:")).unwrap().to_owned();
        Outline { media, port, mid, attributes }
    };
    sections.map(read).collect()
}
