//! `heliu probe` beside the referee: what it tells of a file or stream is what ffprobe and ffmpeg find.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::ffmpeg::Ffmpeg;
use crate::probe::{Pictures, ffprobe, packets};
use crate::server::{Server, pingos, program, root};
use crate::tls::{Certificate, terminate};

/// A flat colour behind something that moves, and a tone.
const MOVING: &str = "color=c=0x2080c0:s=320x180:r=25:d=4[back];color=c=white:s=40x40:r=25:d=4[front];\
    [back][front]overlay=x='mod(t*60,280)':y=70";

#[test]
fn a_file_is_told_as_the_referee_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        (
            "baseline",
            "-c:v libx264 -profile:v baseline -preset ultrafast -tune zerolatency -g 25 -c:a aac -ar 48000 -ac 2",
        ),
        ("b-pictures", "-c:v libx264 -profile:v high -preset veryfast -bf 2 -g 50 -vf fps=30 -c:a aac -ar 44100 -ac 1"),
        (
            "main",
            "-c:v libx264 -profile:v main -preset veryfast -s 640x362 -g 10 -vf fps=24 -c:a aac -ar 22050 -ac 2 -b:a 48k",
        ),
        ("4-2-2", "-c:v libx264 -pix_fmt yuv422p -preset ultrafast -c:a aac"),
        ("video-only", "-c:v libx264 -preset ultrafast -an"),
        ("sound-only", "-vn -c:a aac -b:a 96k"),
    ] {
        let file = folder.path().join(format!("{name}.flv"));
        make(MOVING, "sine=frequency=700:d=4", arguments, &file);
        let told = told(&file, &["--at", "0.1,0.9"]);
        assert_video(name, &told["video"], &file);
        assert_audio(name, &told["audio"], &file);
        assert_eq!(told["end"], "over", "{name}");
        assert_eq!(told["discards"].as_object().map(serde_json::Map::len), Some(0), "{name}: {told}");
    }
}

#[test]
fn freezes_black_and_silence_are_found_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("holes.flv");
    let video = "testsrc2=s=320x180:r=25:d=6,drawbox=enable='between(t,2,3.96)':c=black:t=fill";
    let sound = "aevalsrc='0.5*sin(2*PI*1000*t)*not(between(t,3,4))':s=48000:d=6";
    make(video, sound, "-c:v libx264 -preset ultrafast -tune zerolatency -c:a aac", &file);
    let told = told(&file, &["--seconds", "10"]);
    for (what, spans, at, ms) in [
        ("black", &told["video"]["black"], 2_000.0, 2_000.0),
        ("a freeze", &told["video"]["freezes"], 2_000.0, 2_000.0),
        ("silence", &told["audio"]["silences"], 3_000.0, 1_000.0),
    ] {
        let [span] = spans.as_array().unwrap().as_slice() else { panic!("{what}: {spans}") };
        // Both tracks begin a sound frame late in FLV.
        let [got_at, got_ms] = ["at_ms", "ms"].map(|key| span[key].as_f64().unwrap());
        assert!((got_at - at).abs() < 60.0 && (got_ms - ms).abs() < 60.0, "{what}: {span}");
    }
}

#[test]
fn sound_that_is_late_is_told_by_how_much() {
    let folder = tempfile::tempdir().unwrap();
    let video = "color=c=black:s=320x180:r=25:d=6,drawbox=enable='lt(mod(t,1),0.1)':c=white:t=fill";
    for delay_ms in [0_i64, 160] {
        let file = folder.path().join(format!("{delay_ms}.flv"));
        let delay = delay_ms as f64 / 1_000.0;
        let beep = format!("aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t-{delay},1),0.1)*gte(t,{delay})':s=48000:d=6");
        make(video, &beep, "-c:v libx264 -preset ultrafast -tune zerolatency -c:a aac", &file);
        let sync = &told(&file, &["--seconds", "10"])["sync"];
        assert!(sync["pairs"].as_u64() >= Some(4), "{sync}");
        let offset = sync["offset_ms"]["median"].as_i64().unwrap();
        assert!((offset - delay_ms).abs() <= 25, "{delay_ms} ms: {sync}");
    }
}

#[test]
fn what_cannot_be_read_is_told_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    for (what, place, want) in [
        ("no file", folder.path().join("none.flv").display().to_string(), "cannot read the file"),
        ("an empty file", place("empty", b""), "no media came"),
        ("a text", place("text", b"Hello, this is no video at all."), "this is no FLV"),
        ("a header alone", place("header", b"FLV\x01\x05\0\0\0\x09\0\0\0\0"), "no media came"),
        ("another scheme", "ftp://127.0.0.1/x".to_owned(), "only files and"),
        ("nobody there", "http://127.0.0.1:1/x.flv".to_owned(), "cannot connect"),
        ("no stream in the URL", "rtmp://127.0.0.1/live".to_owned(), "the URL needs an app and a stream name"),
    ] {
        let (code, _, words) = run(&[&place]);
        assert_eq!((code, words.lines().count()), (Some(1), 1), "{what}: {words}");
        assert!(words.contains(want), "{what}: {words}");
    }
    assert_eq!(run(&["x.flv", "--at", "3,3"]).0, Some(2));
    assert_eq!(run(&["x.flv", "--seconds", "0"]).0, Some(2));
}

