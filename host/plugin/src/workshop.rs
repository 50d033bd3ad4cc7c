//! Where a component's bytes become code the engine runs: from the cache if it is there, else from the
//! compiler.

use std::fmt;
use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::code_cache::{CacheStats, CodeCache};
use crate::compiler::{CompileError, Compiler};
use crate::config::PluginConfig;
use crate::content_hash::ContentHash;
use crate::load::LoadError;

/// A compiler, and what it made before.
#[derive(Clone)]
pub struct Workshop {
    compiler: Compiler,
    cache: Option<Arc<CodeCache>>,
}

/// A component as it was read.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) hash: ContentHash,
}

impl Workshop {
    /// Compiles where `compiler` says; without a cache always.
    #[must_use]
    pub fn new(compiler: Compiler, cache: Option<CodeCache>) -> Self {
        Self { compiler, cache: cache.map(Arc::new) }
    }

    /// What the cache was good for so far.
    #[must_use]
    pub fn cache_stats(&self) -> Option<CacheStats> {
        self.cache.as_deref().map(CodeCache::stats)
    }

    /// The component, ready to be linked.
    pub(crate) async fn component(&self, engine: &Engine, source: &Source) -> Result<Component, CompileError> {
        if let Some(component) = self.with_cache(engine, source, CodeCache::get).await?.flatten() {
            tracing::debug!(component = source.hash.short(), "compiled code comes from the cache");
            return Ok(component);
        }
        let code = self.compiler.compile(engine, Arc::clone(&source.bytes)).await?;
        let component = code.load(engine).map_err(|error| CompileError::Foreign(error.to_string()))?;
        self.with_cache(engine, source, move |cache, engine, hash| cache.put(engine, hash, &code)).await?;
        Ok(component)
    }

    /// The disk is slow, and the edge's threads are few.
    async fn with_cache<T: Send + 'static>(
        &self,
        engine: &Engine,
        source: &Source,
        work: impl FnOnce(&CodeCache, &Engine, &ContentHash) -> T + Send + 'static,
    ) -> Result<Option<T>, CompileError> {
        let Some(cache) = self.cache.clone() else { return Ok(None) };
        let (engine, hash) = (engine.clone(), source.hash);
        let done = tokio::task::spawn_blocking(move || work(&cache, &engine, &hash)).await;
        done.map(Some).map_err(|error| CompileError::Died(error.to_string()))
    }
}

impl Source {
    /// What lies in the plugin's file.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) async fn read(config: &PluginConfig) -> Result<Self, LoadError> {
        let path = config.component.clone();
        let read = move || std::fs::read(path).map(Self::new);
        let read = tokio::task::spawn_blocking(read).await.map_err(|error| LoadError::Engine(error.to_string()))?;
        read.map_err(|cause| LoadError::Unreadable {
            plugin: config.namespace.clone(),
            component: config.component.clone(),
            cause,
        })
    }

    /// With its hash.
    fn new(bytes: Vec<u8>) -> Self {
        Self { hash: ContentHash::of(&bytes), bytes: bytes.into() }
    }
}

impl fmt::Debug for Workshop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workshop").field("compiler", &self.compiler).finish_non_exhaustive()
    }
}
