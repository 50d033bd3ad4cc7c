//! The host around a guest under test: an empty store and a plane that does what a test says.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use heliu_model::{Address, Job, JobState, Namespace, Noun, Status, Timestamp};
use heliu_plugin::{
    Compiler, HostLimits, Limits, LoadError, Plane, Plugin, PluginConfig, Plugins, Request, Reuse, Workshop,
};
use heliu_store::{Collection, Key, Store, Transaction, Value};

use crate::guest::Guest;

/// A guest that is served.
pub struct Host {
    pub plugin: Arc<Plugin>,
    pub store: Store,
    pub plane: Arc<FakePlane>,
    _dir: tempfile::TempDir,
}

type Hook = Box<dyn FnMut() + Send>;

/// Every job runs at once; `locate` runs the hook.
#[derive(Default)]
pub struct FakePlane {
    pub waits: AtomicU32,
    pub hook: Mutex<Option<Hook>>,
}

impl Host {
    /// Loads one guest with limits no slow machine can miss by chance.
    pub async fn with(guest: Guest) -> Self {
        Self::with_limits(guest, |_| {}).await
    }

    pub async fn with_limits(guest: Guest, change: impl FnOnce(&mut Limits)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config_of("p", guest.write(dir.path(), "guest"));
        config.limits.time_max = Duration::from_secs(60);
        config.limits.admit_time_max = Duration::from_secs(60);
        config.limits.reuse = Reuse::Fresh;
        change(&mut config.limits);
        let store = Store::in_memory();
        let plane = Arc::new(FakePlane::default());
        let plugins =
            Plugins::load(vec![config], store.clone(), Arc::clone(&plane) as Arc<dyn Plane>, workshop()).await.unwrap();
        let plugin = Arc::clone(plugins.iter().next().unwrap());
        Self { plugin, store, plane, _dir: dir }
    }

    /// Answers the number a guest gives, or the fault's cause.
    pub async fn call(&self) -> Result<u32, heliu_plugin::Fault> {
        let response = self.plugin.handle_request(request("do", "x")).await?;
        assert_eq!(response.status, 200);
        Ok(u32::from_le_bytes(response.body.try_into().unwrap()))
    }

    /// The number a guest has written under `n`.
    pub fn number(&self) -> Option<u32> {
        let bytes = self.store.snapshot().unwrap().get(&number_key()).unwrap();
        bytes.map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap()))
    }

    /// Runs in the middle of each call that asks where a URL leads.
    pub fn set_hook(&self, hook: impl FnMut() + Send + 'static) {
        *self.plane.hook.lock().unwrap() = Some(Box::new(hook));
    }

    /// What a second call would do at that moment: writes `n`, and waits for it unless the first one
    /// keeps others from committing.
    pub fn set_number(&self, number: u32) -> impl Fn() + Send + 'static {
        let store = self.store.clone();
        move || {
            let store = store.clone();
            let (done, wait) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                let mut transaction = Transaction::at(store.snapshot().unwrap().revision());
                let value = Value::new(number.to_le_bytes().to_vec());
                transaction.writes.insert(number_key(), Some(value));
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(store.commit(transaction)).unwrap();
                let _ = done.send(());
            });
            let _ = wait.recv_timeout(Duration::from_millis(500));
        }
    }
}

impl Plane for FakePlane {
    fn status(&self) -> Arc<Status> {
        Arc::default()
    }

    fn job(&self, _namespace: &Namespace, _noun: Noun, _id: &str) -> Option<Job> {
        None
    }

    fn wait(&self, _: Namespace, _: Noun, id: String, _: Duration) -> BoxFuture<'static, Option<Job>> {
        self.waits.fetch_add(1, Ordering::Relaxed);
        let job = Job { id, state: JobState::Running, since: Timestamp(0), retries: 0, detail: String::new() };
        Box::pin(async { Some(job) })
    }

    fn locate(&self, _url: &str) -> Option<Address> {
        if let Some(hook) = self.hook.lock().unwrap().as_mut() {
            hook();
        }
        None
    }

    fn urls(&self, _address: &Address, _authority: Option<&str>) -> Vec<(String, String)> {
        Vec::new()
    }

    fn host_run(&self) -> String {
        "run".to_owned()
    }

    fn limits(&self) -> HostLimits {
        HostLimits { mixers_max: 1, mixer_pixels_per_second_max: 1, egresses_max: 1 }
    }
}

/// Tries to load; the error's text is what an operator reads.
pub async fn load(configs: Vec<PluginConfig>) -> Result<Plugins, LoadError> {
    Plugins::load(configs, Store::in_memory(), Arc::new(FakePlane::default()), workshop()).await
}

/// Where nobody has compiled before.
pub fn workshop() -> Workshop {
    Workshop::new(Compiler::InProcess, None)
}

pub fn config_of(name: &str, component: PathBuf) -> PluginConfig {
    PluginConfig::new(name.parse().unwrap(), component)
}

pub fn request(route: &str, what: &str) -> Request {
    Request {
        id: "r1".into(),
        route: route.into(),
        method: "POST".into(),
        scheme: "http".into(),
        authority: "localhost".into(),
        path: format!("/{route}/{what}"),
        query: None,
        params: vec![("what".into(), what.into())],
        headers: vec![],
        peer: "127.0.0.1".into(),
        body: vec![],
    }
}

fn number_key() -> Key {
    Key::new(&"p".parse().unwrap(), Collection::Data, "n")
}
