//! One WebRTC session as a plain value: an offer is answered, datagrams go in and out, packets go in and
//! out. No sockets, no clock, no rooms.

#![forbid(unsafe_code)]
