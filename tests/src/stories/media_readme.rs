//! The README's own lines, on free ports: what a stranger types must work.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::probe::Pictures;
use crate::server::{Server, root, wait_for};

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

fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]).stdin(Stdio::null()).stdout(Stdio::null());
    command
}
