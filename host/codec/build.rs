//! Refuses to build openh264 without its assembler routines by accident.
//!
//! `openh264-sys2` falls back to plain C++ in silence when `nasm` is missing; decoding is then several
//! times slower. Looked for where its own build looks: `NASM`, else the `PATH`.
//!
//! Not here: a library that was built slowly before and kept by cargo. That one fails to link, see
//! `src/simd.rs`.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=NASM");
    println!("cargo:rerun-if-env-changed=PATH");
    println!("cargo:rerun-if-env-changed=OPENH264_NO_ASM");
    println!("cargo:rerun-if-env-changed=HELIU_ALLOW_SLOW_H264");
    println!("cargo:rustc-check-cfg=cfg(simd_required)");

    let target = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if target != "x86_64" || std::env::var_os("HELIU_ALLOW_SLOW_H264").is_some_and(|value| value == "1") {
        return ExitCode::SUCCESS;
    }
    if let Some(why) = what_is_missing() {
        eprintln!("{why}; or set HELIU_ALLOW_SLOW_H264=1 to build a slow openh264.");
        return ExitCode::FAILURE;
    }
    println!("cargo:rustc-cfg=simd_required");
    ExitCode::SUCCESS
}

fn what_is_missing() -> Option<&'static str> {
    if std::env::var_os("OPENH264_NO_ASM").is_some() {
        return Some("OPENH264_NO_ASM is set, openh264 would be built without SIMD: unset it");
    }
    let nasm = std::env::var_os("NASM").unwrap_or_else(|| "nasm".into());
    let runs = Command::new(nasm).arg("-v").output().is_ok_and(|output| output.status.success());
    (!runs).then_some(
        "`nasm` was not found, openh264 would be built without SIMD: install the package `nasm` \
         (apt-get install nasm), then `cargo clean -p openh264-sys2`",
    )
}
