//! Puts the parts together and takes them apart.
//!
//! Started in the order of who needs whom: store, the host's view of itself, plugins, media, control,
//! the admin listener, HTTP. Stopped from the outside in, with one deadline for all.

use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use heliu_control::{Control, Door, HostView};
use heliu_http::{AdminConfig, IceServer, Negotiate, PluginRoutes, Readiness, Server, Sources, Stats};
use heliu_media::Media;
use heliu_model::Cidr;
use heliu_plugin::{CodeCache, HostLimits, PluginConfig, Plugins, Reuse, Workshop};
use heliu_store::Store;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::compiling;
use crate::config::rtmps::{Files, Tls};
use crate::config::{Config, Instances, Plugin, Rtmps, Secret, WebRtc};

/// In the data directory.
const STORE_FILE: &str = "heliu.redb";
/// In the data directory: compiled components, for this host alone.
const CODE_DIR: &str = "plugins";
/// Components whose code is kept: for each plugin some that went before, to go back to.
const CODE_FILES_PER_PLUGIN: usize = 4;

/// The running host.
pub struct Host {
    http: Server,
    admin: Option<Server>,
    readiness: Readiness,
    control: Control,
    media: Media,
    plugins: Plugins,
    /// Takes components that are replaced.
    keeper: JoinHandle<()>,
}

impl Host {
    /// Starts every part, or none. Needs the edge's runtime around it.
    ///
    /// # Errors
    /// One sentence about the first thing in the way.
    pub async fn start(config: Config) -> Result<Self> {
        let store = open_store(&config.data_dir)?;
        let view = HostView::new(store.clone(), view_config(&config));
        let workshop = Workshop::new(compiling::compiler()?, Some(open_code_cache(&config)?));
        let plugins = load_plugins(&config, store.clone(), &view, workshop).await?;
        let door = Door::new(&view, &plugins);
        let (media, events) = Media::start(media_config(&config), Arc::new(door.clone())).await?;
        let control = Control::start(&view, &plugins, media.handle(), events);

        let listen: Vec<SocketAddr> = config.http.iter().map(|http| http.listen).collect();
        let routes = Arc::new(PluginRoutes::new(&plugins, &listen));
        let readiness = Readiness::default();
        let stats = Stats::default();
        let sources = Sources {
            readiness: readiness.clone(),
            http: stats.clone(),
            plugins: plugins.clone(),
            media: media.handle(),
            door,
            insight: control.insight(),
            store,
        };
        let admin = start_admin(&config, sources).await?;
        let ice_servers = ice_servers(&config)?;
        let http_config = heliu_http::Config { listen, ice_servers, ..heliu_http::Config::default() };
        let player = Arc::new(media.handle());
        let negotiator = config.webrtc.is_some().then(|| Arc::new(media.handle()) as Arc<dyn Negotiate>);
        let http = Server::start(http_config, routes, player, negotiator, readiness.clone(), stats).await?;
        let keeper = tokio::spawn(plugins.clone().keep_current());
        readiness.set(true);
        Ok(Self { http, admin, readiness, control, media, plugins, keeper })
    }

    /// Where REST clients connect, in the order of the configuration.
    pub fn http_addresses(&self) -> &[SocketAddr] {
        self.http.addresses()
    }

    /// Where operators connect.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(|admin| admin.addresses().first().copied())
    }

    /// Where RTMP clients connect.
    pub fn rtmp_address(&self) -> Option<SocketAddr> {
        self.media.handle().rtmp_addr()
    }

    /// Where they connect with TLS.
    pub fn rtmps_address(&self) -> Option<SocketAddr> {
        self.media.handle().rtmps_addr()
    }

    /// Looks at all components at once, also at what was refused before.
    pub fn look_again(&self) {
        tracing::info!("looking at the components");
        self.plugins.look_again();
    }

    /// Stops every part; what has not stopped by `deadline` is left behind.
    pub async fn stop(self, deadline: Instant) {
        self.readiness.set(false);
        self.keeper.abort();
        let parts = async {
            self.http.stop(deadline - Instant::now()).await;
            if let Some(admin) = self.admin {
                admin.stop(deadline - Instant::now()).await;
            }
            self.control.stop().await;
            self.media.stop().await;
        };
        if tokio::time::timeout_at(deadline, parts).await.is_err() {
            tracing::warn!("the stop took too long and was cut");
        }
    }
}

/// Reads the certificate and loads the components beside an empty store: nothing is served, nothing is
/// written.
///
/// # Errors
/// One sentence about the first thing in the way.
pub async fn check(config: &Config) -> Result<()> {
    ice_servers(config)?;
    if let Some(listener) = &config.rtmps {
        rtmps(listener).certificate.check()?;
    }
    let dir = &config.data_dir;
    anyhow::ensure!(dir.is_dir() || !dir.exists(), "the data_dir {} is no folder", dir.display());
    let store = Store::in_memory();
    let view = HostView::new(store.clone(), view_config(config));
    let workshop = Workshop::new(compiling::compiler()?, None);
    load_plugins(config, store, &view, workshop).await.map(drop)
}

