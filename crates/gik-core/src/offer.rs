//! What models share in answering requests.

use std::sync::OnceLock;

use url::Url;

use crate::{
    Error, ParserInfo, Product, ReferenceTime, Result, Run, RunRequest, StepUnit, VariableTable,
};

/// What a product has at one reference time: what a request picks from.
#[derive(Debug)]
pub struct Offer<'a> {
    /// The product.
    pub product: &'static Product,
    /// The hours at which runs start, UTC.
    pub cycles: &'a [u32],
    /// The first run.
    pub first: ReferenceTime,
    /// All members, ascending, the control 0; `None` for a model without members.
    pub members: Option<Vec<u32>>,
    /// All steps in `step_unit`, ascending.
    pub steps: Vec<u32>,
    /// The unit of `steps`.
    pub step_unit: StepUnit,
    /// The arrays there are.
    pub table: &'a VariableTable,
}

impl ParserInfo {
    /// The product with this id, or the default one.
    ///
    /// # Errors
    /// When there is none; the text names those there are.
    pub fn product(&self, id: Option<&str>) -> Result<&'static Product> {
        let found = match id {
            Some(id) => self.products.iter().find(|product| product.id == id),
            None => self.products.first(),
        };
        found.ok_or_else(|| {
            let ids: Vec<_> = self.products.iter().map(|product| product.id).collect();
            Error::argument(
                format!("product '{}'", id.unwrap_or_default()),
                format!("is none of {}; there are {}", self.id, ids.join(", ")),
            )
        })
    }

    /// The product of a run.
    ///
    /// # Errors
    /// When the run is another model's.
    pub fn product_of(&self, run: &Run) -> Result<&'static Product> {
        if run.model != self.id {
            return Err(Error::mismatch("model of the run", self.id, run.model));
        }
        self.product(Some(run.product))
    }

    /// The run that a request picks from what there is.
    ///
    /// # Errors
    /// When it asks for what there is not; the text says what there is.
    pub fn run(&self, request: &RunRequest, offer: &Offer<'_>) -> Result<Run> {
        let time = request.reference_time;
        if time.seconds() % 3600 != 0 || !offer.cycles.contains(&time.hour()) {
            return Err(Error::argument(
                format!("run {time}"),
                format!(
                    "is no cycle of {} {}; they start at {} UTC",
                    self.id,
                    offer.product.id,
                    hours(offer.cycles)
                ),
            ));
        }
        if time < offer.first {
            return Err(Error::argument(
                format!("run {time}"),
                format!(
                    "is older than {} {}, which starts with {}",
                    self.id, offer.product.id, offer.first
                ),
            ));
        }
        let members = match (&request.members, &offer.members) {
            (Some(_), None) => {
                return Err(Error::argument(
                    "members",
                    format!("are none of {}: it is one forecast; leave them out", offer.product.id),
                ));
            }
            (Some(selection), Some(all)) => Some(selection.pick("member", all)?),
            (None, all) => all.clone(),
        };
        let steps = match &request.steps {
            Some(selection) => selection.pick("step", &offer.steps)?,
            None => offer.steps.clone(),
        };
        Ok(Run {
            model: self.id,
            product: offer.product.id,
            reference_time: time,
            members,
            steps,
            step_unit: offer.step_unit,
            variables: offer.table.names(request.variables.as_deref())?,
            root: match &request.source {
                Some(root) => root.clone(),
                None => self.public_root()?,
            },
        })
    }

    /// The root of the default host.
    fn public_root(&self) -> Result<Url> {
        let root = self.hosts.first().map_or("", |host| host.root);
        Url::parse(root).map_err(|error| Error::argument(root, "is no url").with_source(error))
    }
}

/// `00, 06, 12 and 18`
fn hours(cycles: &[u32]) -> String {
    let text: Vec<String> = cycles.iter().map(|hour| format!("{hour:02}")).collect();
    match text.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => text.concat(),
    }
}

/// Step 0 and those of each stretch: its last step and its spacing, as in `(240, 3), (384, 6)`.
pub fn steps_of<'s>(stretches: impl IntoIterator<Item = &'s (u32, u32)>) -> Vec<u32> {
    let mut steps = vec![0];
    for &(last, spacing) in stretches {
        let from = steps.last().copied().unwrap_or_default() + spacing;
        steps.extend((from..=last).step_by(spacing as usize));
    }
    steps
}

/// A url below another that ends with `/`.
///
/// # Errors
/// When `base` cannot have anything below it.
pub fn join_url(base: &Url, relative: &str) -> Result<Url> {
    base.join(relative)
        .map_err(|error| Error::argument(base.as_str(), "is no root").with_source(error))
}

/// A table that is compiled in, parsed at its first use.
///
/// # Errors
/// That of `parse`. Tables are tested: the error is for whoever edits one.
pub fn parsed_once<T>(
    cell: &'static OnceLock<Result<T>>,
    parse: impl FnOnce() -> Result<T>,
) -> Result<&'static T> {
    cell.get_or_init(parse)
        .as_ref()
        .map_err(|error| Error::malformed("variable table", "a valid table", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_their_stretches() {
        assert_eq!(steps_of(&[(9, 3), (21, 6)]), [0, 3, 6, 9, 15, 21]);
        assert_eq!(steps_of(&[]), [0]);
    }

    #[test]
    fn cycles_read_as_a_list() {
        assert_eq!(hours(&[0, 6, 12]), "00, 06 and 12");
        assert_eq!((hours(&[6]), hours(&[])), ("06".to_owned(), String::new()));
    }
}
