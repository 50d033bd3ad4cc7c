//! Records and handshake fragments as they lie in a datagram (RFC 6347 §4.1, §4.2.2), to decide what the
//! library is shown.

const HEADER_LEN: usize = 13;
const FRAGMENT_HEADER_LEN: usize = 12;
/// The longest are chains of certificates; a WebRTC peer has one of its own.
const MESSAGE_LEN_MAX: usize = 16 << 10;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
pub const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// One record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    kind: u8,
    epoch: u16,
    body: &'a [u8],
}

/// A part of a handshake message.
#[derive(Debug, Clone, Copy)]
pub struct Fragment<'a> {
    pub kind: u8,
    /// Of the whole message.
    pub message_len: usize,
    /// Of messages.
    pub sequence: u16,
    pub offset: usize,
    pub bytes: &'a [u8],
}

/// Is it made of whole records that can be part of this handshake? The library answers what is not with
/// an alert, which would end the handshake of a peer that did not send it.
pub fn is_sane(datagram: &[u8]) -> bool {
    let mut rest = datagram;
    while !rest.is_empty() {
        if !next_record(&mut rest).is_some_and(Record::is_sane) {
            return false;
        }
    }
    !datagram.is_empty()
}

/// Handshake fragments that are not encrypted.
pub fn fragments(datagram: &[u8]) -> impl Iterator<Item = Fragment<'_>> {
    records(datagram).filter(Record::is_plain_handshake).flat_map(|record| fragments_of(record.body))
}

/// Is there anything besides handshake fragments that are not encrypted?
pub fn has_more(datagram: &[u8]) -> bool {
    records(datagram).any(|record| !record.is_plain_handshake())
}

/// Does it begin with a ServerHello?
pub fn is_server_hello(datagram: &[u8]) -> bool {
    fragments(datagram).next().is_some_and(|fragment| fragment.kind == SERVER_HELLO)
}

impl Record<'_> {
    fn is_plain_handshake(&self) -> bool {
        self.kind == HANDSHAKE && self.epoch == 0
    }

    fn is_sane(self) -> bool {
        match (self.epoch, self.kind) {
            (0, HANDSHAKE) => {
                let len: usize = fragments_of(self.body).map(|part| FRAGMENT_HEADER_LEN + part.bytes.len()).sum();
                len == self.body.len() && len > 0
            }
            (0, ALERT) => self.body.len() == 2,
            (0, CHANGE_CIPHER_SPEC) => self.body == [1],
            // What is inside is sealed. Nobody agreed on another epoch, or on application data.
            (1, ALERT | HANDSHAKE) => true,
            _ => false,
        }
    }
}

fn records(datagram: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || next_record(&mut rest))
}

fn next_record<'a>(rest: &mut &'a [u8]) -> Option<Record<'a>> {
    let (&[kind, _, _, e1, e2, _, _, _, _, _, _, l1, l2], behind) = rest.split_first_chunk::<HEADER_LEN>()?;
    let (body, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes([l1, l2])))?;
    *rest = behind;
    Some(Record { kind, epoch: u16::from_be_bytes([e1, e2]), body })
}

fn fragments_of(body: &[u8]) -> impl Iterator<Item = Fragment<'_>> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let (&[kind, m1, m2, m3, s1, s2, o1, o2, o3, l1, l2, l3], behind) =
            rest.split_first_chunk::<FRAGMENT_HEADER_LEN>()?;
        let (message_len, offset) = (medium(m1, m2, m3), medium(o1, o2, o3));
        let (bytes, behind) = behind.split_at_checked(medium(l1, l2, l3))?;
        rest = behind;
        let fits = offset + bytes.len() <= message_len && message_len <= MESSAGE_LEN_MAX;
        fits.then_some(Fragment { kind, message_len, sequence: u16::from_be_bytes([s1, s2]), offset, bytes })
    })
}

fn medium(high: u8, middle: u8, low: u8) -> usize {
    usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)
}
