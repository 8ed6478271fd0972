//! Where the files of a run lie.

use gik_core::{Error, Expected, ReferenceTime, Result, Run, RunRequest, SourceFile, join_url};
use url::Url;

use crate::config::{FileKind, ProductConfig};

/// `gefs.20250106/00/atmos/pgrb2sp25/`, below the root.
fn folder(time: ReferenceTime, kind: &FileKind) -> String {
    format!("gefs.{}/{:02}/atmos/{}/", time.yyyymmdd(), time.hour(), kind.folder)
}

/// `gep01.t00z.pgrb2s.0p25.f003`; the control is `gec00`.
fn file_name(time: ReferenceTime, kind: &FileKind, member: u32, step: u32) -> String {
    format!("ge{}.t{:02}z.{}.f{step:03}", member_name(member), time.hour(), kind.stem)
}

pub(crate) fn member_name(member: u32) -> String {
    if member == 0 { "c00".to_owned() } else { format!("p{member:02}") }
}

pub(crate) fn sources(run: &Run) -> Result<Vec<SourceFile>> {
    let product = ProductConfig::of_run(run)?;
    let table = (product.table)()?;
    let members = run.members.as_deref().unwrap_or_default();
    let mut sources = Vec::with_capacity(members.len() * run.steps.len() * product.files.len());
    for (part, kind) in (0..).zip(product.files) {
        let folder = join_url(&run.root, &folder(run.reference_time, kind))?;
        let rows: Vec<_> = table
            .rows()
            .iter()
            .filter(|row| row.file == kind.key && run.variables.iter().any(|it| it == row.name))
            .collect();
        // What a file should have depends on its step alone.
        let expected: Vec<u32> = run
            .steps
            .iter()
            .map(|&step| {
                let rows = rows.iter().filter(|row| row.is_expected(run.reference_time, step));
                u32::try_from(rows.count()).unwrap_or(u32::MAX)
            })
            .collect();
        for (member, &number) in (0..).zip(members) {
            for (step, (&hours, &expected)) in (0..).zip(run.steps.iter().zip(&expected)) {
                if expected == 0 {
                    continue;
                }
                let name = file_name(run.reference_time, kind, number, hours);
                sources.push(SourceFile {
                    data: join_url(&folder, &name)?,
                    index: join_url(&folder, &format!("{name}.idx"))?,
                    folder: folder.clone(),
                    member: Some(member),
                    step,
                    part,
                    expected,
                });
            }
        }
    }
    Ok(sources)
}

pub(crate) fn expected(run: &Run) -> Result<Vec<Expected>> {
    let table = (ProductConfig::of_run(run)?.table)()?;
    Ok(table.expected(run, |row, step| row.is_expected(run.reference_time, step)))
}

pub(crate) fn request_of_url(url: &Url) -> Result<RunRequest> {
    let wrong = || {
        Error::argument(
            url.as_str(),
            "is no url of GEFS; they look like \
             s3://noaa-gefs-pds/gefs.20250106/00/atmos/pgrb2sp25/gep01.t00z.pgrb2s.0p25.f003",
        )
    };
    let text = url.as_str();
    let start = text.rfind("/gefs.").ok_or_else(wrong)? + 1;
    let (root, rest) = text.split_at_checked(start).ok_or_else(wrong)?;
    let mut parts = rest.trim_end_matches('/').split('/');
    let date = parts.next().and_then(|part| part.strip_prefix("gefs.")).ok_or_else(wrong)?;
    let hour = parts.next().ok_or_else(wrong)?;
    let reference_time = format!("{date}{hour}").parse().map_err(|_| wrong())?;
    let mut request = RunRequest::new(reference_time);
    request.source = Some(Url::parse(root).map_err(|_| wrong())?);
    match (parts.next(), parts.next()) {
        (None, _) | (Some("atmos"), None) => {}
        (Some("atmos"), Some(folder)) => {
            let product = ProductConfig::of_folder(folder).ok_or_else(wrong)?;
            request.product = Some(product.id.to_owned());
            if let Some(file) = parts.next() {
                let (member, step) = parse_file_name(file).ok_or_else(wrong)?;
                request.members = Some(member.parse().map_err(|_| wrong())?);
                request.steps = Some(step.parse().map_err(|_| wrong())?);
            }
        }
        _ => return Err(wrong()),
    }
    Ok(request)
}

/// Member and step of `gep01.t00z.pgrb2s.0p25.f003`, with or without `.idx`.
fn parse_file_name(name: &str) -> Option<(&str, &str)> {
    let name = name.strip_suffix(".idx").unwrap_or(name);
    let member = name.strip_prefix("ge")?.split('.').next()?.strip_prefix(['c', 'p'])?;
    let step = name.rsplit('.').next()?.strip_prefix('f')?;
    Some((member, step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::run;

    #[test]
    fn urls_of_the_bucket() {
        let mut request = RunRequest::new("2025-01-06T06".parse().unwrap());
        request.product = Some("pgrb2abp5".into());
        request.members = Some("0,30".parse().unwrap());
        request.steps = Some("0,384".parse().unwrap());
        let run = run(&request).unwrap();
        let sources = sources(&run).unwrap();
        let urls: Vec<_> = sources.iter().map(|source| source.data.as_str()).collect();
        let base = "s3://noaa-gefs-pds/gefs.20250106/06/atmos/";
        assert_eq!(urls[0], format!("{base}pgrb2ap5/gec00.t06z.pgrb2a.0p50.f000"));
        assert_eq!(urls[3], format!("{base}pgrb2ap5/gep30.t06z.pgrb2a.0p50.f384"));
        assert_eq!(urls[7], format!("{base}pgrb2bp5/gep30.t06z.pgrb2b.0p50.f384"));
        assert_eq!(urls.len(), 8);
        assert_eq!(sources[7].index.as_str(), format!("{}.idx", urls[7]));
        assert_eq!((sources[7].member, sources[7].step, sources[7].part), (Some(1), 1, 1));
    }

    #[test]
    fn a_url_stands_for_a_run_or_a_file() {
        let root = "file:///mirror/gefs.d/";
        let request = |rest: &str| request_of_url(&Url::parse(&format!("{root}{rest}")).unwrap());
        let whole = request("gefs.20250106/00/").unwrap();
        assert_eq!(whole.source.unwrap().as_str(), root);
        assert_eq!((whole.product, whole.members), (None, None));
        let file = "gefs.20250106/18/atmos/pgrb2ap5/gep07.t18z.pgrb2a.0p50.f384.idx";
        let one = run(&request(file).unwrap()).unwrap();
        assert_eq!((one.product, one.members, one.steps), ("pgrb2ap5", Some(vec![7]), vec![384]));
        for wrong in ["x", "gefs.2025/00/", "gefs.20250106/00/chem/", "gefs.20250106/00/atmos/x/"] {
            assert!(request(wrong).unwrap_err().to_string().contains("look like"), "{wrong}");
        }
    }
}
