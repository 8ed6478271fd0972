//! A run: one initialisation of one product, and which part of it is wanted.

use crate::{ReferenceTime, StepUnit};

/// What a person asks for, before the model has checked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRequest {
    /// The product id, or the model's default.
    pub product: Option<String>,
    /// The initialisation time.
    pub reference_time: ReferenceTime,
    /// The members, or all that the product has. The control is 0.
    pub members: Option<Selection>,
    /// The steps in the product's unit, or all that the cycle has.
    pub steps: Option<Selection>,
    /// Array names, or all that the product has.
    pub variables: Option<Vec<String>>,
    /// Where the model's files are read from instead of its public bucket; the layout
    /// below it is the bucket's.
    pub source: Option<url::Url>,
}

impl RunRequest {
    /// Everything of the default product at `reference_time`, from the public bucket.
    #[must_use]
    pub fn new(reference_time: ReferenceTime) -> Self {
        Self {
            product: None,
            reference_time,
            members: None,
            steps: None,
            variables: None,
            source: None,
        }
    }
}

/// Numbers picked from a list: ranges and single ones, as in `0-30` or `0,6,12-24`.
///
/// A range picks what the list has between its ends; a single number must be in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection(Vec<(u32, u32, bool)>);

impl Selection {
    /// The members of `available` (ascending) that are picked, in ascending order.
    ///
    /// # Errors
    /// When a single number is not available, or nothing is; the text names `what`
    /// (for example `member`) and what there is.
    pub fn pick(&self, what: &str, available: &[u32]) -> crate::Result<Vec<u32>> {
        let there = || summary(available);
        for &(first, last, single) in &self.0 {
            if single && !available.contains(&first) {
                return Err(crate::Error::argument(
                    format!("{what} {first}"),
                    format!("is not in this product; there are {}", there()),
                ));
            }
            let (Some(&low), Some(&high)) = (available.first(), available.last()) else {
                return Err(crate::Error::argument(what, "there is none in this product"));
            };
            if !single && (first < low || last > high) {
                return Err(crate::Error::argument(
                    format!("{what} {first}-{last}"),
                    format!("reaches outside this product; there are {}", there()),
                ));
            }
        }
        let picked: Vec<u32> = available
            .iter()
            .copied()
            .filter(|&number| self.0.iter().any(|&(low, high, _)| low <= number && number <= high))
            .collect();
        if picked.is_empty() {
            return Err(crate::Error::argument(
                what,
                format!("nothing of this product is picked; there are {}", there()),
            ));
        }
        Ok(picked)
    }
}

impl std::str::FromStr for Selection {
    type Err = crate::Error;

    fn from_str(text: &str) -> crate::Result<Self> {
        let wrong = || {
            crate::Error::argument(
                format!("'{text}'"),
                "is no list of numbers; write it like 0-30 or 0,6,12-24",
            )
        };
        let number = |digits: &str| digits.trim().parse::<u32>().map_err(|_| wrong());
        let mut ranges = Vec::new();
        for part in text.split(',') {
            ranges.push(match part.split_once('-') {
                Some((first, last)) => {
                    let (first, last) = (number(first)?, number(last)?);
                    if first > last {
                        return Err(crate::Error::argument(
                            format!("'{part}'"),
                            format!("runs backwards; write {last}-{first}"),
                        ));
                    }
                    (first, last, false)
                }
                None => {
                    let single = number(part)?;
                    (single, single, true)
                }
            });
        }
        Ok(Self(ranges))
    }
}

/// `0, 3, 6 … 240 (81 of them)`: enough to see what the numbers are.
fn summary(numbers: &[u32]) -> String {
    let text = |numbers: &[u32]| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    match numbers {
        [first, second, third, .., last] if numbers.len() > 6 => {
            format!("{first}, {second}, {third} … {last} ({} of them)", numbers.len())
        }
        _ => text(numbers),
    }
}

/// One initialisation of one product: what [`Parser::run`](crate::Parser::run) makes of a
/// request. Every field is explicit and sorted; nothing stands for "all".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The model's id.
    pub model: &'static str,
    /// The product's id.
    pub product: &'static str,
    /// The initialisation time.
    pub reference_time: ReferenceTime,
    /// Member numbers, ascending, the control 0; `None` for a model without members.
    pub members: Option<Vec<u32>>,
    /// Steps in `step_unit`, ascending.
    pub steps: Vec<u32>,
    /// The unit of `steps`.
    pub step_unit: StepUnit,
    /// Array names, in the order of the model's variable table.
    pub variables: Vec<String>,
    /// The root below which the bucket's layout is found; ends with `/`.
    pub root: url::Url,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(text: &str) -> crate::Result<Vec<u32>> {
        text.parse::<Selection>()?.pick("step", &(0..=240).step_by(3).collect::<Vec<_>>())
    }

    #[test]
    fn ranges_and_single_numbers() {
        assert_eq!(pick("0-9").unwrap(), [0, 3, 6, 9]);
        assert_eq!(pick("24,0-4,240").unwrap(), [0, 3, 24, 240]);
    }

    #[test]
    fn wrong_selections_say_what_is_right() {
        for (text, hint) in [
            ("1", "0, 3, 6 … 240 (81 of them)"),
            ("0-241", "0, 3, 6 … 240"),
            ("1-2", "nothing of this product is picked"),
            ("6-3", "write 3-6"),
            ("a", "0,6,12-24"),
            ("", "0,6,12-24"),
            ("1-2-3", "0,6,12-24"),
            ("99999999999", "0,6,12-24"),
        ] {
            let error = pick(text).unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
