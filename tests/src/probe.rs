//! Looks and listens: pixels and tones of a recorded file, decoded by ffmpeg as referee.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const SAMPLE_RATE: u32 = 48_000;
const TONE_WINDOW: usize = 2_400;

/// Decoded pictures of a file.
pub struct Pictures {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    frames: Vec<Vec<u8>>,
}

/// Decoded sound of a file: one channel, 48 kHz.
pub struct Sound(Vec<f32>);

/// One packet as ffprobe tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// `video` or `audio`.
    pub kind: String,
    /// Seconds.
    pub dts: f64,
    /// Seconds.
    pub pts: f64,
    /// Decoding may start here.
    pub is_key: bool,
}

/// Red, green, blue.
pub type Colour = [u8; 3];

impl Pictures {
    /// All pictures of a file; empty if none can be decoded.
    pub fn of(file: &Path) -> Self {
        let streams = ffprobe(file, &["-show_streams", "-select_streams", "v:0"]);
        let stream = &streams["streams"][0];
        let side = |name: &str| usize::try_from(stream[name].as_u64().unwrap_or(0)).expect("a size");
        let (width, height) = (side("width"), side("height"));
        let raw = ffmpeg(file, &["-map", "0:v:0", "-f", "rawvideo", "-pix_fmt", "rgb24", "-vsync", "0", "-"]);
        let len = (width * height * 3).max(1);
        Self { width, height, frames: raw.chunks_exact(len).map(<[u8]>::to_vec).collect() }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Mean colour around a point given as fractions of the picture; picture `at` counts from the end
    /// if negative.
    pub fn colour(&self, at: isize, x: f64, y: f64) -> Colour {
        let index = if at < 0 { self.frames.len().checked_add_signed(at) } else { usize::try_from(at).ok() };
        let frame = index.and_then(|index| self.frames.get(index)).expect("a picture at that place");
        let centre_x = (x * self.width as f64) as usize;
        let centre_y = (y * self.height as f64) as usize;
        let mut sums = [0_usize; 3];
        let mut count = 0;
        for row in centre_y.saturating_sub(2)..(centre_y + 3).min(self.height) {
            for column in centre_x.saturating_sub(2)..(centre_x + 3).min(self.width) {
                let pixel = &frame[(row * self.width + column) * 3..][..3];
                sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += usize::from(value));
                count += 1;
            }
        }
        sums.map(|sum| u8::try_from(sum / count).expect("a mean of bytes"))
    }

    /// First picture, from `from` on, with that colour at that point.
    pub fn find(&self, from: usize, x: f64, y: f64, colour: Colour) -> Option<usize> {
        (from..self.len()).find(|&at| is_like(self.colour(at as isize, x, y), colour))
    }
}

impl Sound {
    /// All sound of a file; empty if none can be decoded.
    pub fn of(file: &Path) -> Self {
        let rate = SAMPLE_RATE.to_string();
        let raw = ffmpeg(file, &["-map", "0:a:0", "-f", "f32le", "-ac", "1", "-ar", &rate, "-"]);
        Self(raw.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four bytes"))).collect())
    }

    /// Seconds.
    pub fn len_seconds(&self) -> f64 {
        self.0.len() as f64 / f64::from(SAMPLE_RATE)
    }

    /// Amplitude of a tone in a span of seconds, 1.0 = full scale: the mean over windows of 50 ms, so
    /// that a clock that is off by a thousandth changes nothing.
    pub fn tone(&self, hertz: u32, from: f64, to: f64) -> f64 {
        let index = |seconds: f64| ((seconds * f64::from(SAMPLE_RATE)) as usize).min(self.0.len());
        let windows = self.0[index(from)..index(to)].chunks_exact(TONE_WINDOW);
        let count = windows.len();
        assert!(count > 0, "no sound between {from} and {to} s of {} s", self.len_seconds());
        windows.map(|window| amplitude(window, hertz)).sum::<f64>() / count as f64
    }
}

/// Are they the same to somebody who has seen video coding?
pub fn is_like(one: Colour, other: Colour) -> bool {
    one.iter().zip(other).all(|(&a, b)| a.abs_diff(b) < 40)
}

/// All packets of a file in their order.
pub fn packets(file: &Path) -> Vec<Packet> {
    let told = ffprobe(file, &["-show_packets"]);
    let seconds = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
    let packet = |value: &Value| Packet {
        kind: value["codec_type"].as_str().unwrap_or_default().to_owned(),
        dts: seconds(&value["dts_time"]),
        pts: seconds(&value["pts_time"]),
        is_key: value["flags"].as_str().is_some_and(|flags| flags.contains('K')),
    };
    told["packets"].as_array().map(|packets| packets.iter().map(packet).collect()).unwrap_or_default()
}

/// What ffprobe tells about a file or URL.
pub fn ffprobe(file: &Path, arguments: &[&str]) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json"])
        .args(arguments)
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .expect("ffprobe is installed: `cargo xtask test` does it");
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

/// Goertzel.
fn amplitude(samples: &[f32], hertz: u32) -> f64 {
    let step = 2.0 * std::f64::consts::PI * f64::from(hertz) / f64::from(SAMPLE_RATE);
    let (mut before, mut last) = (0.0, 0.0);
    for &sample in samples {
        (before, last) = (last, f64::from(sample) + 2.0 * step.cos() * last - before);
    }
    let power = before * before + last * last - 2.0 * step.cos() * before * last;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}

fn ffmpeg(file: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-i"])
        .arg(file)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("ffmpeg is installed: `cargo xtask test` does it");
    output.stdout
}
