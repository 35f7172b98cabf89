//! The choice of the next SKU.

use std::sync::Arc;

use fastrand::Rng;

use super::options::KeyChoice;

/// As in YCSB: the most frequent of 10,000 keys gets about a tenth of all requests.
const ZIPF_EXPONENT: f64 = 0.99;

/// Chooses SKUs by number, `0..count`.
#[derive(Clone, Debug)]
pub(super) enum Picker {
    Hot,
    Uniform {
        count: u32,
    },
    /// Share of the requests that go to this key or one before it.
    Zipf {
        shares: Arc<[f64]>,
    },
}

impl Picker {
    pub(super) fn new(keys: KeyChoice, count: u32) -> Self {
        match keys {
            KeyChoice::Hot => Self::Hot,
            KeyChoice::Uniform => Self::Uniform { count },
            KeyChoice::Zipf => Self::Zipf { shares: zipf_shares(count) },
        }
    }

    pub(super) fn next(&self, random: &mut Rng) -> u32 {
        match self {
            Self::Hot => 0,
            Self::Uniform { count } => random.u32(0..*count),
            Self::Zipf { shares } => {
                let point = random.f64();
                let place = shares.partition_point(|share| *share <= point);
                u32::try_from(place.min(shares.len() - 1)).expect("there are no more shares than SKUs")
            }
        }
    }
}

fn zipf_shares(count: u32) -> Arc<[f64]> {
    let mut sum = 0.0;
    let mut shares: Vec<f64> = (1..=count)
        .map(|rank| {
            sum += f64::from(rank).powf(-ZIPF_EXPONENT);
            sum
        })
        .collect();
    for share in &mut shares {
        *share /= sum;
    }
    shares.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(keys: KeyChoice, count: u32) -> Vec<u32> {
        let picker = Picker::new(keys, count);
        let mut random = Rng::with_seed(7);
        let mut drawn = vec![0; count as usize];
        for _ in 0..100_000 {
            drawn[picker.next(&mut random) as usize] += 1;
        }
        drawn
    }

    #[test]
    fn hot_is_one_key_and_uniform_is_all() {
        assert_eq!(draw(KeyChoice::Hot, 3), [100_000, 0, 0]);
        assert!(draw(KeyChoice::Uniform, 10).iter().all(|count| (9_000..11_000).contains(count)));
        assert_eq!(draw(KeyChoice::Uniform, 1), [100_000]);
        assert_eq!(draw(KeyChoice::Zipf, 1), [100_000]);
    }

    #[test]
    fn zipf_falls_with_the_rank() {
        let drawn = draw(KeyChoice::Zipf, 1000);
        // The sum of 1/rank^0.99 over 1000 ranks is 7.73: the first has 12.9 %, the second half of that.
        assert!((12_400..13_500).contains(&drawn[0]), "{}", drawn[0]);
        assert!((6_100..7_000).contains(&drawn[1]), "{}", drawn[1]);
        assert!(drawn[500..].iter().sum::<u32>() < 12_000);
    }
}
