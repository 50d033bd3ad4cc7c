//! `GET /metrics`: every name this host exports, and where its number comes from.
//!
//! A scrape reads counters and the media plane's last snapshots; nothing is counted for it alone.
//! Names are `heliu_<noun>_<what>_<unit>`, counters with `_total`; labels have few values, none of them
//! a stranger's choice.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use heliu_model::{EgressStage, MixerStage, Status, Traffic};

use heliu_plugin::{CacheStats, StatsSnapshot};

use super::Sources;
use super::exposition::{CONTENT_TYPE, Exposition, Family, Kind};
use super::process::Process;

const RTMP_OPEN: Family = gauge("heliu_rtmp_connections", "RTMP connections that are open.");
const RTMP_ACCEPTED: Family = counter("heliu_rtmp_connections_accepted_total", "RTMP connections accepted.");
const RTMP_DISMISSED: Family =
    counter("heliu_rtmp_connections_dismissed_total", "RTMP connections that came to nothing, by cause.");
const SESSIONS: Family = gauge("heliu_webrtc_sessions", "Sessions of browsers, also those not connected yet.");
const STRAYS: Family = counter("heliu_udp_strays_total", "Datagrams that belong to no session.");
const ROOMS: Family = gauge("heliu_rooms", "Rooms somebody is in.");
const PUBLICATIONS: Family = gauge("heliu_publications", "Publications, by where they come from.");
const STALLED: Family = gauge("heliu_publications_stalled", "Publications that are silent for two seconds or more.");
const CROWD_REFUSED: Family =
    counter("heliu_clients_refused_total", "Clients that found no place, by what there is too much of.");
const GOP_BYTES: Family = gauge("heliu_gop_bytes", "Bytes of frames kept for those who join late.");
const GOPS_REFUSED: Family =
    counter("heliu_gops_refused_total", "Groups of pictures not kept because all together keep so much.");
const PLAYERS: Family = gauge("heliu_players", "Connections that play.");
const QUEUES: Family = gauge("heliu_player_queues_bytes", "Bytes that wait for all players.");
const QUEUE_LONGEST: Family = gauge("heliu_player_queue_longest_bytes", "Bytes in the longest queue of a player.");
const BYTES: Family = counter("heliu_media_bytes_total", "Bytes of media, by way.");
const FRAMES: Family = counter("heliu_media_frames_total", "Frames, by way.");
const FRAMES_DROPPED: Family = counter("heliu_media_frames_dropped_total", "Frames kept from slow receivers, by way.");
const DISCARDS: Family = counter("heliu_media_discards_total", "Pieces of malformed or unusable media.");
const CUT: Family = counter("heliu_connections_cut_total", "Connections cut: stuck, over their rate or their time.");
const MIXERS: Family = gauge("heliu_mixers", "Mixers, by stage.");
const MIXER_INPUTS: Family = gauge("heliu_mixer_inputs", "Publications that are mixed.");
const PICTURES: Family = counter("heliu_mixer_pictures_total", "Mixed pictures.");
const TICKS_LOST: Family = counter("heliu_mixer_ticks_lost_total", "Pictures of a mix that were given up, by cause.");
const TRANSCODERS: Family = gauge("heliu_transcoders", "Tracks that are made into another form, by form.");
const TRANSCODED: Family = counter("heliu_transcoder_frames_total", "Frames made in another form.");
const TRANSCODE_LOST: Family =
    counter("heliu_transcoder_frames_lost_total", "Frames that could not be made into another form.");
const TRANSCODE_SECONDS: Family =
    counter("heliu_transcoder_seconds_total", "Time of the codec threads for other forms of tracks.");
