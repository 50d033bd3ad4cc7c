//! RTP and RTCP as plain values: headers, sequence arithmetic, payload formats, and the two ways between
//! packets and frames. No sockets, no encryption, no SDP.

#![forbid(unsafe_code)]
