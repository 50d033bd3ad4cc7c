//! Binding requests and their answers (RFC 8489), as far as a lite agent meets them.
//!
//! A request is read where it lies, up to its MESSAGE-INTEGRITY: what stands behind is anybody's word
//! and is not looked at, but for FINGERPRINT. Nothing is believed before [`Request::is_from`] holds.
//!
//! Not here: requests of our own, other methods, long-term credentials.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, Mac};
use rtc_stun::fingerprint::fingerprint_value;
use sha1::Sha1;

const HEADER_LEN: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const BINDING_ERROR: [u8; 2] = [0x01, 0x11];

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLED: u16 = 0x8029;
/// Whoever does not know an attribute below this must refuse the request.
const OPTIONAL_FROM: u16 = 0x8000;

/// Attribute types that are named in a refusal; more of them say nothing more.
const UNKNOWN_MAX: usize = 8;
const TAG_LEN: usize = 20;

/// A password, ready to sign and to check.
pub struct Key(Hmac<Sha1>);

/// A binding request, whole but not yet believed.
#[derive(Debug)]
pub struct Request<'a> {
    /// Told back in the answer.
    pub transaction: [u8; 12],
    /// `ours:theirs`.
    pub username: &'a str,
    /// USE-CANDIDATE: the peer wants this pair.
    pub is_nominating: bool,
    /// ICE-CONTROLLED: the peer takes the role that is ours.
    pub is_controlled: bool,
    /// Attributes that must be understood and are not.
    pub unknown: Vec<u16>,
    /// What the tag is of, and the tag.
    signed: &'a [u8],
    tag: &'a [u8],
}

/// What a request is answered.
#[derive(Debug)]
pub enum Reply<'a> {
    /// The address it came from.
    Success(SocketAddr),
    /// 420 with their types.
    UnknownAttributes(&'a [u16]),
    /// 487.
    RoleConflict,
}

/// The password is not told.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

impl Key {
    pub fn new(password: &str) -> Self {
        Self(<Hmac<Sha1> as Mac>::new_from_slice(password.as_bytes()).expect("HMAC takes keys of any length"))
    }

    /// Of a message that ends where MESSAGE-INTEGRITY begins, under a header that counts it in.
    fn keyed(&self, signed: &[u8]) -> Hmac<Sha1> {
        let len = (signed.len() - HEADER_LEN + 4 + TAG_LEN) as u16;
        let mut mac = self.0.clone();
        mac.update(&signed[..2]);
        mac.update(&len.to_be_bytes());
        mac.update(&signed[4..]);
        mac
    }
}

impl<'a> Request<'a> {
    /// `None`: no binding request, not whole, without USERNAME or MESSAGE-INTEGRITY, or with a FINGERPRINT
    /// that is wrong. One without FINGERPRINT is taken: integrity says more.
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (header, mut rest) = datagram.split_at_checked(HEADER_LEN)?;
        let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[..2] != BINDING_REQUEST || header[4..8] != COOKIE || rest.len() != len {
            return None;
        }
        let (mut username, mut integrity) = (None, None);
        let (mut is_nominating, mut is_controlled, mut unknown) = (false, false, Vec::new());
        while !rest.is_empty() {
            let at = datagram.len() - rest.len();
            let (kind, value, behind) = attribute(rest)?;
            rest = behind;
            match kind {
                FINGERPRINT if !rest.is_empty() || !is_fingerprint(value, &datagram[..at]) => return None,
                _ if integrity.is_some() => {}
                USERNAME => username = username.or(Some(std::str::from_utf8(value).ok()?)),
                MESSAGE_INTEGRITY if value.len() == TAG_LEN => integrity = Some((&datagram[..at], value)),
                MESSAGE_INTEGRITY => return None,
                USE_CANDIDATE => is_nominating = true,
                ICE_CONTROLLED => is_controlled = true,
                PRIORITY | OPTIONAL_FROM.. => {}
                _ if unknown.len() < UNKNOWN_MAX => unknown.push(kind),
                _ => {}
            }
        }
        let (signed, tag) = integrity?;
        let transaction = header[8..].try_into().ok()?;
        Some(Self { transaction, username: username?, is_nominating, is_controlled, unknown, signed, tag })
    }

    /// Did somebody sign it who knows the password? In constant time.
    pub fn is_from(&self, key: &Key) -> bool {
        key.keyed(self.signed).verify_slice(self.tag).is_ok()
    }
}

impl Reply<'_> {
    /// Appends the answer, signed.
    pub fn write(&self, transaction: [u8; 12], key: &Key, out: &mut Vec<u8>) {
        let start = out.len();
        let kind = if matches!(self, Self::Success(_)) { BINDING_SUCCESS } else { BINDING_ERROR };
        out.extend_from_slice(&kind);
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&COOKIE);
        out.extend_from_slice(&transaction);
        match self {
            Self::Success(address) => push_address(out, *address, transaction),
            Self::UnknownAttributes(unknown) => {
                push(out, ERROR_CODE, b"\0\0\x04\x14Unknown Attribute");
                let types: Vec<u8> = unknown.iter().flat_map(|kind| kind.to_be_bytes()).collect();
                push(out, UNKNOWN_ATTRIBUTES, &types);
            }
            Self::RoleConflict => push(out, ERROR_CODE, b"\0\0\x04\x57Role Conflict"),
        }
        let tag = key.keyed(&out[start..]).finalize().into_bytes();
        push(out, MESSAGE_INTEGRITY, &tag);
        // The length counts FINGERPRINT in before it is computed (RFC 8489 §14.7).
        set_len(&mut out[start..], 8);
        let checksum = fingerprint_value(&out[start..]);
        push(out, FINGERPRINT, &checksum.to_be_bytes());
        set_len(&mut out[start..], 0);
    }
}

/// The local half of a request's USERNAME: whose session a datagram is for. Believed by nobody.
#[must_use]
pub fn local_ufrag(datagram: &[u8]) -> Option<&str> {
    Some(Request::parse(datagram)?.username.split_once(':')?.0)
}

/// Type, value and what is behind the first attribute.
fn attribute(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let (padded, behind) = rest.split_at_checked(len.next_multiple_of(4))?;
    Some((u16::from_be_bytes([head[0], head[1]]), &padded[..len], behind))
}

fn is_fingerprint(value: &[u8], before: &[u8]) -> bool {
    *value == fingerprint_value(before).to_be_bytes()
}

fn push(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&(value.len() as u16).to_be_bytes());
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// RFC 8489 §14.2.
fn push_address(out: &mut Vec<u8>, address: SocketAddr, transaction: [u8; 12]) {
    let mask = [&COOKIE[..], &transaction].concat();
    // A socket for both families shows IPv4 inside IPv6.
    let (family, ip) = match address.ip().to_canonical() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let mut value = vec![0, family];
    value.extend(address.port().to_be_bytes().iter().chain(&ip).zip(mask[..2].iter().chain(&mask)).map(|(a, b)| a ^ b));
    push(out, XOR_MAPPED_ADDRESS, &value);
}

fn set_len(message: &mut [u8], ahead: usize) {
    let len = (message.len() - HEADER_LEN + ahead) as u16;
    message[2..4].copy_from_slice(&len.to_be_bytes());
}
