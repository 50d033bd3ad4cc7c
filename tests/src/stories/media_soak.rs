//! Publishers, players and tasks come and go by chance with a seed; afterwards the server is as it was.
//!
//! A minute among the tests, ten with `cargo xtask soak` (`HELIU_SOAK_SECONDS`).

use std::time::{Duration, Instant};

use heliu_sim::Rng;
use serde_json::json;

use crate::ffmpeg::Ffmpeg;
use crate::player::Player;
use crate::publisher::{Publisher, Tag, tags};
use crate::server::{Server, wait_for};
use crate::viewer::Onlooker;

const SEED: u64 = 20_261_121;
/// Of each kind at one time.
const PUBLISHERS_MAX: usize = 5;
const PLAYERS_MAX: usize = 12;
const ONLOOKERS_MAX: usize = 6;
const MIXES_MAX: usize = 2;
/// Caches, pools and allocators fill up first.
const WARM_UP: Duration = Duration::from_secs(15);
/// What an allocator may keep back on top of that.
const SPARE_MIB: u64 = 48;

#[test]
fn after_joins_and_leaves_files_threads_and_memory_are_back() {
    let seconds = std::env::var("HELIU_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let server = Server::start();
    let mut crowd = Crowd::new(&server);
    crowd.mingle(WARM_UP);
    crowd.leave();
    let before = settled(&server, None);
    crowd.mingle(Duration::from_secs(seconds).saturating_sub(WARM_UP));
    assert!(crowd.frames > 100, "players got {} frames", crowd.frames);
    assert!(crowd.bytes > 20_000, "viewers got {} bytes", crowd.bytes);
    crowd.leave();
    let after = settled(&server, Some(&before));
    println!("{seconds} s: {} acts, {} frames; before {before:?}, after {after:?}", crowd.acts, crowd.frames);
    assert!(after.memory_mib <= before.memory_mib + SPARE_MIB, "{before:?} became {after:?}");
    assert!(!server.log().contains("panicked") && !server.log().contains("a bug"), "no room was lost");
}

/// Who is there.
struct Crowd<'a> {
    server: &'a Server,
    rng: Rng,
    clip: Vec<Tag>,
    publishers: Vec<Sending>,
    players: Vec<Player>,
    onlookers: Vec<Onlooker>,
    mixes: Vec<String>,
    acts: u64,
    frames: u64,
    /// To onlookers.
    bytes: u64,
}

struct Sending {
    publisher: Publisher,
    began: Instant,
    next: usize,
    round_ms: u32,
}

/// What a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    files: usize,
    threads: usize,
    memory_mib: u64,
}

