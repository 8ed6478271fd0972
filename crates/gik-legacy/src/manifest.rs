//! The manifests of the runs that were imported.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use gik_core::{
    Chunk, ChunkEntry, Error, ManifestStore, Result, Run, RunRequest, SchemaOptions, SourceObject,
    SourceTable,
};

use crate::findings::Finding;
use crate::import::{Importer, Labels, Placed, RunReferences};

/// A run that was imported.
#[derive(Debug)]
pub struct ImportedRun {
    /// The run: members, steps and variables are those of all runs that were imported.
    pub run: Run,
    /// Its manifest.
    pub manifest: ManifestStore,
}

/// What to make of the references that were gathered.
#[derive(Debug)]
pub struct Plan {
    labels: Labels,
    order: Vec<usize>,
}

impl Plan {
    /// The number of runs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

impl Importer<'_> {
    /// Which runs there are, in the order of time, and what their axes are: the members, steps
    /// and variables of all of them, or those that were asked for, so that all fit one store.
    ///
    /// # Errors
    /// When nothing was found, or runs of several models, products or places, which do not fit
    /// one store.
    pub fn plan(&mut self) -> Result<Plan> {
        self.place_inline();
        let mut labels = Labels::default();
        let mut order: Vec<usize> = Vec::new();
        let mut kinds = BTreeSet::new();
        for (position, run) in self.runs.iter().enumerate() {
            if run.placed.is_empty() {
                continue;
            }
            labels.add(run);
            order.push(position);
            let whole = &run.catalogue.run;
            kinds.insert((whole.model, whole.product, whole.root.as_str()));
        }
        if kinds.len() > 1 {
            let kinds: Vec<String> = kinds
                .iter()
                .map(|(model, product, root)| format!("{model} {product} of {root}"))
                .collect();
            let reason = "do not fit one store; choose one with --model and --product, or bring \
                          them to one place with --source";
            return Err(Error::argument(kinds.join(", "), reason));
        }
        let time =
            |&position: &usize| self.runs.get(position).map(|run| run.catalogue.run.reference_time);
        order.sort_by_key(time);
        Ok(Plan { labels, order })
    }

    /// The run at a position of the plan, whose references are then gone from here.
    ///
    /// # Errors
    /// When what was asked for is not in the run's product, or the arrays are too large to hold.
    pub fn run(&mut self, plan: &Plan, position: usize) -> Result<Option<ImportedRun>> {
        let Some(references) =
            plan.order.get(position).and_then(|&position| self.runs.get_mut(position))
        else {
            return Ok(None);
        };
        let mut placed = std::mem::take(&mut references.placed);
        // The first reference to a place counts; those that had to be corrected come last.
        placed.sort_by_key(|reference| reference.corrections);
        let request = request(&self.request, references, &plan.labels)?;
        let run = references.parser.run(&request)?;
        let group = references.parser.schema(&run, &SchemaOptions::default())?;
        let mut manifest = ManifestStore { group, sources: SourceTable::default() };
        let axes = Axes::new(&run, references, &manifest);
        let mut conflicts = Vec::new();
        for reference in &placed {
            let Some((array, index)) = axes.place(reference) else { continue };
            let Some((_, array)) = manifest.group.data.get_mut(array) else { continue };
            let Some(length) = NonZeroU32::new(reference.length) else {
                let bytes = references.inline.get(reference.source as usize);
                if let Some(bytes) = bytes
                    && array.chunks.get(index) == Chunk::Missing
                {
                    array.chunks.set_inline(index, bytes.clone())?;
                }
                continue;
            };
            let Some(url) = references.sources.get(reference.source as usize) else { continue };
            let source = manifest.sources.intern(SourceObject {
                url: url.to_string(),
                last_modified: None,
                etag: None,
            })?;
            let entry = ChunkEntry { source, offset: reference.offset, length };
            let is_new = array.chunks.set_virtual(index, entry)?;
            // A message that stands in the file itself is the same one.
            if !is_new && matches!(array.chunks.get(index), Chunk::Virtual(first) if first != entry)
            {
                conflicts.push((reference.slot.variable, reference.step, reference.member));
            }
        }
        let names = references.catalogue.run.variables.clone();
        for (variable, step, member) in conflicts {
            let name = names.get(variable as usize).map_or("", String::as_str);
            self.findings_mut().add(Finding::Conflict, || {
                format!("{} {name}, step {step}, member {member}", run.reference_time)
            });
        }
        Ok(Some(ImportedRun { run, manifest }))
    }
}

/// The request for a run with these labels, as far as its product has them.
fn request(
    wanted: &crate::ImportRequest,
    references: &RunReferences,
    labels: &Labels,
) -> Result<RunRequest> {
    let whole = &references.catalogue.run;
    let list = |found: &BTreeSet<u32>, there: &[u32]| {
        let both: Vec<String> =
            there.iter().filter(|it| found.contains(it)).map(ToString::to_string).collect();
        both.join(",").parse()
    };
    let mut request = RunRequest::new(whole.reference_time);
    request.product = Some(whole.product.to_owned());
    request.source = Some(whole.root.clone());
    request.members = match (&wanted.members, &whole.members) {
        (Some(wanted), _) => Some(wanted.clone()),
        (None, Some(all)) => Some(list(&labels.members, all)?),
        (None, None) => None,
    };
    request.steps = Some(match &wanted.steps {
        Some(wanted) => wanted.clone(),
        None => list(&labels.steps, &whole.steps)?,
    });
    request.variables = Some(match &wanted.variables {
        Some(wanted) => wanted.clone(),
        None => {
            let names = whole.variables.iter();
            names.filter(|name| labels.variables.contains(*name)).cloned().collect()
        }
    });
    Ok(request)
}

/// Where labels lie along the axes of a run.
struct Axes {
    members: Vec<u32>,
    steps: Vec<u32>,
    /// By variable of the catalogue: the position of its array, and its levels.
    arrays: Vec<Option<(usize, u64)>>,
}

impl Axes {
    fn new(run: &Run, references: &RunReferences, manifest: &ManifestStore) -> Self {
        let members = run.members.clone().unwrap_or_else(|| vec![0]);
        let fields = (members.len() * run.steps.len()).max(1) as u64;
        let data = &manifest.group.data;
        let position = |name: &String| data.iter().position(|(other, _)| other == name);
        let array = |name| {
            let at = position(name)?;
            Some((at, data.get(at)?.1.chunks.len() / fields))
        };
        let arrays = references.catalogue.run.variables.iter().map(array).collect();
        Self { members, steps: run.steps.clone(), arrays }
    }

    /// The array of a reference and its position there; none where nobody asked for it.
    fn place(&self, reference: &Placed) -> Option<(usize, u64)> {
        let &(array, levels) = self.arrays.get(reference.slot.variable as usize)?.as_ref()?;
        let member = self.members.binary_search(&reference.member).ok()?;
        let step = self.steps.binary_search(&reference.step).ok()?;
        let field = (member * self.steps.len() + step) as u64;
        Some((array, field * levels + u64::from(reference.slot.level)))
    }
}