#[test]
fn a_stream_behind_tls_is_told_if_its_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("trusted.pem");
    let certificate = Certificate::of(&["localhost"]);
    certificate.write(&trusted);
    let source = "[[source]]\naddress = \"livhub/7/bars\"\nurl = \"test:bars?size=160x96\"\n";
    let server = Server::with(&(pingos("") + source));
    let front = terminate(&certificate, server.rtmp().port());
    let url = format!("rtmps://localhost:{}/livhub/7/bars", front.port());
    let trust = [("SSL_CERT_FILE", trusted.to_str().unwrap())];

    let (code, told, words) = run_with(&[&url, "--seconds", "1"], &trust);
    assert_eq!((code, &told["video"]["width"]), (Some(0), &160.into()), "{words}");
    let (code, _, words) = run(&[&url]);
    assert!(code == Some(1) && words.contains("UnknownIssuer"), "{words}");
    let (code, _, words) = run_with(&[&url.replace("localhost", "127.0.0.1")], &trust);
    assert!(code == Some(1) && words.contains("not valid for name"), "{words}");
}

#[test]
fn damaged_files_end_in_a_report_or_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.flv");
    make(MOVING, "sine=d=2", "-t 1 -c:v libx264 -preset ultrafast -tune zerolatency -c:a aac", &good);
    let bytes = std::fs::read(&good).unwrap();
    let mut seed = 7_u32;
    let mut random = |bound: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed as usize % bound
    };
    for number in 0..24 {
        let mut damaged = bytes.clone();
        if number % 3 == 0 {
            damaged.truncate(random(bytes.len()));
        }
        for _ in 0..=number {
            let at = random(damaged.len().max(1));
            if let Some(byte) = damaged.get_mut(at) {
                *byte = random(256) as u8;
            }
        }
        let file = folder.path().join("damaged.flv");
        std::fs::write(&file, &damaged).unwrap();
        let (code, told, words) = run(&[&file.display().to_string()]);
        assert!(matches!(code, Some(0 | 1)), "number {number}: {code:?} {words}");
        assert_eq!(told.is_null(), code == Some(1), "number {number}: {told} {words}");
    }
}

/// Against `ffprobe -show_streams`, its packets and frames, and pictures that ffmpeg decodes.
fn assert_video(name: &str, told: &Value, file: &Path) {
    let streams = ffprobe(file, &["-show_streams", "-show_frames", "-select_streams", "v:0"]);
    let stream = &streams["streams"][0];
    if stream.is_null() {
        assert!(told.is_null(), "{name}: {told}");
        return;
    }
    for (ours, theirs) in
        [("codec", "codec_name"), ("profile", "profile"), ("level", "level"), ("width", "width"), ("height", "height")]
    {
        assert_eq!(told[ours], stream[theirs], "{name}: {ours}");
    }
    let frames = streams["frames"].as_array().unwrap();
    let b_pictures = frames.iter().filter(|frame| frame["pict_type"] == "B").count();
    assert_eq!(told["b_pictures"], b_pictures, "{name}");
    let rate = ratio(&stream["r_frame_rate"]);
    assert!((told["frame_rate"].as_f64().unwrap() - rate).abs() < 0.2, "{name}: {} and {rate}", told["frame_rate"]);
    assert_packets(name, told, "video", file);
    let keyframes = packets(file).iter().filter(|packet| packet.kind == "video" && packet.is_key).count();
    assert_eq!(told["keyframes"]["count"], keyframes, "{name}");
    if stream["pix_fmt"] != "yuv420p" {
        assert!(told["undecodable"].as_str().is_some_and(|words| words.contains("4:2:0")), "{name}: {told}");
        return;
    }
    assert!(told["decoded"].as_u64().unwrap() + 4 >= frames.len() as u64, "{name}: {}", told["decoded"]);
    assert_eq!((&told["freezes"], &told["black"]), (&Value::Array(vec![]), &Value::Array(vec![])), "{name}");
    let pictures = Pictures::of(file);
    let colours = told["colours"].as_array().unwrap();
    assert_eq!((colours.len(), &colours[9]["x"]), (10, &Value::from(0.1)), "{name}: the grid and one more");
    for colour in colours.iter().filter(|colour| colour["varies"] == false) {
        let [x, y] = ["x", "y"].map(|key| colour[key].as_f64().unwrap());
        let want = pictures.colour(-1, x, y);
        let got = rgb(&colour["last"]);
        assert!(got.iter().zip(want).all(|(&a, b)| a.abs_diff(b) <= 4), "{name} at {x},{y}: {got:?} not {want:?}");
    }
}