const CODEC_SECONDS: Family = counter("heliu_codec_seconds_total", "Time of the codec threads, by work.");
const CODEC_TURNS: Family = counter("heliu_codec_turns_total", "Pictures and blocks of sound, by work.");
const EGRESSES: Family = gauge("heliu_egresses", "Pushes, by stage.");
const EGRESS_FAILURES: Family = gauge("heliu_egress_failures", "Failures in a row, of all pushes together.");
const EGRESS_REFUSED: Family =
    counter("heliu_egress_refused_total", "Tries of pushes refused because their target's address is not public.");
const SOURCE_LOST: Family =
    counter("heliu_source_ticks_lost_total", "Pictures and blocks of sound a source gave up, by cause.");
const DELIVERED: Family = counter("heliu_events_delivered_total", "Events and alarms a plugin took.");
const RETRIED: Family = counter("heliu_events_retried_total", "Events and alarms that were told again.");
const FOLDED: Family = counter("heliu_events_folded_total", "Events replaced by one room.resync.");
const LOST: Family = counter("heliu_events_lost_total", "Events the media plane could not hand over.");
const DEAD: Family = counter("heliu_dead_letters_total", "Events and alarms no plugin would take, by kind.");
const COMMANDS: Family = counter("heliu_control_commands_total", "Orders to the media plane.");
const CALLS: Family = counter("heliu_plugin_calls_total", "Calls into a plugin.");
const FAULTS: Family = counter("heliu_plugin_faults_total", "Calls that ended in a fault, by cause.");
const CONFLICTS: Family = counter("heliu_plugin_conflicts_total", "Commits that met another call.");
const RERUNS: Family = counter("heliu_plugin_reruns_total", "Runs after the first of a call.");
const REPLAYS: Family = counter("heliu_plugin_replays_total", "Runs that were fed recorded answers.");
const PLUGIN_CPU: Family = counter("heliu_plugin_cpu_seconds_total", "Computing time of all runs.");
const INSTANCES: Family = counter("heliu_plugin_instances_total", "Instances made.");
const BREAKER_OPENED: Family = counter("heliu_plugin_breaker_opened_total", "How often the breaker opened.");
const BREAKER_OPEN: Family = gauge("heliu_plugin_breaker_open", "1 while the breaker is open.");
const PLUGIN_MEMORY: Family = gauge("heliu_plugin_memory_bytes", "Linear memory of all instances.");
const IN_FLIGHT: Family = gauge("heliu_plugin_calls_running", "Calls that run.");
const QUEUED: Family = gauge("heliu_plugin_calls_queued", "Calls that wait for their turn.");
const WAITING: Family = gauge("heliu_plugin_calls_waiting", "Calls that wait inside an effect.");
const LIMITS: Family = counter("heliu_plugin_limits_total", "How often a limit was met, by limit.");
const CODE_CACHE: Family = counter("heliu_code_cache_files_total", "Compiled components looked up, by outcome.");
const ADMISSIONS: Family = counter("heliu_admissions_total", "Who wanted to publish or play, by answer.");
const DENIALS: Family = counter("heliu_plugin_denials_total", "Host calls that were denied.");
const COMMITS: Family = counter("heliu_store_commits_total", "Transactions that became true.");
const STORE_CONFLICTS: Family = counter("heliu_store_conflicts_total", "Transactions refused because of another.");
const STORE_BYTES: Family = gauge("heliu_store_bytes", "Bytes of all records on the disk.");
const HTTP_REFUSED: Family =
    counter("heliu_http_connections_refused_total", "Connections of REST clients closed at once, by cause.");
const ANSWERS: Family = counter("heliu_http_answers_total", "Answers to REST clients, by class of status.");
const CPU: Family = counter("heliu_process_cpu_seconds_total", "Processor time of this process.");
const MEMORY: Family = gauge("heliu_process_resident_bytes", "Memory of this process.");
const FILES: Family = gauge("heliu_process_files", "Open file descriptors.");
const THREADS: Family = gauge("heliu_process_threads", "Threads.");

/// The page.
pub(super) fn routes(sources: Sources) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(sources)
}

