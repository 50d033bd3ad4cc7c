//! Every input of the corpus, and a bounded number of seeded changes of them, through every target.
//!
//! `HELIU_FUZZ_RUNS` multiplies the number of changed inputs. A failure names the file, or the seed and
//! number of the changed input, which it leaves in the system's temporary folder.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use heliu_fuzz::{Cost, Mutator, TARGETS, Target, target};

const SEED: u64 = 1;

/// A test for each target, so that they run beside each other.
macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test] fn $name() { explore(target(stringify!($name)).expect("it is in the table")) })*

        #[test]
        fn every_target_has_its_test_and_its_corpus() {
            let tested = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|target| target.name), tested);
            assert!(TARGETS.iter().all(|target| !corpus(target).is_empty()));
        }
    };
}

tests! {
    aac_config addresses avc_nals avc_sets config flv flv_tags frame_assembler h264_payloads opus pictures pipeline
    probe rtcp rtc_datagrams rtc_session rtc_srtp rtc_stun rtmp_amf rtmp_chunks rtmp_client rtmp_handshake rtmp_server
    rtp_packet sdp_answer sound store_record
}

#[test]
fn a_seed_makes_the_same_inputs_again() {
    let corpus = [b"one".to_vec(), b"another".to_vec()];
    let inputs = |seed| {
        let mut mutator = Mutator::seeded(seed);
        std::iter::repeat_with(|| mutator.next(&corpus)).take(50).collect::<Vec<_>>()
    };
    assert_eq!(inputs(7), inputs(7));
    assert_ne!(inputs(7), inputs(8));
}

fn explore(target: Target) {
    let corpus = corpus(&target);
    for (path, data) in &corpus {
        run(target, data, &path.display().to_string());
    }
    let inputs: Vec<Vec<u8>> = corpus.into_iter().map(|(_, data)| data).collect();
    let mut mutator = Mutator::seeded(SEED);
    for number in 0..runs(target.cost) {
        run(target, &mutator.next(&inputs), &format!("seed {SEED}, input {number}"));
    }
}

fn runs(cost: Cost) -> u32 {
    let times = std::env::var("HELIU_FUZZ_RUNS").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    times
        * match cost {
            Cost::Parser => 3_000,
            Cost::Codec => 60,
        }
}

fn run(target: Target, data: &[u8], what: &str) {
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(data)));
    let Err(panic) = outcome else { return };
    let kept = std::env::temp_dir().join(format!("heliu-fuzz-{}", target.name));
    let place = std::fs::write(&kept, data).map_or_else(|error| error.to_string(), |()| kept.display().to_string());
    eprintln!("{}: {what} breaks an invariant; the input: {place}", target.name);
    resume_unwind(panic);
}

fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(&path).expect("the corpus reads"))).collect()
}
