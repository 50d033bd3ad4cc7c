//! The targets, one file each.

pub mod aac_config;
pub mod addresses;
pub mod avc_nals;
pub mod avc_sets;
pub mod config;
pub mod flv;
pub mod flv_tags;
pub mod frame_assembler;
pub mod h264_payloads;
pub mod opus;
pub mod pictures;
pub mod pipeline;
pub mod probe;
pub mod rtcp;
pub mod rtmp_amf;
pub mod rtmp_chunks;
pub mod rtmp_client;
pub mod rtmp_handshake;
pub mod rtmp_server;
pub mod rtp_packet;
pub mod sdp_answer;
pub mod sound;
pub mod store_record;
