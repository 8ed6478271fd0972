//! How many members reach each threshold.

/// Of one window: at each point the members that reach each threshold.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Members with a total.
    members: u16,
    /// For each threshold and point, the members that reach it.
    reached: Vec<u16>,
    /// For each point the members without a value; empty as long as all have one everywhere.
    without: Vec<u16>,
}

impl Counts {
    /// The memory it takes.
    pub(super) fn bytes(points: usize, thresholds: usize) -> usize {
        points.saturating_mul(thresholds + 1).saturating_mul(size_of::<u16>())
    }

    /// Counts a member. One without any value does not count.
    pub(super) fn add(&mut self, values: &[f32], thresholds: &[f32]) {
        let missing = values.iter().filter(|value| value.is_nan()).count();
        if missing == values.len() || self.members == u16::MAX {
            return;
        }
        self.members += 1;
        if self.reached.is_empty() {
            self.reached = vec![0; values.len() * thresholds.len()];
        }
        for (reached, &threshold) in self.reached.chunks_exact_mut(values.len()).zip(thresholds) {
            for (count, &value) in reached.iter_mut().zip(values) {
                *count += u16::from(value >= threshold);
            }
        }
        if missing > 0 {
            self.without.resize(values.len(), 0);
            for (count, value) in self.without.iter_mut().zip(values) {
                *count += u16::from(value.is_nan());
            }
        }
    }

    /// Members with a total.
    pub(super) fn members(&self) -> u32 {
        self.members.into()
    }

    /// The fewest members with a value at any point that has one.
    pub(super) fn fewest(&self) -> u32 {
        let with = self.without.iter().map(|&without| self.members - without);
        with.filter(|&with| with > 0).min().unwrap_or(self.members).into()
    }

    /// The probability at each of `points` in per cent; NaN where no member has a value.
    pub(super) fn probability(&self, threshold: usize, points: usize) -> Vec<f32> {
        let reached = self.reached.get(threshold * points..(threshold + 1) * points);
        let Some(reached) = reached else { return vec![f32::NAN; points] };
        let per_cent = |(point, &count): (usize, &u16)| {
            let with = self.members - self.without.get(point).copied().unwrap_or(0);
            share(count, with)
        };
        reached.iter().enumerate().map(per_cent).collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounded to single precision")]
fn share(count: u16, of: u16) -> f32 {
    if of == 0 { f32::NAN } else { (f64::from(count) * 100.0 / f64::from(of)) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_the_members_that_have_a_value() {
        let mut counts = Counts::default();
        let thresholds = [5.0, 25.0];
        counts.add(&[5.0, 30.0, 0.0, f32::NAN], &thresholds);
        counts.add(&[4.99, f32::NAN, 25.0, f32::NAN], &thresholds);
        counts.add(&[f32::NAN; 4], &thresholds);
        // The second point has one of them, the last none.
        assert_eq!((counts.members(), counts.fewest()), (2, 1));
        assert_eq!(counts.probability(0, 4)[..3], [50.0, 100.0, 50.0]);
        assert_eq!(counts.probability(1, 4)[..3], [0.0, 100.0, 50.0]);
        assert!(counts.probability(1, 4)[3].is_nan());
        let mut whole = Counts::default();
        whole.add(&[1.0, f32::NAN], &thresholds);
        whole.add(&[2.0, f32::NAN], &thresholds);
        assert_eq!((whole.members(), whole.fewest()), (2, 2));
        let third = Counts { members: 3, reached: vec![1], without: vec![] };
        assert_eq!(third.probability(0, 1), [33.333_332]);
    }

    #[test]
    fn without_members_there_is_no_probability() {
        assert!(Counts::default().probability(0, 3).iter().all(|it| it.is_nan()));
    }
}
