//! Where a component's bytes become code the engine runs: from the cache if it is there, else from the
//! compiler.

use std::fmt;
use std::sync::Arc;

use heliu_model::Namespace;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::code_cache::{CacheStats, CodeCache, History};
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
        let (for_engine, hash) = (engine.clone(), source.hash);
        let found = self.in_cache(move |cache| cache.get(&for_engine, &hash)).await;
        if let Some(component) = found.flatten() {
            tracing::debug!(component = source.hash.short(), "compiled code comes from the cache");
            return Ok(component);
        }
        let code = self.compiler.compile(engine, Arc::clone(&source.bytes)).await?;
        let component = code.load(engine).map_err(|error| CompileError::Foreign(error.to_string()))?;
        let for_engine = engine.clone();
        self.in_cache(move |cache| cache.put(&for_engine, &hash, &code)).await;
        Ok(component)
    }

    /// What the operator went back to, if `file` is what he went back from.
    pub(crate) async fn instead_of(&self, plugin: &Namespace, file: ContentHash) -> Option<Source> {
        self.past(plugin, move |history| history.instead_of(file)).await
    }

    /// What served before.
    pub(crate) async fn previous(&self, plugin: &Namespace) -> Option<Source> {
        self.past(plugin, |history| history.previous()).await
    }

    /// Remembers what serves.
    pub(crate) async fn served(&self, plugin: &Namespace, source: &Source) {
        let (plugin, source) = (plugin.clone(), source.clone());
        self.in_cache(move |cache| cache.served(&plugin, source.hash, &source.bytes)).await;
    }

    /// Remembers that the operator went back while `file` lay in the file.
    pub(crate) async fn gone_back(&self, plugin: &Namespace, file: ContentHash) {
        let plugin = plugin.clone();
        self.in_cache(move |cache| cache.gone_back(&plugin, file)).await;
    }

    async fn past(
        &self,
        plugin: &Namespace,
        which: impl FnOnce(History) -> Option<ContentHash> + Send + 'static,
    ) -> Option<Source> {
        let plugin = plugin.clone();
        let find = move |cache: &CodeCache| cache.component(cache.history(&plugin).and_then(which)?);
        self.in_cache(find).await.flatten().map(Source::new)
    }

    /// The disk is slow, and the edge's threads are few.
    async fn in_cache<T: Send + 'static>(&self, work: impl FnOnce(&CodeCache) -> T + Send + 'static) -> Option<T> {
        let cache = self.cache.clone()?;
        tokio::task::spawn_blocking(move || work(&cache)).await.ok()
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
