//! Proof that openh264 was linked with its assembler routines.
//!
//! `build.rs` looks for `nasm`, but cargo keeps an `openh264-sys2` that was built before `nasm` was
//! installed. Such a one lacks the symbol used here, and linking stops at the function whose name
//! tells what to do.

/// Does openh264 use SIMD? Always true on x86-64 unless `HELIU_ALLOW_SLOW_H264=1` was set for the build.
#[must_use]
pub fn has_simd() -> bool {
    openh264_has_no_simd_install_nasm_then_cargo_clean_p_openh264_sys2()
}

#[cfg(simd_required)]
#[inline(never)]
#[expect(unsafe_code, reason = "asks openh264's assembler part whether it is there; no safe interface names it")]
fn openh264_has_no_simd_install_nasm_then_cargo_clean_p_openh264_sys2() -> bool {
    unsafe extern "C" {
        /// `codec/common/x86/cpuid.asm`: 1 when the processor has `cpuid`; touches nothing but flags.
        fn WelsCPUIdVerify() -> i32;
    }
    // SAFETY: no arguments, no memory; saves and restores the registers it uses.
    unsafe { WelsCPUIdVerify() != 0 }
}

#[cfg(not(simd_required))]
fn openh264_has_no_simd_install_nasm_then_cargo_clean_p_openh264_sys2() -> bool {
    // ARM has its assembler routines compiled by the C compiler itself.
    cfg!(target_arch = "aarch64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openh264_is_linked_with_its_assembler_routines_unless_slowness_was_allowed() {
        assert_eq!(has_simd(), cfg!(any(simd_required, target_arch = "aarch64")));
    }
}
