//! The configuration as an operator meets it: the example, mistakes, variables.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use super::*;

const EXAMPLE: &str = include_str!("../../../../examples/heliu.toml");

#[test]
fn the_example_starts_as_it_is() {
    let config = parse(EXAMPLE, &[]).unwrap();
    assert_eq!(config.http[0].listen, "127.0.0.1:8080".parse::<SocketAddr>().unwrap());
    assert_eq!(config.admin.unwrap().listen, "127.0.0.1:8081".parse::<SocketAddr>().unwrap());
    assert_eq!(config.rtmp.unwrap().listen, "127.0.0.1:1935".parse::<SocketAddr>().unwrap());
    assert!(config.plugins.values().all(|plugin| plugin.demo));
}

#[test]
fn the_example_shows_every_key() {
    let text = with_comments_in_force(EXAMPLE);
    let written: Value = toml::from_str(&text).unwrap();
    let understood = serde_json::to_value(toml::from_str::<Config>(&text).unwrap()).unwrap();

    let written = keys("", &written);
    let missing: Vec<_> = keys("", &understood).into_iter().filter(|key| !written.contains(key)).collect();
    assert_eq!(missing, Vec::<String>::new(), "not in examples/heliu.toml");
}

#[test]
fn what_the_example_says_about_logs_and_limits_is_the_default() {
    let config: Config = toml::from_str(&with_comments_in_force(EXAMPLE)).unwrap();
    let default = Config::default();
    assert_eq!((config.log, config.media, config.limits), (default.log, default.media, default.limits));
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_line() {
    for (text, want) in [
        ("datadir = \"x\"", "etc/heliu.toml line 1: unknown field `datadir`"),
        ("\n[log]\nlevl = \"info\"\n", "etc/heliu.toml line 3: unknown field `levl`"),
        ("[log]\nformat = \"xml\"", "etc/heliu.toml line 2: unknown variant `xml`"),
        ("\n\n[[http]]\nlisten = \"8080\"", "etc/heliu.toml line 4: invalid socket address"),
        ("[[http]]\n", "etc/heliu.toml line 1: missing field `listen`"),
        ("[limits]\nmixers_max = -1", "etc/heliu.toml line 2: invalid value"),
        ("[plugins.mix]\ncomponent = \"x\"\nmixer = 1", "etc/heliu.toml line 3: unknown field `mixer`"),
        ("[plugins.MIX]\ncomponent = \"x\"", "etc/heliu.toml line 1: a namespace holds only a-z, 0-9, - and _"),
        (
            "[plugins.mix]\ncomponent = \"x\"\nsecrets = { key = 1 }",
            "etc/heliu.toml line 3: either the secret as text or { env = \"NAME\" }",
        ),
        ("[rtmps]\nlisten = \"[::]:1936\"\ntls = \"none\"", "etc/heliu.toml line 3: either \"self-signed\" or"),
        (
            "[plugins.mix]\ncomponent = \"x\"\negress_allow = [\"10.1.0.0/8\"]",
            "etc/heliu.toml line 3: the address has bits behind its prefix",
        ),
        ("a = = b", "etc/heliu.toml line 1: "),
    ] {
        let sentence = refused(text, &[]);
        assert!(sentence.starts_with(want), "{text:?}: {sentence}");
        assert!(!sentence.contains('\n'), "{sentence}");
    }
}

#[test]
fn variables_win_over_the_file() {
    let text = "[[http]]\nlisten = \"127.0.0.1:1\"\n[plugins.my-api]\ncomponent = \"a.wasm\"\nsecrets = {key = \"x\"}";
    let config = parse(
        text,
        &[
            ("HELIU_DATA_DIR", "/var/lib/heliu"),
            ("HELIU_HTTP__0__LISTEN", "127.0.0.1:0"),
            ("HELIU_HTTP__1__LISTEN", "[::1]:0"),
            ("HELIU_ADMIN__LISTEN", "127.0.0.1:0"),
            ("HELIU_RTMP__LISTEN", "127.0.0.1:0"),
            ("HELIU_MEDIA__WORKERS", "2"),
            ("HELIU_LOG__FORMAT", "json"),
            ("HELIU_PUBLIC__HOSTS", "[\"a.example\"]"),
            ("HELIU_PLUGINS__MY_API__COMPONENT", "b.wasm"),
            ("HELIU_PLUGINS__MY_API__SECRETS__KEY", "123"),
            ("HELIU_PLUGINS__MY_API__CONFIG__PLAIN", "false"),
            ("HELIU_SOMETHING", "of somebody else"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();

    let listeners: Vec<_> = config.http.iter().map(|http| http.listen.to_string()).collect();
    assert_eq!(listeners, ["127.0.0.1:0", "[::1]:0"]);
    assert_eq!(config.admin.unwrap().listen, "127.0.0.1:0".parse::<SocketAddr>().unwrap());
    assert_eq!(config.rtmp.unwrap().listen, "127.0.0.1:0".parse::<SocketAddr>().unwrap());
    assert_eq!((config.data_dir.as_path(), config.media.workers), (Path::new("/var/lib/heliu"), 2));
    assert_eq!((config.log.format, config.public.hosts), (LogFormat::Json, vec!["a.example".to_owned()]));
    let plugin = &config.plugins[&"my-api".parse().unwrap()];
    assert_eq!(plugin.component, Path::new("etc/b.wasm"));
    assert_eq!(plugin.secrets["key"], Secret::Text("123".to_owned()));
    assert_eq!(plugin.config["plain"], Value::Bool(false));
}

#[test]
fn a_variable_that_fits_nothing_stops_the_start() {
    for (name, value, want) in [
        ("HELIU_LOG__LEVL", "info", "unknown field `levl`"),
        ("HELIU_MEDIA__WORKERS", "many", "invalid type"),
        ("HELIU_HTTP__1__LISTEN", "127.0.0.1:0", "only 0 elements"),
        ("HELIU_HTTP__FIRST__LISTEN", "127.0.0.1:0", "no number"),
        ("HELIU_DATA_DIR__X", "y", "no key under a string"),
    ] {
        let sentence = refused("data_dir = \"x\"\nhttp = []", &[(name, value)]);
        assert!(sentence.starts_with(&format!("the variable {name} ")), "{sentence}");
        assert!(sentence.contains(want), "{sentence}");
    }
}

#[test]
fn relative_paths_start_at_the_file() {
    let config = parse("data_dir = \"../data\"\n[plugins.a]\ncomponent = \"a.wasm\"\n", &[]).unwrap();
    assert_eq!(config.data_dir, Path::new("etc/../data"));
    assert_eq!(config.plugins[&"a".parse().unwrap()].component, Path::new("etc/a.wasm"));
}

#[test]
fn a_demonstration_is_not_shown_to_strangers() {
    let plugin = "[plugins.a]\ncomponent = \"a.wasm\"\ndemo = true\n";
    let http = |listen: &str| format!("[[http]]\nlisten = \"127.0.0.1:1\"\n[[http]]\nlisten = \"{listen}\"\n{plugin}");
    let admin = format!("{plugin}[admin]\nlisten = \"0.0.0.0:8081\"\n");
    let rtmps = format!("{plugin}[rtmps]\nlisten = \"[::]:1936\"\ntls = \"self-signed\"\n");
    let rtmp = format!("{plugin}[rtmp]\nlisten = \"[::]:1935\"\n");
    let webrtc = format!("{plugin}[webrtc]\nudp = \"0.0.0.0:7000\"\n");
    for (text, variable, want) in [
        (http("127.0.0.9:2"), None, None),
        (http("[::1]:2"), None, None),
        (http("0.0.0.0:8080").replace("demo = true", "demo = false"), None, None),
        (http("0.0.0.0:8080"), None, Some(("0.0.0.0:8080", "etc/heliu.toml line 4"))),
        (admin, None, Some(("0.0.0.0:8081", "etc/heliu.toml line 5"))),
        (webrtc, None, Some(("0.0.0.0:7000", "etc/heliu.toml line 5"))),
        (rtmp, None, Some(("[::]:1935", "etc/heliu.toml line 5"))),
        (rtmps, None, Some(("[::]:1936", "etc/heliu.toml line 5"))),
        (
            http("127.0.0.1:2"),
            Some(("HELIU_HTTP__0__LISTEN", "10.0.0.1:80")),
            Some(("10.0.0.1:80", "the HELIU_ variable that says so")),
        ),
    ] {
        let sentence = parse(&text, variable.as_slice()).err().map(|error| error.to_string());
        let want = want.map(|(listener, place)| {
            format!(
                "plugins.a is a demonstration (demo = true) and {listener} is open to others: \
                 listen on 127.0.0.1 instead in {place}"
            )
        });
        assert_eq!(sentence, want, "{text}");
    }
}

#[test]
fn a_level_is_a_level() {
    for (level, is_one) in [
        ("info", true),
        ("WARN", true),
        ("info,heliu_media=debug", true),
        ("error,heliu_media[room]=trace", true),
        ("loud", false),
        ("", false),
        ("heliu_media=debug", false),
        ("info,loud", false),
        ("info,heliu_media=loud", false),
        ("info,", false),
    ] {
        let parsed = parse(&format!("[log]\nlevel = \"{level}\""), &[]);
        assert_eq!(parsed.is_ok(), is_one, "{level}: {parsed:?}");
    }
    assert!(refused("[log]\nlevel = \"loud\"", &[]).starts_with("log.level \"loud\" is no level"));
}

#[test]
fn a_plugin_answers_only_where_somebody_listens() {
    let text = "[[http]]\nlisten = \"127.0.0.1:1\"\n[plugins.a]\ncomponent = \"a\"\nhttp = [\"127.0.0.1:2\"]";
    assert_eq!(refused(text, &[]), "plugins.a.http lists 127.0.0.1:2, and no [[http]] listens there");
}

#[test]
fn what_the_system_would_refuse_or_nobody_would_meet_is_told_before() {
    let listeners = |http: &str, rtmp: &str| format!("[[http]]\nlisten = \"{http}\"\n[rtmp]\nlisten = \"{rtmp}\"");
    for (text, want) in [
        (
            listeners("127.0.0.1:80", "127.0.0.1:80"),
            Some("127.0.0.1:80 and 127.0.0.1:80 are two listeners on one port"),
        ),
        (listeners("127.0.0.1:80", "[::]:80"), Some("127.0.0.1:80 and [::]:80 are two listeners on one port")),
        (listeners("127.0.0.1:80", "127.0.0.2:80"), None),
        (listeners("127.0.0.1:0", "127.0.0.1:0"), None),
        ("[public]\nhosts = [\"a.example\", \"10.1.2.3\", \"2001:db8::1\"]".to_owned(), None),
        ("[public]\nhosts = [\"a:80\"]".to_owned(), Some("public.hosts: \"a:80\" is no name and no address")),
        ("[public]\nhosts = [\"rtmp://a\"]".to_owned(), Some("public.hosts: \"rtmp://a\" is no name")),
        (
            "[admin]\nlisten = \"127.0.0.1:0\"\nhosts = [\"\"]".to_owned(),
            Some("admin.hosts: \"\" is no name and no address"),
        ),
    ] {
        let told = parse(&text, &[]).err().map(|error| error.to_string());
        assert_eq!(told.is_some(), want.is_some(), "{text}: {told:?}");
        assert!(told.unwrap_or_default().starts_with(want.unwrap_or_default()), "{text}");
    }
}

#[test]
fn a_source_is_told_what_is_wrong_with_it() {
    let source = |address: &str, url: &str| format!("[[source]]\naddress = \"{address}\"\nurl = \"{url}\"\n");
    for (text, want) in [
        (source("live", "test:bars"), "etc/heliu.toml line 2: the address needs an app and a name"),
        (source("live/a", "rtp://h"), "etc/heliu.toml line 3: only sources of the scheme test: are served"),
        (source("live/a", "test:bars?rate=99"), "etc/heliu.toml line 3: rate must be 1 to 60 pictures a second"),
        (source("live/a", "test:bars?sise=1"), "etc/heliu.toml line 3: test:bars knows size, rate, tone, flash"),
        ("[[source]]\naddress = \"live/a\"\n".to_owned(), "etc/heliu.toml line 1: missing field `url`"),
        (source("live/a", "test:bars").repeat(2), "two [[source]] tables publish at live/a"),
        (
            source("live/a?x=1", "test:bars") + &source("live/a?x=2", "test:bars"),
            "two [[source]] tables publish at live/a",
        ),
    ] {
        let sentence = refused(&text, &[]);
        assert!(sentence.starts_with(want), "{text:?}: {sentence}");
    }
    let config = parse(&source("live/a?key=hunter2", "test:bars?tone=660"), &[]).unwrap();
    let [source] = config.source.as_slice() else { panic!("one source: {config:?}") };
    assert_eq!((source.address.query.as_deref(), source.url.pattern.tone), (Some("key=hunter2"), 660));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn secrets_do_not_show() {
    let config = parse("[plugins.a]\ncomponent = \"a\"\nsecrets = { key = \"hunter2\", b = { env = \"B\" } }", &[]);
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2") && shown.contains("Environment(B)"), "{shown}");
}

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse(Path::new("etc/heliu.toml"), text, environment)
}

fn refused(text: &str, variables: &[(&str, &str)]) -> String {
    parse(text, variables).expect_err(text).to_string()
}

/// Settings that the example shows as comments are written `# key = value`, tables `# [name]`; prose is not.
fn with_comments_in_force(text: &str) -> String {
    let is_key = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let lines = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(table) if table.starts_with('[') && table.ends_with(']') => table,
        Some(setting) if setting.split_once(" = ").is_some_and(|(key, _)| is_key(key)) => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Every key as a path. What stands in a plugin's own tables is the plugin's business.
fn keys(path: &str, value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) if !path.ends_with(".config") && !path.ends_with(".secrets") => {
            members.iter().map(|(key, child)| (format!("{path}.{key}"), child)).collect()
        }
        Value::Array(list) => list.iter().map(|child| (format!("{path}[]"), child)).collect(),
        _ => Vec::new(),
    };
    children.into_iter().flat_map(|(key, child)| [vec![key.clone()], keys(&key, child)].concat()).collect()
}
