//! libFuzzer around one target, which the variable `HELIU_FUZZ_TARGET` names.

#![no_main]

use std::sync::OnceLock;

use heliu_fuzz::Target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| (target().run)(data));

fn target() -> Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    *TARGET.get_or_init(|| {
        let name = std::env::var("HELIU_FUZZ_TARGET").unwrap_or_default();
        heliu_fuzz::target(&name).expect("HELIU_FUZZ_TARGET names a target")
    })
}
