//! What operators see while media flows: numbers that move, and each fact of a mix explained.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::ffmpeg::Ffmpeg;
use crate::server::{Answer, Server, call, pingos, rogue, wait_for};
use crate::stories::media_mix::{create, play_when_there, show};

/// Every family a host with one plugin exports.
const NAMES: [&str; 65] = [
    "heliu_admissions_total",
    "heliu_clients_refused_total",
    "heliu_code_cache_files_total",
    "heliu_codec_seconds_total",
    "heliu_codec_turns_total",
    "heliu_connections_cut_total",
    "heliu_control_commands_total",
    "heliu_dead_letters_total",
    "heliu_egress_failures",
    "heliu_egress_refused_total",
    "heliu_egresses",
    "heliu_events_delivered_total",
    "heliu_events_folded_total",
    "heliu_events_lost_total",
    "heliu_events_retried_total",
    "heliu_gop_bytes",
    "heliu_gops_refused_total",
    "heliu_http_answers_total",
    "heliu_http_connections_refused_total",
    "heliu_media_bytes_total",
    "heliu_media_discards_total",
    "heliu_media_frames_dropped_total",
    "heliu_media_frames_total",
    "heliu_mixer_inputs",
    "heliu_mixer_pictures_total",
    "heliu_mixer_ticks_lost_total",
    "heliu_mixers",
    "heliu_player_queue_longest_bytes",
    "heliu_player_queues_bytes",
    "heliu_players",
    "heliu_plugin_breaker_open",
    "heliu_plugin_breaker_opened_total",
    "heliu_plugin_calls_queued",
    "heliu_plugin_calls_running",
    "heliu_plugin_calls_total",
    "heliu_plugin_calls_waiting",
    "heliu_plugin_conflicts_total",
    "heliu_plugin_cpu_seconds_total",
    "heliu_plugin_denials_total",
    "heliu_plugin_faults_total",
    "heliu_plugin_instances_total",
    "heliu_plugin_limits_total",
    "heliu_plugin_memory_bytes",
    "heliu_plugin_replays_total",
    "heliu_plugin_reruns_total",
    "heliu_process_cpu_seconds_total",
    "heliu_process_files",
    "heliu_process_resident_bytes",
    "heliu_process_threads",
    "heliu_publications",
    "heliu_publications_stalled",
    "heliu_rooms",
    "heliu_rtmp_connections",
    "heliu_rtmp_connections_accepted_total",
    "heliu_rtmp_connections_dismissed_total",
    "heliu_source_ticks_lost_total",
    "heliu_store_bytes",
    "heliu_store_commits_total",
    "heliu_store_conflicts_total",
    "heliu_transcoder_frames_lost_total",
    "heliu_transcoder_frames_total",
    "heliu_transcoder_seconds_total",
    "heliu_transcoders",
    "heliu_udp_strays_total",
    "heliu_webrtc_sessions",
];

#[test]
fn a_scrape_is_well_formed_and_its_values_move() {
    let server = Server::start();
    let before = scrape(&server);
    assert_eq!(before["heliu_rtmp_connections_accepted_total"], 0.0);
    assert_eq!(before["heliu_code_cache_files_total{outcome=\"miss\"}"], 1.0, "the folder was empty");
    assert_eq!(create(&server, &server.rtmp_url("live/t5"), "320x180", None)["code"], 0);
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111"));
    let folder = tempfile::tempdir().unwrap();
    let _player = play_when_there(&server.rtmp_url("live/t5"), 60, &folder.path().join("mix.flv"));

    let moved = [
        "heliu_rtmp_connections_accepted_total",
        "heliu_rtmp_connections",
        "heliu_publications{protocol=\"rtmp\"}",
        "heliu_publications{protocol=\"mixer\"}",
        "heliu_players",
        "heliu_media_bytes_total{way=\"received\"}",
        "heliu_media_frames_total{way=\"played\"}",
        "heliu_media_frames_total{way=\"relayed\"}",
        "heliu_mixers{stage=\"running\"}",
        "heliu_mixer_inputs",
        "heliu_mixer_pictures_total",
        "heliu_codec_seconds_total{work=\"video-decode\"}",
        "heliu_codec_seconds_total{work=\"video-encode\"}",
        "heliu_codec_turns_total{work=\"compose\"}",
        "heliu_egresses{stage=\"running\"}",
        "heliu_admissions_total{answer=\"admitted\"}",
        "heliu_plugin_cpu_seconds_total{plugin=\"pingos\"}",
        "heliu_plugin_calls_total{plugin=\"pingos\"}",
        "heliu_store_commits_total",
        "heliu_http_answers_total{class=\"2xx\"}",
        "heliu_control_commands_total",
    ];
    for name in moved {
        wait_for(name, Duration::from_secs(60), || {
            let now = scrape(&server);
            (now.get(name) > Some(&before.get(name).copied().unwrap_or(0.0))).then_some(())
        });
    }
    for name in ["heliu_process_resident_bytes", "heliu_process_files", "heliu_process_threads"] {
        assert!(scrape(&server)[name] > 0.0, "{name}");
    }
}

