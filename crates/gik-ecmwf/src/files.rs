//! Where the files of a run lie.

use gik_core::{Error, Expected, ReferenceTime, Result, Run, RunRequest, SourceFile, join_url};
use url::Url;

use crate::config::{FileKind, Holds, ProductConfig};
use crate::eras::Era;

/// `20250930/00z/ifs/0p25/enfo/`, below the root.
fn folder(time: ReferenceTime, era: &Era, kind: &FileKind) -> String {
    format!("{}/{:02}z/{}/{}/", time.yyyymmdd(), time.hour(), era.folder, kind.stream(time))
}

/// `20250930000000-6h-enfo-ef`; steps have no leading zeros.
fn stem(time: ReferenceTime, kind: &FileKind, step: u32) -> String {
    format!(
        "{}{:02}0000-{step}h-{}-{}",
        time.yyyymmdd(),
        time.hour(),
        kind.stream(time),
        kind.suffix
    )
}

pub(crate) fn sources(run: &Run) -> Result<Vec<SourceFile>> {
    let product = ProductConfig::of_run(run)?;
    let time = run.reference_time;
    let (table, era) = ((product.table)(time)?, product.era(time)?);
    let mut sources = Vec::new();
    for (part, kind) in product.files(time) {
        let members = match &run.members {
            Some(members) => members.iter().filter(|&&member| kind.holds.has(member)).count(),
            None => 1,
        };
        let only = run.members.as_ref().filter(|_| kind.holds == Holds::Control);
        let member = only.and_then(|members| members.iter().position(|&member| member == 0));
        let folder = join_url(&run.root, &folder(time, era, kind))?;
        for (step, &hours) in (0..).zip(&run.steps) {
            let expected = table.expected(run, hours).len() * members;
            // Where nothing is expected there may still be what was asked for (`some`).
            if members == 0 {
                continue;
            }
            let stem = stem(time, kind, hours);
            sources.push(SourceFile {
                data: join_url(&folder, &format!("{stem}.grib2"))?,
                index: join_url(&folder, &format!("{stem}.index"))?,
                folder: folder.clone(),
                member: member.and_then(|member| u32::try_from(member).ok()),
                step,
                part,
                expected: u32::try_from(expected).unwrap_or(u32::MAX),
            });
        }
    }
    Ok(sources)
}

pub(crate) fn expected(run: &Run) -> Result<Vec<Expected>> {
    let table = (ProductConfig::of_run(run)?.table)(run.reference_time)?;
    Ok(table.table.expected(run, |row, step| row.is_expected(run.reference_time, step)))
}

pub(crate) fn request_of_url(url: &Url) -> Result<RunRequest> {
    let wrong = || {
        Error::argument(
            url.as_str(),
            "is no url of ECMWF's open data; they look like s3://ecmwf-forecasts/20250930/00z/\
             ifs/0p25/enfo/20250930000000-6h-enfo-ef.grib2",
        )
    };
    let (root, time, rest) = split(url.as_str()).ok_or_else(wrong)?;
    let mut request = RunRequest::new(time);
    request.source = Some(Url::parse(root).map_err(|_| wrong())?);
    let rest = rest.trim_end_matches('/');
    if rest.is_empty() {
        return Ok(request);
    }
    let (product, kind, file) = find_kind(time, rest).ok_or_else(wrong)?;
    request.product = Some(product.id.to_owned());
    if file.is_empty() {
        return Ok(request);
    }
    let stem = file.strip_suffix(".grib2").or_else(|| file.strip_suffix(".index"));
    let step = stem
        .and_then(|stem| stem.split_once('-'))
        .and_then(|(_, rest)| rest.split_once("h-"))
        .ok_or_else(wrong)?
        .0;
    request.steps = Some(step.parse().map_err(|_| wrong())?);
    request.members = match kind.holds {
        Holds::Control => Some("0".parse()?),
        Holds::Perturbed => Some("1-50".parse()?),
        Holds::Single | Holds::All => None,
    };
    Ok(request)
}