async fn metrics(State(sources): State<Sources>) -> Response {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], scrape(&sources)).into_response()
}

fn scrape(sources: &Sources) -> String {
    let mut text = Exposition::default();
    let status = sources.media.status();
    connections(&mut text, sources, &status);
    rooms(&mut text, &status);
    traffic(&mut text, &status);
    mixers(&mut text, &status);
    text.family(&SOURCE_LOST, lost(status.totals.sources.pictures_dropped, status.totals.sources.ticks_skipped));
    gops(&mut text, sources);
    transcoders(&mut text, &status);
    codecs(&mut text, sources);
    egresses(&mut text, &status);
    text.value(&EGRESS_REFUSED, number(sources.media.egress_refused()));
    control(&mut text, sources);
    plugins(&mut text, sources);
    code_cache(&mut text, sources);
    store(&mut text, sources);
    text.family(&HTTP_REFUSED, sources.http.crowded().map(|(cause, count)| ([("cause", cause)], number(count))));
    text.family(&ANSWERS, sources.http.answers().map(|(class, count)| ([("class", class)], number(count))));
    process(&mut text);
    text.into_text()
}

fn connections(text: &mut Exposition, sources: &Sources, status: &Status) {
    let connections = sources.media.connections();
    text.value(&RTMP_OPEN, number(connections.open));
    text.value(&RTMP_ACCEPTED, number(connections.came));
    text.value(&SESSIONS, f64::from(status.sessions));
    text.value(&STRAYS, number(status.totals.datagrams.strays));
    text.family(
        &CROWD_REFUSED,
        sources.media.crowd_refused().map(|(limit, count)| ([("limit", limit)], number(count))),
    );
    text.family(&RTMP_DISMISSED, connections.dismissed.map(|(cause, count)| ([("cause", cause)], number(count))));
}

fn rooms(text: &mut Exposition, status: &Status) {
    let publications = || status.rooms.values().flat_map(|room| &room.publications);
    let mut protocols: BTreeMap<&str, u32> = BTreeMap::new();
    publications().for_each(|publication| *protocols.entry(publication.protocol).or_default() += 1);
    let players = || status.rooms.values().flat_map(|room| room.players.values());
    text.value(&ROOMS, count(status.rooms.len()));
    text.family(&PUBLICATIONS, protocols.into_iter().map(|(protocol, count)| ([("protocol", protocol)], count.into())));
    text.value(&STALLED, count(publications().filter(|publication| publication.is_stalled).count()));
    text.value(&PLAYERS, status.rooms.values().map(|room| f64::from(room.viewers)).sum());
    text.value(&QUEUES, number(players().map(|players| players.queue_bytes).sum()));
    text.value(&QUEUE_LONGEST, number(players().map(|players| players.queue_bytes_longest).max().unwrap_or(0)));
}

fn gops(text: &mut Exposition, sources: &Sources) {
    let (bytes, refused) = sources.media.gops();
    text.value(&GOP_BYTES, count(bytes));
    text.value(&GOPS_REFUSED, number(refused));
}

fn traffic(text: &mut Exposition, status: &Status) {
    let totals = &status.totals;
    let ways = [
        ("received", totals.received),
        ("played", totals.played),
        ("pushed", totals.pushed),
        ("relayed", totals.relayed),
        ("udp_received", totals.datagrams.received),
        ("udp_sent", totals.datagrams.sent),
    ];
    let by_way = |what: fn(Traffic) -> u64| ways.map(|(way, traffic)| ([("way", way)], number(what(traffic))));
    text.family(&BYTES, by_way(|traffic| traffic.bytes));
    text.family(&FRAMES, by_way(|traffic| traffic.frames));
    text.family(&FRAMES_DROPPED, by_way(|traffic| traffic.frames_dropped));
    text.value(&DISCARDS, number(totals.discards));
    text.value(&CUT, number(totals.cut));
}

