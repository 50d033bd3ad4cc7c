//! ffmpeg as publisher, player and receiver: somebody else's software at the other end.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running ffmpeg, killed when dropped.
pub struct Ffmpeg(Child);

/// What a publisher shows and sounds.
#[derive(Debug, Clone, Copy)]
pub struct Show<'a> {
    /// A colour by ffmpeg's name or `0xrrggbb`; `None`: no pictures.
    pub colour: Option<&'a str>,
    /// `WxH`.
    pub size: &'a str,
    /// Hz; `None`: no sound.
    pub tone: Option<u32>,
    /// Of the sound.
    pub sample_rate: u32,
    /// Of the sound.
    pub channels: u32,
}

impl Default for Show<'_> {
    fn default() -> Self {
        Self { colour: Some("red"), size: "320x180", tone: Some(440), sample_rate: 48_000, channels: 2 }
    }
}

impl Ffmpeg {
    /// Publishes in real time until dropped.
    pub fn publish(show: &Show<'_>, url: &str) -> Self {
        Self::publish_with(show, &["-tune", "zerolatency"], url)
    }

    /// The same with other options for x264.
    pub fn publish_with(show: &Show<'_>, video_options: &[&str], url: &str) -> Self {
        let mut arguments: Vec<String> = Vec::new();
        if let Some(colour) = show.colour {
            arguments.extend(["-re", "-f", "lavfi", "-i"].map(str::to_owned));
            arguments.push(format!("color=c={colour}:s={}:r=25", show.size));
        }
        if let Some(tone) = show.tone {
            arguments.extend(["-re", "-f", "lavfi", "-i"].map(str::to_owned));
            let Show { sample_rate, channels, .. } = show;
            // lavfi's sine is at an eighth of full scale; this is all of it.
            arguments.push(format!(
                "sine=frequency={tone}:sample_rate={sample_rate},volume=8,aformat=channel_layouts={}",
                if *channels == 1 { "mono" } else { "stereo" }
            ));
        }
        if show.colour.is_some() {
            arguments.extend("-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25".split(' ').map(str::to_owned));
            arguments.extend(video_options.iter().map(|&option| option.to_owned()));
        }
        if show.tone.is_some() {
            arguments.extend("-c:a aac -b:a 128k".split(' ').map(str::to_owned));
        }
        arguments.extend(["-f", "flv", url].map(str::to_owned));
        Self::run(&arguments)
    }

    /// Plays a URL into a file for so many seconds of media.
    pub fn record(url: &str, seconds: u32, file: &Path) -> Self {
        let seconds = seconds.to_string();
        let arguments = ["-i", url, "-t", &seconds, "-c", "copy", "-flush_packets", "1", "-y"].map(str::to_owned);
        let mut arguments = arguments.to_vec();
        arguments.push(file.display().to_string());
        Self::run(&arguments)
    }

    /// Waits for one RTMP push on `port` and writes it to a file.
    pub fn receive(port: u16, file: &Path) -> Self {
        let url = format!("rtmp://127.0.0.1:{port}/live/push");
        let mut arguments =
            ["-listen", "1", "-i", &url, "-c", "copy", "-flush_packets", "1", "-y"].map(str::to_owned).to_vec();
        arguments.push(file.display().to_string());
        Self::run(&arguments)
    }

    /// Any other use.
    pub fn run(arguments: &[String]) -> Self {
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-hide_banner", "-loglevel", "error"]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("ffmpeg is installed: `cargo xtask test` does it"))
    }

    /// Is it still at work?
    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("it is ours").is_none()
    }

    /// Waits for its end; false: it failed, or was killed because it took too long.
    pub fn wait(&mut self, within: Duration) -> bool {
        let start = Instant::now();
        while self.is_running() {
            if start.elapsed() > within {
                let _ = self.0.kill();
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.0.wait().is_ok_and(|status| status.success())
    }

    /// Lets it do nothing any more, its connections open, until it is dropped.
    pub fn pause(&self) {
        let _ = Command::new("kill").args(["-STOP", &self.0.id().to_string()]).status();
    }

    /// Asks it to end as a user does: it closes its files and says goodbye.
    pub fn finish(mut self) {
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.wait(Duration::from_secs(20));
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
