//! What the urls of references say: the run, the file and the labels that it holds.

use std::collections::HashMap;
use std::sync::Arc;

use gik_core::{Parser, Result, Run, RunRequest};
use url::Url;

use super::{Importer, RunReferences};
use crate::catalogue::Catalogue;
use crate::findings::Finding;

/// What a url says.
#[derive(Debug, Clone)]
pub(super) struct UrlFacts {
    pub(super) run: usize,
    pub(super) source: u32,
    pub(super) member: Option<u32>,
    pub(super) steps: Vec<u32>,
    pub(super) finding: Option<Finding>,
}

impl Importer<'_> {
    /// What a url says, if it is of a model: of which run, file, member and steps.
    pub(super) fn facts_of(&mut self, text: &str) -> Result<Option<UrlFacts>> {
        let Ok(url) = Url::parse(text) else { return Ok(None) };
        let with_suffix = Url::parse(&format!("{text}.grib2"));
        let candidates = [Some(url), with_suffix.ok()];
        for (url, is_as_written) in candidates.iter().flatten().zip([true, false]) {
            for parser in self.parsers.clone() {
                let Ok(mut request) = parser.request_of_url(url) else { continue };
                if request.steps.is_none() || request.product.is_none() {
                    continue;
                }
                if self.request.product.is_some() && self.request.product != request.product {
                    continue;
                }
                let root = request.source.take();
                let Some(mut facts) = self.file_facts(&parser, url, &root, &request)? else {
                    continue;
                };
                if !is_as_written {
                    facts.finding = facts.finding.or(Some(Finding::SuffixAdded));
                }
                return Ok(Some(facts));
            }
        }
        Ok(None)
    }

    fn file_facts(
        &mut self,
        parser: &Arc<dyn Parser>,
        url: &Url,
        root: &Option<Url>,
        request: &RunRequest,
    ) -> Result<Option<UrlFacts>> {
        let Some(root) = root else { return Ok(None) };
        let Some(run) = self.run_of(parser, root, request)? else { return Ok(None) };
        let Some(references) = self.runs.get_mut(run) else { return Ok(None) };
        let whole = &references.catalogue.run;
        let Some(Ok(steps)) = request.steps.as_ref().map(|it| it.pick("step", &whole.steps)) else {
            return Ok(None);
        };
        let members = match (&request.members, &whole.members) {
            (Some(selection), Some(all)) => match selection.pick("member", all) {
                Ok(picked) => Some(picked),
                Err(_) => return Ok(None),
            },
            (_, all) => all.clone(),
        };
        let member = match members.as_deref() {
            Some(&[only]) => Some(only),
            _ => None,
        };
        let part = Run { members, steps: steps.clone(), ..whole.clone() };
        let files = parser.sources(&part)?;
        // The same path, wherever the bucket's layout lies.
        let path = url.as_str().strip_prefix(root.as_str()).unwrap_or_default();
        let below = |file: &Url| file.as_str().strip_prefix(whole.root.as_str()) == Some(path);
        let (file, finding) = match files.iter().find(|file| below(&file.data)) {
            Some(file) => (file, None),
            None => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let folder = gik_core::join_url(&whole.root, &format!("{folder}/"))?;
                let mut beside = files.iter().filter(|file| file.folder == folder);
                match (beside.next(), beside.next()) {
                    (Some(only), None) => (only, Some(Finding::UrlCorrected)),
                    _ => return Ok(None),
                }
            }
        };
        let is_moved = self.request.source.is_none() && !can_be_referred_to(root);
        let finding = finding.or(is_moved.then_some(Finding::PlaceReplaced));
        let source = references.source(file.data.as_str())?;
        Ok(Some(UrlFacts { run, source, member, steps, finding }))
    }

    /// The run of a request, which is made known if it is not.
    fn run_of(
        &mut self,
        parser: &Arc<dyn Parser>,
        root: &Url,
        request: &RunRequest,
    ) -> Result<Option<usize>> {
        let public = parser.info().hosts.first().and_then(|host| Url::parse(host.root).ok());
        let root = match (&self.request.source, public) {
            (Some(source), _) => source.clone(),
            (None, Some(public)) if !can_be_referred_to(root) => public,
            _ => root.clone(),
        };
        let product = parser.info().product(request.product.as_deref())?.id;
        let key = (parser.info().id, product, request.reference_time, root.clone());
        if let Some(&known) = self.run_ids.get(&key) {
            return Ok(Some(known));
        }
        let mut whole = RunRequest::new(request.reference_time);
        whole.product = Some(product.to_owned());
        whole.source = Some(root);
        let Ok(run) = parser.run(&whole) else { return Ok(None) };
        let references = RunReferences {
            parser: Arc::clone(parser),
            catalogue: Catalogue::new(parser.as_ref(), &run)?,
            sources: Vec::new(),
            source_ids: HashMap::new(),
            placed: Vec::new(),
            inline: Vec::new(),
        };
        self.runs.push(references);
        self.run_ids.insert(key, self.runs.len() - 1);
        Ok(Some(self.runs.len() - 1))
    }
}

/// Whether a store can refer to what lies below a url.
fn can_be_referred_to(root: &Url) -> bool {
    matches!(root.scheme(), "s3" | "https" | "http" | "file")
}
