//! Median and spread of a few samples.

/// What a row says of its samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Half of the samples are below.
    pub median: f64,
    /// A quarter of the samples is below.
    pub low: f64,
    /// A quarter of the samples is above.
    pub high: f64,
    /// Samples.
    pub samples: usize,
}

impl Summary {
    /// Summarises samples, in any order; `None` when there are none, or one is no number.
    #[must_use]
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        if sorted.is_empty() || sorted.iter().any(|sample| !sample.is_finite()) {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            median: quantile(&sorted, 0.5),
            low: quantile(&sorted, 0.25),
            high: quantile(&sorted, 0.75),
            samples: sorted.len(),
        })
    }

    /// Returns the distance of the quartiles as a part of the median: 0.02 is two per cent.
    #[must_use]
    pub fn spread(&self) -> f64 {
        if self.median > 0.0 { (self.high - self.low) / self.median } else { 0.0 }
    }
}

/// Returns the value below which `part` of the sorted samples lie, between two of them in proportion.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    #[expect(clippy::cast_precision_loss, reason = "a few samples")]
    let place = last as f64 * part;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to the last index")]
    let below = place.floor() as usize;
    let at = |index: usize| sorted.get(index.min(last)).copied().unwrap_or_default();
    at(below) + (at(below.saturating_add(1)) - at(below)) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle_or_between_two() {
        assert_eq!(Summary::of(&[3.0, 1.0, 2.0]).unwrap().median, 2.0);
        assert_eq!(Summary::of(&[4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(Summary::of(&[7.0]).unwrap(), Summary { median: 7.0, low: 7.0, high: 7.0, samples: 1 });
    }

    #[test]
    fn an_outlier_moves_neither_median_nor_spread() {
        let quiet = Summary::of(&[10.0, 11.0, 12.0, 13.0, 14.0]).unwrap();
        let loud = Summary::of(&[10.0, 11.0, 12.0, 13.0, 9000.0]).unwrap();
        assert_eq!((quiet.median, quiet.low, quiet.high), (12.0, 11.0, 13.0));
        assert_eq!((loud.median, loud.low, loud.high), (12.0, 11.0, 13.0));
        assert_eq!(quiet.spread(), 2.0 / 12.0);
    }

    #[test]
    fn no_samples_and_samples_that_are_no_numbers_say_nothing() {
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[1.0, f64::NAN]), None);
        assert_eq!(Summary::default().spread(), 0.0);
    }
}
