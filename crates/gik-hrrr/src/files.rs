//! Where the files of a run lie.

use gik_core::{
    Error, Expected, ReferenceTime, Result, Run, RunRequest, SourceFile, VariableRow, join_url,
};
use url::Url;

use crate::config::{ProductConfig, REGIONS, Region, product_id};

/// `hrrr.20250801/conus/`, below the root.
fn folder(time: ReferenceTime, region: &Region) -> String {
    format!("hrrr.{}/{}/", time.yyyymmdd(), region.folder)
}

/// `hrrr.t00z.wrfsfcf08.grib2`
fn file_name(time: ReferenceTime, product: &ProductConfig, hour: u32) -> String {
    let suffix = product.region.suffix;
    format!("hrrr.t{:02}z.wrf{}f{hour:02}{suffix}.grib2", time.hour(), product.key)
}

/// Whether a run's file should have the message of a row at a step.
pub(crate) fn is_expected(
    row: &VariableRow,
    product: &ProductConfig,
    run: ReferenceTime,
    step: u32,
) -> bool {
    let is_sure = !(product.region.is_alaska() && row.fact("alaska") == "some");
    is_sure && row.is_expected(run, step)
}

pub(crate) fn sources(run: &Run) -> Result<Vec<SourceFile>> {
    let product = ProductConfig::of_run(run)?;
    let table = (product.table)()?;
    let folder = join_url(&run.root, &folder(run.reference_time, product.region))?;
    let wanted: Vec<_> =
        table.rows().iter().filter(|row| run.variables.iter().any(|it| it == row.name)).collect();
    let mut sources = Vec::<SourceFile>::with_capacity(run.steps.len());
    let mut hour_before = None;
    for (position, &step) in (0..).zip(&run.steps) {
        let hour = product.hour_of(step);
        let rows = wanted.iter().filter(|row| is_expected(row, &product, run.reference_time, step));
        let expected = u32::try_from(rows.count()).unwrap_or(u32::MAX);
        // Steps ascend, so that those of a file follow each other.
        if hour_before == Some(hour)
            && let Some(file) = sources.last_mut()
        {
            file.step = position;
            file.expected += expected;
            continue;
        }
        hour_before = Some(hour);
        let name = file_name(run.reference_time, &product, hour);
        sources.push(SourceFile {
            data: join_url(&folder, &name)?,
            index: join_url(&folder, &format!("{name}.idx"))?,
            folder: folder.clone(),
            member: None,
            step: position,
            part: 0,
            expected,
        });
    }
    // What may be in any file can only be found by looking.
    let is_optional = wanted.iter().any(|row| row.leads == gik_core::Leads::Some);
    sources.retain(|source| source.expected > 0 || is_optional);
    Ok(sources)
}

pub(crate) fn expected(run: &Run) -> Result<Vec<Expected>> {
    let product = ProductConfig::of_run(run)?;
    let table = (product.table)()?;
    let is_expected =
        |row: &VariableRow, step| is_expected(row, &product, run.reference_time, step);
    Ok(table.expected(run, is_expected))
}

pub(crate) fn request_of_url(url: &Url) -> Result<RunRequest> {
    let wrong = || {
        Error::argument(
            url.as_str(),
            "is no url of HRRR; they look like \
             s3://noaa-hrrr-bdp-pds/hrrr.20250801/conus/hrrr.t00z.wrfsfcf08.grib2",
        )
    };
    let text = url.as_str();
    let start = text.rfind("/hrrr.2").ok_or_else(wrong)? + 1;
    let (root, rest) = text.split_at_checked(start).ok_or_else(wrong)?;
    let mut parts = rest.split('/');
    let date = parts.next().and_then(|part| part.strip_prefix("hrrr.")).ok_or_else(wrong)?;
    let folder = parts.next().ok_or_else(wrong)?;
    let region = REGIONS.iter().find(|region| region.folder == folder).ok_or_else(wrong)?;
    let file = parts.next().and_then(File::parse).ok_or_else(wrong)?;
    let mut request =
        RunRequest::new(format!("{date}{}", file.cycle).parse().map_err(|_| wrong())?);
    request.source = Some(Url::parse(root).map_err(|_| wrong())?);
    request.product = Some(product_id(file.key, region).ok_or_else(wrong)?.to_owned());
    let hour: u32 = file.hour.parse().map_err(|_| wrong())?;
    let steps = match (file.key, hour) {
        ("subh", 1..) => format!("{}-{}", hour * 60 - 45, hour * 60),
        _ => hour.to_string(),
    };
    request.steps = Some(steps.parse().map_err(|_| wrong())?);
    Ok(request)
}

/// The parts of a file name.
struct File<'a> {
    cycle: &'a str,
    key: &'a str,
    hour: &'a str,
}

impl<'a> File<'a> {
    /// `hrrr.t00z.wrfsfcf08.grib2`, with or without `.idx`.
    fn parse(name: &'a str) -> Option<Self> {
        let name = name.strip_suffix(".idx").unwrap_or(name).strip_suffix(".grib2")?;
        let name = name.strip_suffix(".ak").unwrap_or(name);
        let (cycle, rest) = name.strip_prefix("hrrr.t")?.split_once("z.wrf")?;
        let (key, hour) = rest.rsplit_once('f')?;
        Some(Self { cycle, key, hour })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::run;

    #[test]
    fn urls_of_the_bucket() {
        let sources = |product: &str, steps: &str| {
            let mut request = RunRequest::new("2025-08-01T06".parse().unwrap());
            request.product = Some(product.into());
            request.steps = Some(steps.parse().unwrap());
            sources(&run(&request).unwrap()).unwrap()
        };
        let base = "s3://noaa-hrrr-bdp-pds/hrrr.20250801/";
        let surface = sources("wrfsfc", "0-2");
        assert_eq!(surface[2].data.as_str(), format!("{base}conus/hrrr.t06z.wrfsfcf02.grib2"));
        let expected: Vec<u32> = surface.iter().map(|it| it.expected).collect();
        assert_eq!(expected, [170, 173, 173]);
        let alaska = sources("wrfprs-ak", "12");
        assert_eq!(alaska[0].data.as_str(), format!("{base}alaska/hrrr.t06z.wrfprsf12.ak.grib2"));
        // Four steps a file; the last of them names it.
        let quarters = sources("wrfsubh", "0-75");
        let names: Vec<_> = quarters.iter().map(|it| (it.step, it.expected)).collect();
        assert_eq!(names, [(0, 49), (4, 196), (5, 49)]);
    }

    #[test]
    fn a_url_stands_for_a_file() {
        let root = "file:///mirror/hrrr.d/";
        let request = |rest: &str| request_of_url(&Url::parse(&format!("{root}{rest}")).unwrap());
        let one = request("hrrr.20250801/alaska/hrrr.t03z.wrfnatf07.ak.grib2.idx").unwrap();
        assert_eq!(one.source.as_ref().unwrap().as_str(), root);
        let one = run(&one).unwrap();
        assert_eq!((one.product, one.steps), ("wrfnat-ak", vec![7]));
        let quarters = run(&request("hrrr.20250801/conus/hrrr.t01z.wrfsubhf09.grib2").unwrap());
        assert_eq!(quarters.unwrap().steps, [495, 510, 525, 540]);
        for wrong in
            ["hrrr.20250801/", "hrrr.2025/conus/x", "hrrr.20250801/conus/hrrr.t00z.wrfxf01.grib2"]
        {
            let error = request(wrong).unwrap_err().to_string();
            assert!(error.contains("wrfsfcf08"), "{error}");
        }
    }
}