#[test]
fn a_mix_is_explained_with_each_of_its_facts() {
    let server = Server::start();
    let output = format!("{}?token=hunter2", server.rtmp_url("live/t5"));
    assert_eq!(create(&server, &output, "320x180", None)["code"], 0);
    let _red = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("livhub/726122/111?key=hunter2"));
    let folder = tempfile::tempdir().unwrap();
    let _player = play_when_there(&server.rtmp_url("live/t5"), 60, &folder.path().join("mix.flv"));

    let camera = explained(&server, "address=livhub/726122/111", |told| {
        told["rooms"][0]["mixers"][0]["running"]["inputs"][0]["decode_ms"].as_f64() > Some(0.0)
            && from_rtmp(&told["rooms"][0]).is_some_and(|published| {
                let video = &published["tracks"][1];
                video["frame_rate"].is_number() && video["keyframe_ms"].is_number()
            })
    });
    assert_eq!(camera["owner"], "pingos");
    let asked = &camera["admissions"][0];
    assert_eq!((&asked["direction"], &asked["answer"]["is"]), (&json!("publish"), &json!("granted")));
    assert_eq!((&asked["peer"], &asked["plugin"]), (&json!("127.0.0.1"), &json!("pingos")));
    let room = &camera["rooms"][0];
    let published = from_rtmp(room).expect("it is there");
    assert_eq!((&published["protocol"], &published["peer"]), (&json!("rtmp"), &json!("127.0.0.1")));
    assert_eq!((&published["participant"], &published["stalled"]), (&json!("111"), &json!(false)));
    let video = &published["tracks"][1];
    assert_eq!((&video["codec"], &video["size"]["width"]), (&json!("h264"), &json!(320)), "{published}");
    assert!(video["bitrate_kbps"].as_u64() > Some(0), "{video}");
    let mixer = &room["mixers"][0];
    assert_eq!((&mixer["state"], &mixer["running"]["regions"][0]["shows"]), (&json!("running"), &json!("picture")));
    assert!(mixer["running"]["encode_ms"].as_f64() > Some(0.0), "{mixer}");
    let push = &room["egresses"][0];
    assert_eq!((&push["state"], &push["to_address"]), (&json!("running"), &json!("live/t5")));
    assert!(push["running"]["frames"].as_u64() > Some(0), "{push}");

    let output = explained(&server, "address=live/t5", |told| told["rooms"][0]["players"][0]["count"] == 1);
    assert_eq!(output["fed_by"][0]["egress"], push["egress"]);
    assert_eq!(output["rooms"][0]["publications"][0]["protocol"], "egress");
    let same = explained(&server, &format!("room={}", room["room"].as_str().unwrap()), |_| true);
    assert_eq!(from_rtmp(&same).map(|same| &same["publication"]), Some(&published["publication"]));
    assert!(!format!("{camera}{output}{same}").contains("hunter2"), "keys stay inside");
}

#[test]
fn who_was_refused_is_told_why() {
    let server = Server::with(&pingos("config = { plain_publish = false }"));
    let mut refused = Ffmpeg::publish(&show("red", 440), &server.rtmp_url("live/cam?key=hunter2"));
    let told = explained(&server, "address=live/cam", |_| true);
    let answer = &told["admissions"][0]["answer"];
    let want = json!({ "is": "refused", "status": 403, "reason": "plain streams are closed to publishers" });
    assert_eq!(*answer, want, "{told}");
    assert_eq!((&told["rooms"], told.to_string().contains("hunter2")), (&json!([]), false));
    wait_for("its end", Duration::from_secs(60), || (!refused.is_running()).then_some(()));

    for (query, status) in [
        ("address=live/nobody", 404),
        ("room=pingos/nobody", 404),
        ("address=live", 400),
        ("room=nobody", 400),
        ("address=a/b&room=c/d", 400),
        ("address=a/b&address=c/d", 400),
        ("address=%ff%fe/x", 400),
        ("", 400),
    ] {
        let answer = look(&server, &format!("/explain?{query}"));
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
        assert!(json_of(&answer)["error"].is_string(), "{query}: {}", answer.body);
    }
    assert_eq!(json_of(&look(&server, "/dead-letters")), json!({ "dead_letters": [], "forgotten": 0 }));
}

