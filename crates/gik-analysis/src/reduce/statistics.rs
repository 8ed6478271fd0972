//! Statistics of numbers in memory.

use super::Measure;

/// Values seen so far at one point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    count: u32,
    mean: f64,
    squares: f64,
    least: f32,
    greatest: f32,
}

impl Moments {
    pub(super) const NONE: Self = Self {
        count: 0,
        mean: 0.0,
        squares: 0.0,
        least: f32::INFINITY,
        greatest: f32::NEG_INFINITY,
    };

    /// Adds a value (B. P. Welford, 1962).
    pub(super) fn add(&mut self, value: f32) {
        if value.is_nan() {
            return;
        }
        self.count += 1;
        let value64 = f64::from(value);
        let off = value64 - self.mean;
        self.mean += off / f64::from(self.count);
        self.squares += off * (value64 - self.mean);
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
    }

    /// How many values there were.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    #[expect(clippy::cast_possible_truncation, reason = "of values in single precision")]
    pub(super) fn measure(&self, measure: Measure) -> f32 {
        if self.count == 0 {
            return f32::NAN;
        }
        match measure {
            Measure::Mean => self.mean as f32,
            Measure::Minimum => self.least,
            Measure::Maximum => self.greatest,
            Measure::StandardDeviation => (self.squares / f64::from(self.count)).sqrt() as f32,
            Measure::Percentile(_) => f32::NAN,
        }
    }
}

/// A percentile of some values, which are reordered.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions among values in memory, never negative"
)]
fn percentile(values: &mut Vec<f32>, percent: f32) -> f32 {
    values.retain(|value| !value.is_nan());
    let Some(last) = values.len().checked_sub(1) else { return f32::NAN };
    let place = f64::from(percent) / 100.0 * last as f64;
    let below = (place.floor() as usize).min(last);
    let (_, &mut low, above) = values.select_nth_unstable_by(below, f32::total_cmp);
    let high = above.iter().copied().min_by(f32::total_cmp).unwrap_or(low);
    let part = place - below as f64;
    (f64::from(low) + part * (f64::from(high) - f64::from(low))) as f32
}

/// Statistics at points in C order.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    pub(super) values: Vec<f32>,
    /// For each plane of the grid, the most values that there are at any of its points.
    pub(super) counts: Vec<u32>,
}

impl Statistics {
    pub(super) fn with_capacity(points: usize) -> Self {
        Self { values: Vec::with_capacity(points), counts: Vec::new() }
    }

    /// Adds the statistic at the next point, which is of so many values.
    pub(super) fn push(&mut self, value: f32, count: u32, plane: usize) {
        let at = self.values.len() / plane.max(1);
        self.values.push(value);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        if let Some(most) = self.counts.get_mut(at) {
            *most = count.max(*most);
        }
    }
}

/// A statistic along one axis of values in C order; `plane` is the number of points of the grid.
pub(super) fn along(
    values: &[f32],
    shape: &[usize],
    axis: usize,
    plane: usize,
    measure: Measure,
) -> Statistics {
    let length = shape.get(axis).copied().unwrap_or(1).max(1);
    let inner: usize = shape.iter().skip(axis + 1).product::<usize>().max(1);
    let mut result = Statistics::with_capacity(values.len() / length);
    let mut column = Vec::with_capacity(length);
    for block in values.chunks_exact(length * inner) {
        for point in 0..inner {
            let points = block.iter().skip(point).step_by(inner).copied();
            if let Measure::Percentile(percent) = measure {
                column.clear();
                column.extend(points);
                let value = percentile(&mut column, percent);
                result.push(value, u32::try_from(column.len()).unwrap_or(u32::MAX), plane);
            } else {
                let mut moments = Moments::NONE;
                points.for_each(|value| moments.add(value));
                result.push(moments.measure(measure), moments.count(), plane);
            }
        }
    }
    result
}
