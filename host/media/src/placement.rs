//! Which worker owns a room.
//!
//! A function of the name alone, so that everybody computes it without asking. Whatever must cross
//! workers goes through a relay endpoint.

use heliu_model::RoomId;

/// Index of the worker that owns `room`, below `workers` (at least 1). FNV-1a, the same on every start.
pub fn worker_of(room: &RoomId, workers: usize) -> usize {
    let hash = room
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from(hash % workers.max(1) as u64).expect("below a usize")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_spread_over_workers() {
        let mut counts = [0; 2];
        for n in 0..1_000 {
            counts[worker_of(&format!("ns/room-{n}").parse().unwrap(), 2)] += 1;
        }
        assert!(counts.iter().all(|&count| count > 400), "{counts:?}");
    }
}