async fn start_admin(config: &Config, sources: Sources) -> Result<Option<Server>> {
    let Some(admin) = &config.admin else { return Ok(None) };
    let admin = AdminConfig { listen: admin.listen, hosts: admin.hosts.clone() };
    Ok(Some(heliu_http::start_admin(admin, sources).await?))
}

fn open_store(data_dir: &Path) -> Result<Store> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    made.with_context(|| format!("cannot make the data_dir {}", data_dir.display()))?;
    Ok(Store::open(&data_dir.join(STORE_FILE))?)
}

fn open_code_cache(config: &Config) -> Result<CodeCache> {
    let dir = config.data_dir.join(CODE_DIR);
    let files_max = CODE_FILES_PER_PLUGIN * config.plugins.len();
    CodeCache::open(&dir, files_max).with_context(|| format!("cannot keep compiled components in {}", dir.display()))
}

async fn load_plugins(config: &Config, store: Store, view: &HostView, workshop: Workshop) -> Result<Plugins> {
    let plugins = config.plugins.iter().map(|(name, plugin)| {
        let secrets = plugin.secrets.iter().map(|(key, secret)| {
            let text = reveal(secret).with_context(|| format!("plugins.{name}.secrets.{key}"))?;
            Ok((key.clone(), heliu_plugin::Secret::new(text)))
        });
        let Plugin { component, apps, http, base, grants, config, cpu_percent_max, instances, .. } = plugin.clone();
        let reuse = match instances {
            Instances::Reuse => Reuse::Reuse,
            Instances::Fresh => Reuse::Fresh,
        };
        Ok(PluginConfig {
            apps,
            http: http.iter().map(SocketAddr::to_string).collect(),
            base,
            grants,
            config: config.into(),
            secrets: secrets.collect::<Result<_>>()?,
            limits: heliu_plugin::Limits { cpu_percent_max, reuse, ..heliu_plugin::Limits::default() },
            ..PluginConfig::new(name.clone(), component)
        })
    });
    let plugins = plugins.collect::<Result<_>>()?;
    Ok(Plugins::load(plugins, store, Arc::new(view.clone()), workshop).await?)
}

fn reveal(secret: &Secret) -> Result<String> {
    match secret {
        Secret::Text(text) => Ok(text.clone()),
        Secret::Environment { env } => {
            std::env::var(env).with_context(|| format!("the variable {env} does not hold it"))
        }
    }
}

fn view_config(config: &Config) -> heliu_control::Config {
    let crate::config::Limits { mixers_max, mixer_pixels_per_second_max, egresses_max, .. } = config.limits;
    heliu_control::Config {
        public_names: config.public.hosts.clone(),
        limits: HostLimits { mixers_max, mixer_pixels_per_second_max, egresses_max },
    }
}

fn media_config(config: &Config) -> heliu_media::Config {
    heliu_media::Config {
        rtmp: config.rtmp.as_ref().map(|rtmp| rtmp.listen),
        rtmps: config.rtmps.as_ref().map(rtmps),
        webrtc: config.webrtc.as_ref().map(webrtc),
        egress_allow: config.plugins.iter().map(|(name, plugin)| (name.clone(), ranges(plugin))).collect(),
        workers: usize::from(config.media.workers),
        public_names: config.public.hosts.clone(),
        sources: config.source.iter().map(source).collect(),
        publications_max: config.limits.publications_max,
        viewers_max: config.limits.viewers_max,
        ..heliu_media::Config::default()
    }
}

fn rtmps(rtmps: &Rtmps) -> heliu_media::Rtmps {
    let certificate = match rtmps.tls.clone() {
        Tls::Made(_) => heliu_media::Certificate::SelfSigned,
        Tls::Files(Files { cert, key }) => heliu_media::Certificate::Files { cert, key },
    };
    heliu_media::Rtmps { listen: rtmps.listen, certificate }
}

fn webrtc(webrtc: &WebRtc) -> heliu_media::WebRtc {
    let WebRtc { udp, announce, consent_ms, .. } = webrtc.clone();
    heliu_media::WebRtc { udp, announce, consent: Duration::from_millis(consent_ms.into()) }
}

fn ice_servers(config: &Config) -> Result<Vec<IceServer>> {
    let servers = config.webrtc.iter().flat_map(|webrtc| &webrtc.ice_servers);
    let server = |server: &crate::config::webrtc::IceServer| {
        let place = || format!("webrtc.ice_servers {}", server.url);
        let credential = server.credential.as_ref().map(reveal).transpose().with_context(place)?;
        let credentials = server.username.as_deref().zip(credential.as_deref());
        IceServer::new(&server.url, credentials).with_context(place)
    };
    servers.map(server).collect()
}

fn ranges(plugin: &Plugin) -> Vec<Cidr> {
    plugin.egress_allow.iter().map(|range| range.0).collect()
}

fn source(source: &crate::config::Source) -> heliu_media::Source {
    let crate::config::Source { address, url } = source.clone();
    heliu_media::Source { address: address.address, query: address.query, pattern: url.pattern }
}
