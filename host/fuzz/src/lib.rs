//! What must hold whatever bytes a stranger sends, one target for every parser that meets them.
//!
//! A target is a function over bytes that panics when an invariant breaks: the same bytes in other
//! pieces mean the same, what was written reads back as it was, nothing grows beyond its bound.
//! `tests/corpus.rs` runs the corpus and a bounded number of seeded mutations of it; `cargo xtask fuzz`
//! runs the same functions under libFuzzer, which stands in a workspace of its own (`engine/`).
//!
//! Not here: what a parser accepts. That is told by its own tests.

#![forbid(unsafe_code)]

mod bench;
mod mutator;
mod rtc;
mod script;
mod target;
mod wire;

pub use mutator::Mutator;

/// One function over bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// As `cargo xtask fuzz` and the folder of its corpus call it.
    pub name: &'static str,
    /// Panics when an invariant breaks.
    pub run: fn(&[u8]),
    /// How dear one run is: it decides how many of them are part of a normal test.
    pub cost: Cost,
}

/// How dear one run of a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Microseconds.
    Parser,
    /// Milliseconds: a codec is at work.
    Codec,
}

/// All of them, by name.
pub const TARGETS: [Target; 27] = [
    parser("aac_config", target::aac_config::run),
    parser("addresses", target::addresses::run),
    parser("avc_nals", target::avc_nals::run),
    parser("avc_sets", target::avc_sets::run),
    parser("config", target::config::run),
    parser("flv", target::flv::run),
    parser("flv_tags", target::flv_tags::run),
    parser("frame_assembler", target::frame_assembler::run),
    parser("h264_payloads", target::h264_payloads::run),
    codec("opus", target::opus::run),
    codec("pictures", target::pictures::run),
    parser("pipeline", target::pipeline::run),
    codec("probe", target::probe::run),
    parser("rtcp", target::rtcp::run),
    parser("rtc_datagrams", target::rtc_datagrams::run),
    codec("rtc_session", target::rtc_session::run),
    parser("rtc_srtp", target::rtc_srtp::run),
    parser("rtc_stun", target::rtc_stun::run),
    parser("rtmp_amf", target::rtmp_amf::run),
    parser("rtmp_chunks", target::rtmp_chunks::run),
    parser("rtmp_client", target::rtmp_client::run),
    parser("rtmp_handshake", target::rtmp_handshake::run),
    parser("rtmp_server", target::rtmp_server::run),
    parser("rtp_packet", target::rtp_packet::run),
    parser("sdp_answer", target::sdp_answer::run),
    codec("sound", target::sound::run),
    parser("store_record", target::store_record::run),
];

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

const fn parser(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, cost: Cost::Parser }
}

const fn codec(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run, cost: Cost::Codec }
}
