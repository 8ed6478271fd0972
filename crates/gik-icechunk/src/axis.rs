//! The labels of a dimension in a store and in a run that is added to it.

use gik_core::{CoordinateValues, Error, Result};

/// A dimension of a store after a run was added.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    /// All labels, in the store's order.
    pub(crate) labels: CoordinateValues,
    /// How many the store had.
    pub(crate) stored: usize,
    /// Of each label of the run, its position in `labels`.
    pub(crate) positions: Vec<u32>,
    /// Where labels were put before stored ones: these have moved up by as many as were put
    /// before them. Ascending positions in the old order, one for each label put there.
    pub(crate) inserted: Vec<usize>,
}

impl Axis {
    /// A dimension that the store does not have yet.
    pub(crate) fn new(labels: CoordinateValues) -> Self {
        let positions = (0..labels.len()).map(position).collect();
        Self { labels, stored: 0, positions, inserted: Vec::new() }
    }

    /// Adds the labels of a run after the stored ones. Others may not come between them: all
    /// references behind would have to move.
    ///
    /// # Errors
    /// When a new label lies before or between stored ones; `dimension` is named.
    pub(crate) fn extend(
        dimension: &str,
        stored: &CoordinateValues,
        run: &CoordinateValues,
    ) -> Result<Self> {
        let mut labels = bits(stored);
        let wanted = bits(run);
        if kind(stored) != kind(run) {
            return Err(Error::mismatch(format!("labels of {dimension}"), kind(stored), kind(run)));
        }
        let mut positions = Vec::with_capacity(wanted.len());
        for &label in &wanted {
            let found = labels.iter().position(|&other| other == label);
            positions.push(position(found.unwrap_or(labels.len())));
            if found.is_none() {
                labels.push(label);
            }
        }
        let labels = of_bits(stored, labels);
        if labels.len() > stored.len()
            && stored.len() > 1
            && is_ordered(stored)
            && !is_ordered(&labels)
        {
            let first = labels.get(stored.len()).unwrap_or_default();
            return Err(Error::argument(
                format!("{dimension} {first}"),
                format!(
                    "would come before or between those of the store ({}); begin the store with a \
                     run that has all of them, or build another store",
                    summary(stored)
                ),
            ));
        }
        Ok(Self { labels, stored: stored.len(), positions, inserted: Vec::new() })
    }

    /// Puts the labels of a run, integers, where they belong among ascending stored ones.
    ///
    /// # Errors
    /// When the stored ones are no ascending integers.
    pub(crate) fn insert(
        dimension: &str,
        stored: &CoordinateValues,
        run: &CoordinateValues,
    ) -> Result<Self> {
        let (CoordinateValues::Int64(old), CoordinateValues::Int64(new)) = (stored, run) else {
            return Err(Error::mismatch(
                format!("labels of {dimension}"),
                "integers",
                kind(stored),
            ));
        };
        if !old.is_sorted_by(|a, b| a < b) {
            return Err(Error::mismatch(
                format!("labels of {dimension}"),
                "ascending labels, each once",
                summary(stored),
            ));
        }
        let mut labels = old.clone();
        let mut inserted = Vec::new();
        for label in new {
            if let Err(at) = labels.binary_search(label) {
                labels.insert(at, *label);
                let before = old.partition_point(|other| other < label);
                if before < old.len() {
                    inserted.push(before);
                }
            }
        }
        inserted.sort_unstable();
        let positions =
            new.iter().filter_map(|label| labels.binary_search(label).ok().map(position)).collect();
        let labels = CoordinateValues::Int64(labels);
        Ok(Self { labels, stored: old.len(), positions, inserted })
    }

    /// How many labels there are now.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(crate) fn has_grown(&self) -> bool {
        self.len() > self.stored
    }

    /// Where a stored label is now.
    pub(crate) fn moved(&self, stored: u32) -> u32 {
        let before = self.inserted.partition_point(|&at| at <= stored as usize);
        stored.saturating_add(position(before))
    }

    /// The first position whose label is not what it was.
    pub(crate) fn first_changed(&self) -> usize {
        self.inserted.first().copied().unwrap_or(self.stored)
    }
}

