//! Chance that can be repeated.

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, any seed is good. Not for secrets.
#[derive(Debug, Clone)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// Equal seeds, equal chance.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// All 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `bound`, without it; 0 if that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.draw()) * u128::from(bound)) >> 64) as u64
    }

    /// Happens with this probability, 0 to 1.
    pub fn chance(&mut self, probability: f64) -> bool {
        // 53 bits are what an f64 holds.
        let uniform = (self.draw() >> 11) as f64 / (1_u64 << 53) as f64;
        uniform < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_make_equal_chance() {
        let drawn = |seed| (0..8).scan(Rng::new(seed), |rng, _| Some(rng.draw())).collect::<Vec<_>>();
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert_eq!(Rng::new(0).draw(), 0xe220_a839_7b1d_cdaf, "the published first value");
    }

    #[test]
    fn bounds_and_probabilities_hold() {
        let mut rng = Rng::new(1);
        let mut seen = [0_u32; 6];
        (0..6_000).for_each(|_| seen[rng.below(6) as usize] += 1);
        assert!(seen.iter().all(|count| (800..1_200).contains(count)), "{seen:?}");
        assert_eq!(rng.below(0), 0);
        let hits = (0..10_000).filter(|_| rng.chance(0.1)).count();
        assert!((850..1_150).contains(&hits), "{hits}");
        assert!(!rng.chance(0.0) && rng.chance(1.0));
    }
}
