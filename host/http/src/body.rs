//! Reads a request's body, bounded in bytes and time.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;

/// Bytes read and thrown away after the bound, so that a client that is only a little too generous
/// hears "too large" instead of a broken connection.
const DISCARD_LEN_MAX: usize = 1024 * 1024;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// Over the bound.
    TooLarge,
    /// Not here in time.
    TooSlow,
    /// The client went away, or its framing is broken.
    Broken,
}

/// The whole body.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    len_max: usize,
    time_max: Duration,
) -> Result<Vec<u8>, BodyError> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|len| len > len_max.saturating_add(DISCARD_LEN_MAX)) {
        return Err(BodyError::TooLarge);
    }
    tokio::time::timeout(time_max, collect(body, len_max)).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn collect(body: Body, len_max: usize) -> Result<Vec<u8>, BodyError> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut len: usize = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| BodyError::Broken)?;
        len = len.saturating_add(chunk.len());
        if len <= len_max {
            bytes.extend_from_slice(&chunk);
        } else if len > len_max.saturating_add(DISCARD_LEN_MAX) {
            break;
        }
    }
    if len > len_max { Err(BodyError::TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use futures_util::stream;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_body_is_taken_up_to_its_bound_however_it_is_cut() {
        for (what, chunks, len_max, want) in [
            ("nothing", vec![], 4, Ok(vec![])),
            ("just as long", vec!["ab", "cd"], 4, Ok(b"abcd".to_vec())),
            ("one byte more", vec!["ab", "cde"], 4, Err(BodyError::TooLarge)),
            ("no body wanted", vec!["a"], 0, Err(BodyError::TooLarge)),
        ] {
            let chunks = chunks.into_iter().map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
            let body = Body::from_stream(stream::iter(chunks));
            assert_eq!(read(&HeaderMap::new(), body, len_max, LONG).await, want, "{what}");
        }
    }

    #[tokio::test]
    async fn an_endless_body_is_left() {
        let body = Body::from_stream(stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[0; 65536]))));
        assert_eq!(read(&HeaderMap::new(), body, 10, LONG).await, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn a_length_far_over_the_bound_is_not_read_at_all() {
        let headers = HeaderMap::from_iter([(header::CONTENT_LENGTH, "999999999".parse().unwrap())]);
        let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        assert_eq!(read(&headers, body, 10, LONG).await, Err(BodyError::TooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_is_given_up() {
        let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let read = read(&HeaderMap::new(), body, 10, Duration::from_secs(10)).await;
        assert_eq!(read, Err(BodyError::TooSlow));
    }
}