fn mixers(text: &mut Exposition, status: &Status) {
    let stage = |stage: &MixerStage| match stage {
        MixerStage::Starting => "starting",
        MixerStage::Running => "running",
        MixerStage::Stopping => "stopping",
        MixerStage::Failed { .. } => "failed",
    };
    let stages = status.observed.mixers.values().map(|reality| stage(&reality.stage));
    text.family(&MIXERS, tally(["starting", "running", "stopping", "failed"], stages));
    text.value(&MIXER_INPUTS, count(status.mixers.values().map(|mixer| mixer.inputs.len()).sum()));
    text.value(&PICTURES, number(status.totals.pictures));
    text.family(&TICKS_LOST, lost(status.totals.ticks_dropped, status.totals.ticks_skipped));
}

/// What was due and was not made, by cause.
fn lost(encoder_busy: u64, late: u64) -> [([(&'static str, &'static str); 1], f64); 2] {
    [("encoder-busy", encoder_busy), ("late", late)].map(|(cause, count)| ([("cause", cause)], number(count)))
}

fn transcoders(text: &mut Exposition, status: &Status) {
    let tracks = status.rooms.values().flat_map(|room| &room.publications).flat_map(|publication| &publication.tracks);
    let running = tracks.flat_map(|track| &track.renditions).filter(|rendition| rendition.failed.is_none());
    let names: Vec<&str> = running.map(|rendition| rendition.name).collect();
    let forms = ["aac", "opus", "without-b-pictures"];
    let of = |form: &str| count(names.iter().filter(|name| **name == form).count());
    text.family(&TRANSCODERS, forms.map(|form| ([("form", form)], of(form))));
    let done = status.totals.transcoded;
    text.value(&TRANSCODED, number(done.frames));
    text.value(&TRANSCODE_LOST, number(done.frames_dropped));
    text.value(&TRANSCODE_SECONDS, done.busy_us as f64 / 1e6);
}

fn codecs(text: &mut Exposition, sources: &Sources) {
    let efforts = sources.media.codec_efforts();
    text.family(&CODEC_SECONDS, efforts.map(|effort| ([("work", effort.work)], effort.busy.as_secs_f64())));
    text.family(&CODEC_TURNS, efforts.map(|effort| ([("work", effort.work)], number(effort.turns))));
}

fn egresses(text: &mut Exposition, status: &Status) {
    let stage = |stage: EgressStage| match stage {
        EgressStage::Starting => "starting",
        EgressStage::Running => "running",
        EgressStage::Stalled => "stalled",
        EgressStage::Stopping => "stopping",
        EgressStage::Down => "down",
    };
    let egresses = || status.observed.egresses.values();
    let stages = egresses().map(|reality| stage(reality.stage));
    text.family(&EGRESSES, tally(["starting", "running", "stalled", "stopping", "down"], stages));
    text.value(&EGRESS_FAILURES, egresses().map(|reality| f64::from(reality.failures)).sum());
}

fn control(text: &mut Exposition, sources: &Sources) {
    let door = sources.door.stats();
    let answers = [("admitted", door.admitted), ("refused", door.refused), ("shut", door.shut)];
    text.family(&ADMISSIONS, answers.map(|(answer, count)| ([("answer", answer)], number(count))));
    let stats = sources.insight.stats();
    text.value(&DELIVERED, number(stats.delivered.get()));
    text.value(&RETRIED, number(stats.retried.get()));
    text.value(&FOLDED, number(stats.events_folded.get()));
    text.value(&LOST, number(stats.events_lost.get()));
    let dead = [("event", stats.events_dead.get()), ("alarm", stats.alarms_dead.get())];
    text.family(&DEAD, dead.map(|(kind, count)| ([("kind", kind)], number(count))));
    text.value(&COMMANDS, number(stats.commands.get()));
}