/// The root, the run, and what follows `YYYYMMDD/HHz/`.
fn split(url: &str) -> Option<(&str, ReferenceTime, &str)> {
    let digits = |text: &str, count: usize| {
        text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut start = 0;
    for part in url.split_inclusive('/') {
        let after = url.get(start + part.len()..)?;
        let date = part.trim_end_matches('/');
        let (cycle, rest) = after.split_once('/').unwrap_or((after, ""));
        if let Some(hour) = cycle.strip_suffix('z')
            && digits(date, 8)
            && digits(hour, 2)
        {
            return Some((url.get(..start)?, format!("{date}{hour}").parse().ok()?, rest));
        }
        start += part.len();
    }
    None
}

/// The product and the kind of file that a path below `HHz/` is about, and the file's name. A
/// folder that several products draw on stands for the one that it is named after.
fn find_kind(
    time: ReferenceTime,
    path: &str,
) -> Option<(&'static ProductConfig, &'static FileKind, &str)> {
    let candidates = ProductConfig::all().flat_map(|product| {
        let era = product.era(time).ok();
        product.files(time).filter_map(move |(_, kind)| Some((product, kind, era?)))
    });
    let mut found = None;
    for (product, kind, era) in candidates {
        let below = path
            .strip_prefix(era.folder)
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|rest| rest.strip_prefix(kind.stream(time)));
        let file = match below {
            Some("") => "",
            Some(rest) => match rest.strip_prefix('/') {
                Some(file) => file,
                None => continue,
            },
            None => continue,
        };
        let ending = format!("-{}-{}.", kind.stream(time), kind.suffix);
        if !file.is_empty() && !file.contains(&ending) {
            continue;
        }
        // The high-resolution forecast's own product, not the ensemble whose control it is.
        if found.is_none() || kind.holds == Holds::Single {
            found = Some((product, kind, file));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::run;

    fn urls(product: &str, time: &str, steps: &str) -> Vec<String> {
        let mut request = RunRequest::new(time.parse().unwrap());
        request.product = Some(product.into());
        request.steps = Some(steps.parse().unwrap());
        let sources = sources(&run(&request).unwrap()).unwrap();
        for source in &sources {
            assert_eq!(
                source.index.as_str().strip_suffix(".index"),
                source.data.as_str().strip_suffix(".grib2")
            );
        }
        let root = "s3://ecmwf-forecasts/";
        sources.iter().map(|it| it.data.as_str().strip_prefix(root).unwrap().to_owned()).collect()
    }

    #[test]
    fn urls_of_all_products_and_eras() {
        let of = |product, time, path: &str| assert_eq!(urls(product, time, "6"), [path], "{time}");
        of("enfo", "2023-01-01T00", "20230101/00z/0p4-beta/enfo/20230101000000-6h-enfo-ef.grib2");
        of("enfo", "2024-02-28T00", "20240228/00z/0p25/enfo/20240228000000-6h-enfo-ef.grib2");
        of("enfo", "2024-02-28T06", "20240228/06z/ifs/0p25/enfo/20240228060000-6h-enfo-ef.grib2");
        of("oper", "2025-09-30T12", "20250930/12z/ifs/0p25/oper/20250930120000-6h-oper-fc.grib2");
        of("oper", "2025-09-30T18", "20250930/18z/ifs/0p25/scda/20250930180000-6h-scda-fc.grib2");
        of("oper", "2026-05-12T06", "20260512/06z/ifs/0p25/oper/20260512060000-6h-oper-fc.grib2");
        of("wave", "2025-09-30T06", "20250930/06z/ifs/0p25/scwv/20250930060000-6h-scwv-fc.grib2");
        of("wave", "2025-09-30T00", "20250930/00z/ifs/0p25/wave/20250930000000-6h-wave-fc.grib2");
        of("waef", "2025-09-30T06", "20250930/06z/ifs/0p25/waef/20250930060000-6h-waef-ef.grib2");
        let aifs = "20240501/00z/aifs/0p25/oper/20240501000000-6h-oper-fc.grib2";
        of("aifs-single", "2024-05-01T00", aifs);
        let trial =
            "20250225/06z/aifs-single/0p25/experimental/oper/20250225060000-6h-oper-fc.grib2";
        of("aifs-single", "2025-02-25T06", trial);
        let now = "20250301/00z/aifs-single/0p25/oper/20250301000000-6h-oper-fc.grib2";
        of("aifs-single", "2025-03-01T00", now);
        let folder = "20250930/00z/aifs-ens/0p25/enfo/20250930000000";
        let ensemble = ["cf", "pf"].map(|suffix| format!("{folder}-6h-enfo-{suffix}.grib2"));
        assert_eq!(urls("aifs-ens", "2025-09-30T00", "6"), ensemble);
    }

    #[test]
    fn the_control_has_a_file_of_its_own_since_50r1() {
        let before = urls("enfo", "2026-05-12T00", "0-360");
        assert_eq!(before.len(), 85);
        let after = urls("enfo", "2026-05-12T12", "0-360");
        assert_eq!(after.len(), 2 * 85);
        assert!(after[0].ends_with("enfo/20260512120000-0h-enfo-ef.grib2"));
        assert!(after[169].ends_with("oper/20260512120000-360h-oper-fc.grib2"));
        // Who wants the control alone asks for its files alone.
        let mut request = RunRequest::new("2026-05-12T12".parse().unwrap());
        request.members = Some("0".parse().unwrap());
        let sources = sources(&run(&request).unwrap()).unwrap();
        assert_eq!((sources.len(), sources[0].member, sources[0].part), (85, Some(0), 2));
    }

    #[test]
    fn a_url_stands_for_a_run_or_a_file() {
        let root = "file:///mirror/20/forecasts/";
        let request = |rest: &str| request_of_url(&Url::parse(&format!("{root}{rest}")).unwrap());
        let whole = request("20250930/00z/").unwrap();
        assert_eq!(whole.source.unwrap().as_str(), root);
        assert_eq!((whole.product, whole.members), (None, None));
        for (file, product, members, step) in [
            ("20250930/00z/ifs/0p25/enfo/20250930000000-135h-enfo-ef.index", "enfo", Some(51), 135),
            ("20250930/18z/ifs/0p25/scda/20250930180000-9h-scda-fc.grib2", "oper", None, 9),
            ("20260601/00z/ifs/0p25/oper/20260601000000-360h-oper-fc.grib2", "oper", None, 360),
            ("20260601/00z/ifs/0p25/enfo/20260601000000-0h-enfo-ef.grib2", "enfo", Some(50), 0),
            ("20260601/00z/ifs/0p25/wave/20260601000000-0h-wave-fc.grib2", "wave", None, 0),
            (
                "20250930/00z/aifs-ens/0p25/enfo/20250930000000-6h-enfo-cf.grib2",
                "aifs-ens",
                Some(1),
                6,
            ),
            (
                "20250930/00z/aifs-ens/0p25/enfo/20250930000000-6h-enfo-pf.grib2",
                "aifs-ens",
                Some(50),
                6,
            ),
            (
                "20250225/06z/aifs-single/0p25/experimental/oper/20250225060000-6h-oper-fc.grib2",
                "aifs-single",
                None,
                6,
            ),
        ] {
            let one = run(&request(file).unwrap()).unwrap();
            assert_eq!((one.product, &one.steps[..]), (product, &[step][..]), "{file}");
            assert_eq!(one.members.map(|members| members.len()), members, "{file}");
        }
        for folder in ["20250930/00z/ifs/0p25/waef", "20250930/00z/ifs/0p25/waef/"] {
            assert_eq!(request(folder).unwrap().product.unwrap(), "waef");
        }
        for wrong in [
            "",
            "20250930/00z/ifs/0p25/mmsf/x",
            "20250930/00z/ifs/0p25/enfo/20250930000000-240h-enfo-ep.grib2",
            "20250930/00z/ifs/0p25/enfo/enfo-ef.grib2",
            "20251330/00z/",
            "2025/00z/",
        ] {
            assert!(
                request(wrong).unwrap_err().to_string().contains("s3://ecmwf-forecasts/"),
                "{wrong}"
            );
        }
    }
}