fn position(index: usize) -> u32 {
    // A chunk grid has at most 2³² positions.
    u32::try_from(index).unwrap_or(u32::MAX)
}

const fn kind(values: &CoordinateValues) -> &'static str {
    match values {
        CoordinateValues::Int64(_) => "integers",
        CoordinateValues::Float64(_) => "floating-point numbers",
    }
}

fn bits(values: &CoordinateValues) -> Vec<u64> {
    match values {
        CoordinateValues::Int64(values) => {
            values.iter().map(|value| value.cast_unsigned()).collect()
        }
        CoordinateValues::Float64(values) => values.iter().map(|value| value.to_bits()).collect(),
    }
}

fn of_bits(like: &CoordinateValues, bits: Vec<u64>) -> CoordinateValues {
    match like {
        CoordinateValues::Int64(_) => {
            CoordinateValues::Int64(bits.into_iter().map(u64::cast_signed).collect())
        }
        CoordinateValues::Float64(_) => {
            CoordinateValues::Float64(bits.into_iter().map(f64::from_bits).collect())
        }
    }
}

/// Whether the labels ascend or descend.
fn is_ordered(values: &CoordinateValues) -> bool {
    let values: Vec<f64> = (0..values.len()).filter_map(|index| values.get(index)).collect();
    values.is_sorted_by(|a, b| a < b) || values.is_sorted_by(|a, b| a > b)
}

/// `0, 3 … 240`
fn summary(values: &CoordinateValues) -> String {
    let text = |index: usize| values.get(index).map(|it| it.to_string()).unwrap_or_default();
    match values.len() {
        0 => "none".to_owned(),
        count @ 1..=4 => (0..count).map(text).collect::<Vec<_>>().join(", "),
        count => format!("{}, {} … {}", text(0), text(1), text(count - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(values: &[i64]) -> CoordinateValues {
        CoordinateValues::Int64(values.to_vec())
    }

    #[test]
    fn new_labels_come_after_stored_ones() {
        let axis = Axis::extend("step", &int(&[0, 3, 6]), &int(&[3, 9])).unwrap();
        assert_eq!((axis.labels.clone(), axis.positions.clone()), (int(&[0, 3, 6, 9]), vec![1, 3]));
        assert!(axis.has_grown() && axis.first_changed() == 3);
        let same = Axis::extend("step", &int(&[0, 3, 6]), &int(&[0, 6])).unwrap();
        assert!(!same.has_grown());
        let down = CoordinateValues::Float64(vec![1000.0, 500.0]);
        let more = CoordinateValues::Float64(vec![500.0, 10.0]);
        assert_eq!(Axis::extend("isobaricInhPa", &down, &more).unwrap().positions, [1, 2]);
        let error = Axis::extend("step", &int(&[0, 6, 12]), &int(&[3])).unwrap_err().to_string();
        assert!(error.contains("step 3") && error.contains("0, 6, 12"), "{error}");
        assert!(Axis::extend("step", &int(&[0]), &down).is_err());
    }

    #[test]
    fn times_find_their_place() {
        let axis = Axis::insert("time", &int(&[10, 30, 40]), &int(&[20, 50, 30])).unwrap();
        assert_eq!(axis.labels, int(&[10, 20, 30, 40, 50]));
        assert_eq!((axis.positions.as_slice(), axis.first_changed()), (&[1, 4, 2][..], 1));
        assert_eq!([0, 1, 2].map(|it| axis.moved(it)), [0, 2, 3]);
        let axis = Axis::insert("time", &int(&[10]), &int(&[20])).unwrap();
        assert_eq!((axis.moved(0), axis.first_changed()), (0, 1));
        let axis = Axis::insert("time", &int(&[50]), &int(&[10, 20])).unwrap();
        assert_eq!((axis.moved(0), axis.labels), (2, int(&[10, 20, 50])));
        assert!(Axis::insert("time", &int(&[5, 5]), &int(&[1])).is_err());
    }
}