fn plugins(text: &mut Exposition, sources: &Sources) {
    let plugins: Vec<(&str, StatsSnapshot)> =
        sources.plugins.iter().map(|plugin| (plugin.namespace().as_str(), plugin.stats())).collect();
    let mut each = |family: &Family, what: fn(&StatsSnapshot) -> f64| {
        text.family(family, plugins.iter().map(|(name, stats)| ([("plugin", *name)], what(stats))));
    };
    each(&CALLS, |stats| number(stats.calls));
    each(&CONFLICTS, |stats| number(stats.conflicts));
    each(&RERUNS, |stats| number(stats.reruns));
    each(&REPLAYS, |stats| number(stats.replays));
    each(&DENIALS, |stats| number(stats.denials));
    each(&PLUGIN_CPU, |stats| stats.cpu.as_secs_f64());
    each(&INSTANCES, |stats| number(stats.instances));
    each(&BREAKER_OPENED, |stats| number(stats.breaker_opened));
    each(&BREAKER_OPEN, |stats| f64::from(u8::from(stats.is_breaker_open)));
    each(&PLUGIN_MEMORY, |stats| count(stats.memory_len));
    each(&IN_FLIGHT, |stats| count(stats.in_flight));
    each(&QUEUED, |stats| count(stats.queued));
    each(&WAITING, |stats| count(stats.waiting));
    text.family(&FAULTS, by_cause(&plugins, "cause", |stats| &stats.faults));
    text.family(&LIMITS, by_cause(&plugins, "limit", |stats| &stats.limits));
}

/// A sample for each plugin and each of the causes that it counts.
fn by_cause<'a>(
    plugins: &'a [(&'a str, StatsSnapshot)],
    label: &'a str,
    counts: fn(&StatsSnapshot) -> &Vec<(&'static str, u64)>,
) -> impl Iterator<Item = ([(&'a str, &'a str); 2], f64)> {
    let of_plugin = move |(name, stats): &'a (&'a str, StatsSnapshot)| {
        counts(stats).iter().map(move |(cause, count)| ([("plugin", *name), (label, *cause)], number(*count)))
    };
    plugins.iter().flat_map(of_plugin)
}

/// Left out where no code is kept.
fn code_cache(text: &mut Exposition, sources: &Sources) {
    let outcomes = sources.plugins.cache_stats().map(|CacheStats { hits, misses, ignored, unwritten }| {
        [("hit", hits), ("miss", misses), ("ignored", ignored), ("unwritten", unwritten)]
    });
    let samples = outcomes.into_iter().flatten();
    text.family(&CODE_CACHE, samples.map(|(outcome, count)| ([("outcome", outcome)], number(count))));
}

fn store(text: &mut Exposition, sources: &Sources) {
    let stats = sources.store.stats();
    text.value(&COMMITS, number(stats.commits()));
    text.value(&STORE_CONFLICTS, number(stats.conflicts()));
    text.value(&STORE_BYTES, number(stats.disk_bytes()));
}

/// What the system does not tell is left out.
fn process(text: &mut Exposition) {
    let Process { cpu, resident_bytes, files, threads } = Process::read();
    let figures = [(&CPU, cpu), (&MEMORY, resident_bytes), (&FILES, files), (&THREADS, threads)];
    for (family, figure) in figures {
        text.family(family, figure.map(|figure| ([], figure)));
    }
}

/// How many of each word there are, also if there are none.
fn tally<const N: usize>(
    words: [&'static str; N],
    all: impl Iterator<Item = &'static str>,
) -> [([(&'static str, &'static str); 1], f64); N] {
    let all: Vec<&str> = all.collect();
    words.map(|word| ([("stage", word)], count(all.iter().filter(|each| **each == word).count())))
}

/// Exact up to 2^53, as the format's numbers are.
fn number(value: u64) -> f64 {
    value as f64
}

fn count(value: usize) -> f64 {
    number(value as u64)
}

const fn counter(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: Kind::Counter, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: Kind::Gauge, help }
}
