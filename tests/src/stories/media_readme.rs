//! The README's own lines, on free ports: what a stranger types must work.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::probe::Pictures;
use crate::server::{Server, pingos, program, root, wait_for};

#[test]
fn the_four_lines_of_the_readme_make_a_mix() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("watched.flv");
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("## Mix two pictures and watch").nth(1).expect("the section");
    let block = section.split("```sh").nth(1).and_then(|rest| rest.split("```").next()).expect("its shell block");
    let lines: Vec<String> = block
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.replace("rtmp://127.0.0.1/", &format!("rtmp://{}/", server.rtmp())))
        .map(|line| line.replace("127.0.0.1:8080", &server.http().to_string()))
        // Nobody looks at a window here.
        .map(|line| line.replace("ffplay -fflags nobuffer", "ffmpeg -v error -flush_packets 1 -t 5 -i"))
        .collect();
    let [first, second, order, watch] = lines.as_slice() else { panic!("four lines: {lines:?}") };
    let mut publishers = [first, second].map(|line| shell(&format!("exec {line}")).spawn().unwrap());
    wait_for("both publishers", Duration::from_secs(60), || {
        (server.log().matches("publication started").count() >= 2).then_some(())
    });
    assert!(shell(order).status().unwrap().success());
    wait_for("the layout", Duration::from_secs(60), || server.log().contains("inputs=2").then_some(()));
    let watched = shell(&format!("{watch} -c copy {}", file.display())).status().unwrap();
    for publisher in &mut publishers {
        publisher.kill().unwrap();
        publisher.wait().unwrap();
    }
    assert!(watched.success());
    let pictures = Pictures::of(&file);
    assert_eq!((pictures.width, pictures.height), (1280, 720));
    let [main, side, rest] = [(0.1, 0.5), (0.9, 0.05), (0.9, 0.9)].map(|(x, y)| pictures.colour(-1, x, y));
    assert!(main != [0; 3] && side != [0; 3], "{main:?} {side:?}");
    assert!(rest.iter().all(|&value| value < 40), "nobody is there: {rest:?}");
}

#[test]
fn the_lines_without_an_encoder_show_the_bars() {
    let example = std::fs::read_to_string(root().join("examples/heliu.toml")).unwrap();
    let table = example.split("# [[source]]").nth(1).expect("the example shows a source").lines().skip(1).take(2);
    let table: String = table.map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
    let server = Server::with(&format!("{}[[source]]\n{table}", pingos("")));
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("## Without an encoder").nth(1).expect("the section");
    let block = section.split("```sh").nth(1).and_then(|rest| rest.split("```").next()).expect("its shell block");
    let lines: Vec<String> = block
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.replace("rtmp://127.0.0.1/", &format!("rtmp://{}/", server.rtmp())))
        .map(|line| line.replace("127.0.0.1:8080", &server.http().to_string()))
        .map(|line| line.replace("target/release/heliu", &program("heliu").display().to_string()))
        .collect();
    let [look, order, look_again] = lines.as_slice() else { panic!("three lines: {lines:?}") };
    let first = report(look);
    assert_eq!((&first["video"]["width"], &first["video"]["height"]), (&1_280.into(), &720.into()), "{first}");
    let yellow = first["video"]["colours"][9]["last"].as_str().expect("a colour");
    let channel = |at: usize| i32::from_str_radix(&yellow[at..at + 2], 16).expect("hexadecimal");
    for (got, want) in [1, 3, 5].map(channel).into_iter().zip([0xbf, 0xbf, 0]) {
        assert!((got - want).abs() < 8, "{yellow}");
    }
    let tone = &first["audio"]["tones"][0];
    let near = |key: &str, want: f64, by: f64| tone[key].as_f64().is_some_and(|value| (value - want).abs() < by);
    assert!(near("hz", 440.0, 1.0) && near("dbfs", -12.0, 0.5), "{tone}");
    assert!(shell(order).status().unwrap().success());
    let mixed =
        wait_for("the mix", Duration::from_secs(60), || Some(report(look_again)).filter(|told| !told.is_null()));
    assert_eq!((&mixed["video"]["width"], &mixed["video"]["height"]), (&640.into(), &360.into()), "{mixed}");
}

/// Null: nothing could be read, which a mix that is about to begin may cause.
fn report(line: &str) -> serde_json::Value {
    let output = shell(line).stdout(Stdio::piped()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]).stdin(Stdio::null()).stdout(Stdio::null());
    command
}
