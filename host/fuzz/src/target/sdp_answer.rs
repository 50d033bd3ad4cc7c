//! Offers and what is answered to them: every m-line keeps its place, nothing that is quoted leaves its
//! line, and of each kind one line at most is taken.

use heliu_model::Kind;
use heliu_rtc::sdp::{Fragment, Offer, Outgoing, Terms, Wish, answer};
use heliu_rtc::{Codec, Credentials, Direction, Fingerprint, MLine};

/// Twice what may be quoted, and our own words for 32 lines.
const ANSWER_LEN_MAX: usize = 256 * 1024;

pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(fragment) = Fragment::parse(text) {
        assert!(fragment.candidates <= 256);
    }
    let Ok(offer) = Offer::parse(text) else { return };
    let offered = outline(text);
    for wish in wishes() {
        let Ok(answer) = answer(&offer, &terms(wish)) else { continue };
        assert!(answer.sdp.len() <= ANSWER_LEN_MAX);
        assert!(answer.sdp.ends_with("\r\n") && !answer.sdp.replace("\r\n", "").contains(char::is_control));
        assert_eq!(outline(&answer.sdp), offered);
        assert!(Offer::parse(&answer.sdp).is_ok(), "{}", answer.sdp);
        answer.agreement.lines.iter().for_each(check);
        for kind in [Kind::Audio, Kind::Video] {
            let taken = answer.agreement.lines.iter().filter(|line| line.kind == kind && line.codec.is_some());
            assert!(taken.count() <= 1);
        }
    }
}

fn check(line: &MLine) {
    assert_eq!(line.codec.is_none(), line.direction == Direction::Refused);
    assert!(line.payload_type < 128 && line.rtx_payload_type.is_none_or(|rtx| rtx < 128));
    assert!(line.mid.len() <= 64 && line.parameters.len() <= 2048);
    assert!(line.ssrcs.len() <= 32 && line.rtx_ssrcs.len() <= line.ssrcs.len() && line.rids.len() <= 8);
    let ids = line.extensions;
    let mut ids: Vec<u8> = [ids.mid, ids.rid, ids.repaired_rid, ids.audio_level, ids.twcc, ids.orientation]
        .into_iter()
        .flatten()
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() == count && !ids.contains(&0) && !ids.contains(&15), "{line:?}");
}

/// What each m-line is about, and its mid.
fn outline(sdp: &str) -> Vec<(String, Option<String>)> {
    let mut sections: Vec<(String, Option<String>)> = Vec::new();
    for line in sdp.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        if let Some(media) = line.strip_prefix("m=") {
            sections.push((media.split_ascii_whitespace().next().unwrap_or_default().to_owned(), None));
        } else if let (Some(mid), Some((_, known @ None))) = (line.strip_prefix("a=mid:"), sections.last_mut()) {
            *known = Some(mid.to_owned());
        }
    }
    sections
}

fn wishes() -> [Wish; 4] {
    let sent = |codec, ssrc| Some(Outgoing { codec, ssrc, rtx_ssrc: ssrc + 1 });
    let play = |audio, video| Wish::Play { audio, video, cname: "room".to_owned() };
    [
        Wish::Publish { audio: true, video: true },
        Wish::Publish { audio: false, video: true },
        play(sent(Codec::Opus, 1), sent(Codec::H264, 3)),
        play(None, sent(Codec::Vp8, 3)),
    ]
}

fn terms(wish: Wish) -> Terms {
    Terms {
        wish,
        local: Credentials { ufrag: "ours".to_owned(), pwd: "oursoursoursoursoursours".to_owned() },
        fingerprint: Fingerprint::of(b"ours"),
        candidates: vec![([192, 0, 2, 9], 7000).into()],
        session_id: 1,
    }
}