impl<'a> Crowd<'a> {
    fn new(server: &'a Server) -> Self {
        let clip = clip();
        let (publishers, players, onlookers, mixes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let rng = Rng::new(SEED);
        Self { server, rng, clip, publishers, players, onlookers, mixes, acts: 0, frames: 0, bytes: 0 }
    }

    fn mingle(&mut self, span: Duration) {
        let end = Instant::now() + span;
        let mut act_at = Instant::now();
        while Instant::now() < end {
            if Instant::now() >= act_at {
                self.act();
                act_at = Instant::now() + Duration::from_millis(100 + self.rng.below(300));
            }
            let clip = &self.clip;
            self.publishers.retain_mut(|sending| sending.send_due(clip));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn act(&mut self) {
        self.acts += 1;
        match self.rng.below(7) {
            0 | 1 if self.publishers.len() < PUBLISHERS_MAX => {
                let path = self.endpoint();
                let publisher = Publisher::connect(self.server.rtmp(), &path);
                self.publishers.push(Sending { publisher, began: Instant::now(), next: 0, round_ms: 0 });
            }
            2 | 3 if self.players.len() < PLAYERS_MAX => {
                let path = if self.rng.chance(0.3) { "live/soak".to_owned() } else { self.endpoint() };
                self.players.push(Player::connect(self.server.rtmp(), &path));
            }
            5 if self.onlookers.len() < ONLOOKERS_MAX => {
                let path = format!("/{}.flv", self.endpoint());
                self.onlookers.push(Onlooker::connect(self.server.http(), &path));
            }
            5 => self.bytes += self.onlookers.remove(0).bytes(),
            4 if self.mixes.len() < MIXES_MAX => self.mix(),
            4 => self.unmix(),
            _ => {
                let at = self.rng.below(16) as usize;
                if at < self.publishers.len() {
                    self.publishers.swap_remove(at);
                } else if at < self.players.len() {
                    self.frames += self.players.swap_remove(at).frames();
                }
            }
        }
    }

    /// One of a few: they are taken twice, played before they are published, and published again.
    fn endpoint(&mut self) -> String {
        format!("livhub/{}/{}", 1 + self.rng.below(2), 1 + self.rng.below(3))
    }

    fn mix(&mut self) {
        // The second output is dead: nobody listens on the discard port.
        let outputs = [self.server.rtmp_url("live/soak"), "rtmp://127.0.0.1:9/live/x".to_owned()];
        let output = &outputs[self.mixes.len() % 2];
        let channel = 1 + self.rng.below(2);
        let body = json!({
            "channel": {"appId": "livhub", "channelId": channel.to_string()},
            "outputs": [output],
            "resolution": "160x90"
        });
        let created = self.server.json("POST", "/mixer/living", &body.to_string());
        self.mixes.extend(created["data"]["id"].as_str().map(str::to_owned));
    }

    fn unmix(&mut self) {
        let id = self.mixes.remove(self.rng.below(self.mixes.len() as u64) as usize);
        let ended = self.server.json("DELETE", &format!("/mixer/living/{id}"), "");
        assert_eq!(ended["code"], 0, "{ended}");
    }

    fn leave(&mut self) {
        while !self.mixes.is_empty() {
            self.unmix();
        }
        self.publishers.clear();
        self.frames += self.players.drain(..).map(|player| player.frames()).sum::<u64>();
        self.bytes += self.onlookers.drain(..).map(|onlooker| onlooker.bytes()).sum::<u64>();
    }
}

impl Sending {
    /// False: the server has ended it.
    fn send_due(&mut self, clip: &[Tag]) -> bool {
        loop {
            let tag = &clip[self.next % clip.len()];
            let time = tag.timestamp + self.round_ms;
            if self.began.elapsed() < Duration::from_millis(u64::from(time)) {
                return true;
            }
            if !self.publisher.send(tag, time) {
                return false;
            }
            self.next += 1;
            if self.next.is_multiple_of(clip.len()) {
                self.round_ms += clip[clip.len() - 1].timestamp + 20;
            }
        }
    }
}

/// Two seconds of small pictures and a tone.
fn clip() -> Vec<Tag> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clip.flv");
    let arguments = "-f lavfi -i testsrc2=s=160x90:r=15:d=2 -f lavfi -i sine=440:d=2 -c:v libx264 -preset ultrafast \
                     -tune zerolatency -pix_fmt yuv420p -g 15 -c:a aac -y";
    let mut arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
    arguments.push(file.display().to_string());
    assert!(Ffmpeg::run(&arguments).wait(Duration::from_secs(60)), "ffmpeg makes a file");
    tags(&file)
}

/// What the server holds when nobody is there any more: as many files and threads as before, for two
/// seconds.
fn settled(server: &Server, before: Option<&Held>) -> Held {
    let mut looks = Vec::new();
    wait_for("the server to let go", Duration::from_secs(90), || {
        std::thread::sleep(Duration::from_millis(500));
        let look = held(server.pid());
        looks.push((look.files, look.threads));
        let is_back = before.is_none_or(|before| look.files <= before.files && look.threads <= before.threads);
        let is_steady = looks.iter().rev().take(4).filter(|past| **past == (look.files, look.threads)).count() == 4;
        (is_steady && is_back).then_some(look)
    })
}

fn held(pid: u32) -> Held {
    let count = |what: &str| std::fs::read_dir(format!("/proc/{pid}/{what}")).map(Iterator::count).unwrap_or(0);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok());
    Held { files: count("fd"), threads: count("task"), memory_mib: kib.unwrap_or(0_u64) / 1024 }
}
