//! A whole FLV file through the probe: tags, headers, decoders, and what is told in the end.

use std::time::Duration;

use heliu_container::flv::TagReader;
use heliu_probe::{End, Options, Probe};

/// More than any input of a fuzzer holds, so that all of it is looked at.
const SPAN: Duration = Duration::from_secs(Options::SECONDS_MAX);

pub fn run(data: &[u8]) {
    let mut probe = Probe::new(&Options { span: SPAN, points: Vec::new() }).expect("a thread");
    let mut reader = TagReader::new();
    reader.handle_bytes(data);
    while let Ok(Some(tag)) = reader.poll() {
        if let Some(kind) = tag.kind {
            probe.handle_tag(kind, tag.timestamp_ms, tag.body);
        }
    }
    let Some(report) = probe.finish(End::Over) else { return };
    assert!(report.seconds >= 0.0);
    if let Some(video) = &report.video {
        assert!(video.keyframes.count <= video.timing.frames && video.b_pictures <= video.timing.frames);
        let spans = video.freezes.iter().chain(&video.black);
        assert!(spans.into_iter().all(|span| span.ms > 0));
    }
    let told = serde_json::to_value(&report).expect("a report is JSON");
    assert!(told.is_object());
}