#[test]
fn what_a_plugin_does_not_take_is_listed_when_it_is_given_up() {
    let source = "[[source]]\naddress = \"rogue/cam\"\nurl = \"test:bars?size=160x96\"\n";
    let server = Server::with(&format!("{}apps = [\"rogue\"]\n{source}", rogue("bad", "reuse")));
    let letters = wait_for("the letter", Duration::from_secs(120), || {
        let letters = json_of(&look(&server, "/dead-letters"));
        (letters["dead_letters"] != json!([])).then_some(letters)
    });
    let letter = &letters["dead_letters"][0];
    for (key, want) in [
        ("plugin", json!("bad")),
        ("kind", json!("publication.started")),
        ("room", json!("room")),
        ("attempts", json!(4)),
    ] {
        assert_eq!(letter[key], want, "{key}: {letters}");
    }
    assert!(look(&server, "/metrics").body.contains("heliu_dead_letters_total{kind=\"event\"} 1\n"));
}

#[test]
fn what_a_source_could_not_make_in_time_is_told() {
    let source = "[[source]]\naddress = \"livhub/7/bars\"\nurl = \"test:bars?size=160x96\"\n";
    let server = Server::with(&(pingos("") + source));
    let made = |told: &Value| told["rooms"][0]["publications"][0]["source"].clone();
    let before = made(&explained(&server, "address=livhub/7/bars", |told| made(told)["pictures_dropped"].is_u64()));
    // As a machine does that is away for a while.
    server.pause();
    std::thread::sleep(Duration::from_secs(1));
    server.go_on();
    explained(&server, "address=livhub/7/bars", |told| {
        made(told)["ticks_skipped"].as_u64() >= before["ticks_skipped"].as_u64().map(|skipped| skipped + 20)
    });
    assert!(scrape(&server)["heliu_source_ticks_lost_total{cause=\"late\"}"] >= 20.0);
}

/// The publication of an encoder; beside it stands the mix.
fn from_rtmp(room: &Value) -> Option<&Value> {
    room["publications"].as_array()?.iter().find(|publication| publication["protocol"] == "rtmp")
}

/// The answer to a question, as soon as it says what is waited for.
fn explained(server: &Server, query: &str, is_complete: impl Fn(&Value) -> bool) -> Value {
    wait_for(query, Duration::from_secs(60), || {
        let answer = look(server, &format!("/explain?{query}"));
        let told = (answer.status == 200).then(|| json_of(&answer))?;
        is_complete(&told).then_some(told)
    })
}

/// Samples by name and labels; on the way the format is checked.
fn scrape(server: &Server) -> BTreeMap<String, f64> {
    let answer = look(server, "/metrics");
    let kind = answer.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
    assert_eq!((answer.status, kind), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    let mut types: BTreeMap<&str, &str> = BTreeMap::new();
    let mut samples = BTreeMap::new();
    for line in answer.body.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, kind) = family.split_once(' ').expect(line);
            assert_eq!((kind == "counter", name.starts_with("heliu_")), (name.ends_with("_total"), true), "{line}");
            assert!(types.insert(name, kind).is_none(), "twice: {line}");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').expect(line);
            assert!(types.contains_key(name.split('{').next().expect(line)), "no type before {line}");
            let value: f64 = value.parse().expect(line);
            assert!(value >= 0.0 && samples.insert(name.to_owned(), value).is_none(), "{line}");
        }
    }
    let exported: BTreeSet<&str> = types.into_keys().collect();
    let known: BTreeSet<&str> = NAMES.into_iter().collect();
    // Nothing is published at first.
    let missing: Vec<_> = known.difference(&exported).filter(|name| **name != "heliu_publications").collect();
    let strange: Vec<_> = exported.difference(&known).collect();
    assert!(missing.is_empty() && strange.is_empty(), "missing {missing:?}, not listed {strange:?}");
    samples
}

fn look(server: &Server, path: &str) -> Answer {
    call(server.admin(), "GET", path, &[], b"")
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error} in {answer:?}"))
}
