//! The simulator's only source of randomness: `SplitMix64`, seeded by the caller. The same seed gives the same run.
//!
//! Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014), with the constants of
//! Sebastiano Vigna's reference implementation `splitmix64.c`. Good enough to choose faults, useless for secrets.

/// A seeded stream of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of numbers of this seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 random bits.
    pub const fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`; 0 when `bound` is 0. The bias of the modulo is far below what a test can notice.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound.max(1) as u64;
        usize::try_from(self.draw() % bound).expect("a number below a usize is a usize")
    }

    /// A whole number in `0..bound`; 0 when `bound` is not above 0.
    pub fn whole(&mut self, bound: i64) -> i64 {
        self.draw().cast_signed().rem_euclid(bound.max(1))
    }

    /// True with a probability of `chance` percent.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// Fills `bytes` with random bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            for (byte, noise) in chunk.iter_mut().zip(self.draw().to_le_bytes()) {
                *byte = noise;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_that_of_the_reference_implementation() {
        let mut random = Random::new(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| random.draw()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn below_reaches_every_number_under_its_bound_and_no_other() {
        let mut random = Random::new(7);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[random.below(5)] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(random.below(0), 0);
        assert!((0..200).all(|_| (0..5).contains(&random.whole(5))));
        assert_eq!(random.whole(-5), 0);
    }

    #[test]
    fn percent_keeps_its_share() {
        let mut random = Random::new(7);
        let hits = (0..10_000).filter(|_| random.percent(25)).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
        assert!((0..1_000).all(|_| random.percent(100) && !random.percent(0)));
    }

    #[test]
    fn fill_leaves_no_byte_out() {
        let mut random = Random::new(7);
        let mut seen = [0_u8; 13];
        for _ in 0..10 {
            let mut bytes = [0_u8; 13];
            random.fill(&mut bytes);
            seen.iter_mut().zip(bytes).for_each(|(all, byte)| *all |= byte);
        }
        assert!(seen.iter().all(|byte| *byte != 0));
    }
}
