//! The memory of a component: first what an instance is born with, then more of it.
//!
//! Most calls need some kilobytes and live in an instance of their own. To ask the host for memory
//! costs such a call two changes of page rights, on all processors; what is there at birth costs nothing
//! until it is touched.

#![expect(unsafe_code, reason = "an allocator hands out raw memory")]

use core::alloc::Layout;
use core::mem::MaybeUninit;

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

/// A call that reads and answers a few records needs a tenth of it.
const FIRST_LEN: usize = 256 * 1024;
/// Of WebAssembly.
const PAGE_LEN: usize = 64 * 1024;
/// What the allocator writes around an allocation, generously.
const MARGIN_LEN: usize = 1024;

#[global_allocator]
static ALLOCATOR: TalcSyncCell<Memory, WasmBinning> = TalcSyncCell::new_wasm(Memory { has_taken_first: false });

static mut FIRST: [MaybeUninit<u8>; FIRST_LEN] = [MaybeUninit::uninit(); FIRST_LEN];

#[derive(Debug)]
struct Memory {
    has_taken_first: bool,
}

// SAFETY: it uses no allocator but the one it is given.
unsafe impl Source for Memory {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        if !core::mem::replace(&mut talc.source.has_taken_first, true) {
            let first = (&raw mut FIRST).cast();
            // SAFETY: nobody else names `FIRST`, and it is claimed once.
            return unsafe { talc.claim(first, FIRST_LEN) }.map(drop).ok_or(());
        }
        let pages = (layout.size() + layout.align() + MARGIN_LEN).div_ceil(PAGE_LEN);
        let end = core::arch::wasm32::memory_grow::<0>(pages);
        if end == usize::MAX {
            return Err(());
        }
        // SAFETY: these pages came into being for this claim.
        unsafe { talc.claim((end * PAGE_LEN) as *mut u8, pages * PAGE_LEN) }.map(drop).ok_or(())
    }
}
