//! The media plane as the edge needs it: whoever may view gets a stream of bytes.
//!
//! A trait, so that the edge is tested against a small fake.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use heliu_media::{Cut, Handle, ViewRequest};
use heliu_model::Refusal;

/// A file that has no end while somebody publishes. An error breaks it off.
pub type Stream = BoxStream<'static, Result<Bytes, Cut>>;

/// Lets viewers in.
pub trait Play: Send + Sync + 'static {
    /// One viewer of FLV. The answer comes with the first bytes.
    fn play_flv(&self, request: ViewRequest) -> BoxFuture<'static, Result<Stream, Refusal>>;
}

impl Play for Handle {
    fn play_flv(&self, request: ViewRequest) -> BoxFuture<'static, Result<Stream, Refusal>> {
        let handle = self.clone();
        async move { Ok(handle.view(request).await?.boxed()) }.boxed()
    }
}
