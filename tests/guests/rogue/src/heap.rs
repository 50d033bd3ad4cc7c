//! What no plugin should do with its memory.
//!
//! The only hand-written `unsafe` of a guest: it exists to show that a guest which breaks its own memory
//! breaks nobody else's. A linear memory ends where the guest's ends, so the worst is a trap.

#![expect(unsafe_code, reason = "it plays a guest with a broken heap, and one that reads what it does not own")]

/// Not a constant of the program, where a search of all memory would find it.
fn canary() -> u64 {
    std::hint::black_box(0x05ca_1ab1_e0dd_ba11 ^ u64::MAX) ^ u64::MAX
}

const CANARIES: usize = 500_000;
const GARBAGE_LEN: usize = 256 << 10;

/// Writes over the allocator's own notes, then goes on allocating until something breaks.
pub(crate) fn corrupt() {
    let block = Box::into_raw(Box::new([0_u8; 64]));
    for at in 0..GARBAGE_LEN {
        let target = block.cast::<u8>().wrapping_add(at).wrapping_sub(GARBAGE_LEN / 2);
        // SAFETY: there is none; what lies there belongs to the allocator. A linear memory has no
        // neighbours, so this guest alone can suffer.
        unsafe { target.write_volatile(0xa5) };
    }
    let blocks: Vec<Vec<u8>> = (1..1_000).map(|len| std::hint::black_box(vec![1; len])).collect();
    drop(blocks);
    panic!("the heap is broken");
}

/// Fills four megabytes and never frees them.
pub(crate) fn leave_canaries() {
    std::hint::black_box(vec![canary(); CANARIES].leak());
}

/// Looks through all memory, with eight fresh megabytes at its end.
#[cfg(target_arch = "wasm32")]
pub(crate) fn count_canaries() -> usize {
    std::hint::black_box(Vec::<u8>::with_capacity(8 << 20));
    let len = std::arch::wasm32::memory_size::<0>() << 16;
    let is_canary = |at: &usize| {
        let word = std::ptr::with_exposed_provenance::<u64>(*at);
        // SAFETY: inside the linear memory and aligned; other code of this guest does not run meanwhile.
        unsafe { word.read_volatile() == canary() }
    };
    (8..len).step_by(8).filter(is_canary).count()
}

/// There is no linear memory to look through.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn count_canaries() -> usize {
    0
}
