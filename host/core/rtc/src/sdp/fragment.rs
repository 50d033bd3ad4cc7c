//! Fragments that travel by PATCH while a session lives (RFC 8840, RFC 9725 §4.3): candidates of the peer,
//! or credentials that begin ICE anew.

use std::fmt::Write;
use std::net::SocketAddr;

use crate::ice::Credentials;

use super::error::OfferError;
use super::reader::{attribute, lines};
use super::transport::Transport;
use super::writer::write_candidates;

/// Candidates in one fragment.
const CANDIDATES_MAX: usize = 256;

/// What the peer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The peer's. Others than the session's begin ICE anew; fragments with candidates name the session's.
    pub credentials: Option<Credentials>,
    /// How many candidates it holds. An ICE-lite side needs none of them.
    pub candidates: usize,
}

impl Fragment {
    /// Reads a body of type `application/trickle-ice-sdpfrag`.
    ///
    /// # Errors
    /// It is no such body, or holds over 256 candidates.
    pub fn parse(text: &str) -> Result<Self, OfferError> {
        let mut session = Transport::default();
        // m-lines of one bundle name the same credentials; the first counts.
        let mut media = Transport::default();
        let mut is_media = false;
        let mut candidates = 0;
        let mut is_known = false;
        for line in lines(text)? {
            let line = line?;
            is_media |= line.letter == b'm';
            if line.letter != b'a' {
                continue;
            }
            let (name, value) = attribute(line.value);
            is_known |= matches!(name, "ice-ufrag" | "ice-pwd" | "candidate" | "end-of-candidates");
            if name == "candidate" {
                candidates += 1;
            }
            if candidates > CANDIDATES_MAX {
                return Err(OfferError::TooMany { what: "candidates", max: CANDIDATES_MAX });
            }
            if is_media { media.take(name, value) } else { session.take(name, value) }
        }
        if !is_known {
            return Err(OfferError::Missing("candidate or credentials"));
        }
        Ok(Self { credentials: session.credentials().or_else(|| media.credentials()), candidates })
    }
}

/// Our side of ICE begun anew. `mid` is that of the first line taken; empty: the line has none.
#[must_use]
pub fn fragment(local: &Credentials, mid: &str, candidates: &[SocketAddr]) -> String {
    let mut out = format!("a=ice-lite\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", local.ufrag, local.pwd);
    // RFC 8840 §9: a pseudo m-line, which says nothing of media.
    out.push_str("m=audio 9 RTP/AVP 0\r\n");
    if !mid.is_empty() {
        write!(out, "a=mid:{mid}\r\n").expect("a String takes all text");
    }
    write_candidates(&mut out, candidates).expect("a String takes all text");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PWD: &str = "aaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn a_fragment_holds_candidates_or_credentials() {
        let credentials = Some(Credentials { ufrag: "EsAw".to_owned(), pwd: PWD.to_owned() });
        let names = format!("a=ice-ufrag:EsAw\r\na=ice-pwd:{PWD}\r\n");
        let candidate = "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\r\n";
        let media = "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n";
        for (what, text, want) in [
            ("as in RFC 9725", format!("{names}{media}{candidate}{candidate}a=end-of-candidates\r\n"), Ok((true, 2))),
            ("credentials under the m-line", format!("{media}{names}{candidate}"), Ok((true, 1))),
            ("only the end", "a=end-of-candidates\n".to_owned(), Ok((false, 0))),
            ("only new credentials", names.clone(), Ok((true, 0))),
            ("nothing", String::new(), Err(OfferError::Missing("candidate or credentials"))),
            ("nothing useful", media.to_owned(), Err(OfferError::Missing("candidate or credentials"))),
            ("noise", "{}".to_owned(), Err(OfferError::Malformed(1))),
            ("very many", candidate.repeat(257), Err(OfferError::TooMany { what: "candidates", max: 256 })),
        ] {
            let want = want.map(|(has_names, candidates)| Fragment {
                credentials: credentials.clone().filter(|_| has_names),
                candidates,
            });
            assert_eq!(Fragment::parse(&text), want, "{what}");
        }
    }

    #[test]
    fn our_own_fragment_reads_back() {
        let local = Credentials { ufrag: "abcd".to_owned(), pwd: PWD.to_owned() };
        let text = fragment(&local, "0", &["192.0.2.1:7000".parse().unwrap(), "[2001:db8::1]:7000".parse().unwrap()]);
        assert_eq!(Fragment::parse(&text), Ok(Fragment { credentials: Some(local), candidates: 2 }));
        assert!(text.contains("a=candidate:2 1 udp 2130705919 2001:db8::1 7000 typ host\r\n"), "{text}");
    }
}
