//! What was done with the values within a window.

use std::fmt;

/// The statistical processing of an interval, code table 4.10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Statistic {
    /// 0: mean over the interval.
    Average,
    /// 1: sum over the interval.
    Accumulation,
    /// 2: the greatest value.
    Maximum,
    /// 3: the least value.
    Minimum,
    /// 4: value at the end minus value at the start.
    Difference,
    /// 5: root mean square.
    RootMeanSquare,
    /// 6: standard deviation.
    StandardDeviation,
    /// 7: covariance (temporal variance).
    Covariance,
    /// 8: value at the start minus value at the end.
    ReverseDifference,
    /// 9: ratio.
    Ratio,
    /// 10: standardized anomaly.
    StandardizedAnomaly,
    /// 11: summation.
    Summation,
    /// 100: severity.
    Severity,
    /// 101: the most frequent value.
    Mode,
}

/// How one statistic is written.
struct Row {
    statistic: Statistic,
    /// Code table 4.10.
    code: u8,
    /// wgrib2's word.
    word: &'static str,
    /// ecCodes' `stepType`.
    step_type: &'static str,
    /// The method in CF appendix E, if there is one.
    cell_method: Option<&'static str>,
}

const fn row(
    statistic: Statistic,
    code: u8,
    word: &'static str,
    step_type: &'static str,
    cell_method: Option<&'static str>,
) -> Row {
    Row { statistic, code, word, step_type, cell_method }
}

/// In the order of the enum.
static ROWS: [Row; 14] = [
    row(Statistic::Average, 0, "ave", "avg", Some("mean")),
    row(Statistic::Accumulation, 1, "acc", "accum", Some("sum")),
    row(Statistic::Maximum, 2, "max", "max", Some("maximum")),
    row(Statistic::Minimum, 3, "min", "min", Some("minimum")),
    row(Statistic::Difference, 4, "last-first", "diff", None),
    row(Statistic::RootMeanSquare, 5, "RMS", "rms", Some("root_mean_square")),
    row(Statistic::StandardDeviation, 6, "StdDev", "sd", Some("standard_deviation")),
    row(Statistic::Covariance, 7, "covar", "cov", None),
    row(Statistic::ReverseDifference, 8, "first-last", "sdiff", None),
    row(Statistic::Ratio, 9, "ratio", "ratio", None),
    row(Statistic::StandardizedAnomaly, 10, "standardized anomaly", "stdanom", None),
    row(Statistic::Summation, 11, "summation", "sum", Some("sum")),
    row(Statistic::Severity, 100, "severity", "severity", None),
    row(Statistic::Mode, 101, "mode", "mode", Some("mode")),
];

impl Statistic {
    #[expect(clippy::indexing_slicing, reason = "a test checks that the rows follow the enum")]
    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// All of them, ascending by code.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.statistic)
    }

    /// The number in code table 4.10.
    #[must_use]
    pub fn code(self) -> u8 {
        self.row().code
    }

    /// The statistic with this number in code table 4.10.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        ROWS.iter().find(|row| row.code == code).map(|row| row.statistic)
    }

    /// The statistic that wgrib2 writes like this: `acc`, `ave`, `last-first`.
    #[must_use]
    pub fn from_wgrib2(word: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.word == word).map(|row| row.statistic)
    }

    /// The statistic with this `stepType` of ecCodes; `instant` is none.
    #[must_use]
    pub fn from_step_type(name: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.step_type == name).map(|row| row.statistic)
    }

    /// ecCodes' `stepType`: `accum`, `avg`, ….
    #[must_use]
    pub fn step_type(self) -> &'static str {
        self.row().step_type
    }

    /// The method in CF's `cell_methods` (CF appendix E), without the dimension: `sum`,
    /// `mean`, …. None where CF has no word.
    #[must_use]
    pub fn cell_method(self) -> Option<&'static str> {
        self.row().cell_method
    }
}

/// wgrib2's word.
impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.row().word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_the_enum() {
        for (at, row) in ROWS.iter().enumerate() {
            assert_eq!(row.statistic as usize, at);
            assert_eq!(Statistic::from_code(row.code), Some(row.statistic));
            assert_eq!(Statistic::from_wgrib2(row.word), Some(row.statistic));
            assert_eq!(Statistic::from_step_type(row.step_type), Some(row.statistic));
            assert_eq!(row.statistic.to_string(), row.word);
        }
        assert_eq!(Statistic::from_code(255), None);
        assert_eq!(Statistic::all().count(), ROWS.len());
    }
}