fn assert_audio(name: &str, told: &Value, file: &Path) {
    let streams = ffprobe(file, &["-show_streams", "-select_streams", "a:0"]);
    let stream = &streams["streams"][0];
    if stream.is_null() {
        assert!(told.is_null(), "{name}: {told}");
        return;
    }
    for (ours, theirs) in [("codec", "codec_name"), ("profile", "profile"), ("channels", "channels")] {
        assert_eq!(told[ours], stream[theirs], "{name}: {ours}");
    }
    assert_eq!(stream["sample_rate"], told["sample_rate"].to_string(), "{name}");
    assert_packets(name, told, "audio", file);
    let tone = &told["tones"][0];
    let [hz, dbfs] = ["hz", "dbfs"].map(|key| tone[key].as_f64().unwrap());
    // lavfi's sine is an eighth of full scale; ffmpeg spreads its power over the channels.
    let want = if told["channels"] == 1 { -18.06 } else { -21.07 };
    assert!((hz - 700.0).abs() < 0.5 && (dbfs - want).abs() < 1.0, "{name}: {tone}");
    assert_eq!(told["silences"], Value::Array(vec![]), "{name}");
}

/// How many, how large and how far apart.
fn assert_packets(name: &str, told: &Value, kind: &str, file: &Path) {
    let theirs: Vec<_> = packets(file).into_iter().filter(|packet| packet.kind == kind).collect();
    let frames = told["frames"].as_u64().unwrap();
    assert_eq!(frames, theirs.len() as u64, "{name}: {kind}");
    let step = |pair: &[crate::probe::Packet]| ((pair[1].dts - pair[0].dts) * 1_000.0).round() as i64;
    let steps = || theirs.windows(2).map(step);
    assert_eq!(told["step_ms"]["min"].as_i64(), steps().min(), "{name}: {kind}");
    assert_eq!(told["step_ms"]["max"].as_i64(), steps().max(), "{name}: {kind}");
    assert_eq!(told["backward"], 0, "{name}: {kind}");
    let raw = ffprobe(file, &["-show_packets", "-select_streams", &kind[..1]]);
    let bytes: f64 = raw["packets"].as_array().unwrap().iter().map(|packet| number(&packet["size"])).sum();
    let between = theirs.last().unwrap().dts - theirs[0].dts;
    let kbps = bytes * 8.0 / 1_000.0 / (between + between / (frames - 1) as f64);
    let got = told["bitrate_kbps"].as_f64().unwrap();
    assert!((got / kbps - 1.0).abs() < 0.03, "{name}: {kind} {got} and {kbps} kbit/s");
}

/// The report of a file.
pub fn told(file: &Path, arguments: &[&str]) -> Value {
    let path = file.display().to_string();
    let (code, told, words) = run(&[&[path.as_str()], arguments].concat());
    assert_eq!(code, Some(0), "{words}");
    told
}

/// Exit code, report, standard error.
pub fn run(arguments: &[&str]) -> (Option<i32>, Value, String) {
    run_with(arguments, &[])
}

fn run_with(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, Value, String) {
    let mut command = Command::new(program("heliu"));
    command.arg("probe").args(arguments).envs(environment.iter().copied());
    command.current_dir(root()).stdin(Stdio::null());
    let output = command.output().expect("heliu starts");
    let told = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), told, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn make(video: &str, sound: &str, arguments: &str, file: &Path) {
    let mut all: Vec<String> = ["-f", "lavfi", "-i", video, "-f", "lavfi", "-i", sound].map(str::to_owned).to_vec();
    if !arguments.contains("-pix_fmt") {
        all.extend(["-pix_fmt", "yuv420p"].map(str::to_owned));
    }
    all.extend(arguments.split(' ').map(str::to_owned));
    all.extend(["-y".to_owned(), file.display().to_string()]);
    assert!(Ffmpeg::run(&all).wait(Duration::from_secs(120)), "ffmpeg makes {}", file.display());
}

fn ratio(value: &Value) -> f64 {
    let (upper, lower) = value.as_str().and_then(|text| text.split_once('/')).expect("a ratio");
    upper.parse::<f64>().unwrap() / lower.parse::<f64>().unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).expect("a number")
}

/// `#rrggbb` of a report.
pub fn rgb(value: &Value) -> [u8; 3] {
    let text = value.as_str().expect("a colour");
    [1, 3, 5].map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
}
