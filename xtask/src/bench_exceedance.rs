//! `cargo xtask bench exceedance`: from a store of full-size messages to rainfall
//! probabilities over East Africa, beside stock Python and zarrs on the same store.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::python;
use crate::shell::{self, cargo, say};

/// Each side does the job so often, in turn with the others.
const ROUNDS: usize = 3;
const REGION: &str = "21,-12,53,23";
/// Milliseconds by which a server is late.
const LATE: &str = "20";

/// A model, its generated run, and what is told of it.
struct Job {
    title: &'static str,
    model: &'static str,
    run: &'static str,
    generator: &'static str,
}

const JOBS: [Job; 2] = [
    Job {
        title: "GEFS tp, 31 members, 81 steps, 10 days",
        model: "gefs",
        run: "2025-01-06T00",
        generator: "generate_gefs",
    },
    Job {
        title: "ECMWF tp, 51 members, 85 steps, 15 days",
        model: "ecmwf",
        run: "2026-02-05T00",
        generator: "generate_ecmwf",
    },
];

pub(crate) fn run() -> Result<()> {
    let release = ["build", "--release", "--locked", "--quiet"];
    shell::run(cargo(&release).args(["-p", "gik", "--bins", "--examples"]))?;
    shell::run(cargo(&release).args(["-p", "gik-testkit", "--examples"]))?;
    let benches = shell::root().join("benches");
    let python = python::environment("bench-venv", &benches.join("requirements.txt"))?;
    if python.is_none() {
        say("\nxarray: SKIPPED, there is no Python >= 3.12");
    }
    for job in &JOBS {
        let folder = job.files()?;
        let local = shell::target().join(format!("bench/{}-rain-store", job.model));
        let place = folder.display().to_string();
        job.build(&place, &local)?;
        job.compare(&local, &place, &format!("file://{place}/"), python.as_deref())?;

        let server = Server::start(&folder)?;
        let far = shell::target().join(format!("bench/{}-rain-store-http", job.model));
        job.build(&server.url, &far)?;
        say(&format!("the same over HTTP, {LATE} ms a request"));
        job.compare(&far, &server.url, &format!("{}/", server.url), python.as_deref())?;
    }
    Ok(())
}

/// The generated GEFS run, of full-size messages of rain.
pub(crate) fn gefs_rain() -> Result<PathBuf> {
    let release = ["build", "--release", "--locked", "--quiet"];
    shell::run(cargo(&release).args(["-p", "gik-testkit", "--examples"]))?;
    let [gefs, _] = &JOBS;
    gefs.files()
}

/// A server of a folder; it ends with its standard input.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(folder: &Path) -> Result<Self> {
        let mut command = Command::new(example("serve_files"));
        command.arg(folder).arg(LATE).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start serve_files")?;
        let mut url = String::new();
        let out = child.stdout.take().context("serve_files has no output")?;
        BufReader::new(out).read_line(&mut url)?;
        Ok(Self { child, url: url.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends by itself now.
        let _ = self.child.wait();
    }
}

fn example(name: &str) -> PathBuf {
    shell::target().join("release/examples").join(name)
}

/// What a round took: seconds, bytes at the peak.
type Round = (f64, f64);

impl Job {
    /// The generated files; they take minutes, and stay for the next time.
    fn files(&self) -> Result<PathBuf> {
        let folder = shell::target().join(format!("bench/{}-rain", self.model));
        let done = folder.with_extension("done");
        if !done.exists() {
            if folder.exists() {
                std::fs::remove_dir_all(&folder)?;
            }
            let mut generate = Command::new(example(self.generator));
            shell::run(generate.arg(&folder).args(["--messages", "tp", "--dense"]))?;
            std::fs::write(done, "")?;
        }
        Ok(folder)
    }

    fn build(&self, source: &str, store: &Path) -> Result<()> {
        if store.exists() {
            std::fs::remove_dir_all(store)?;
        }
        let mut command = Command::new(shell::target().join("release/gik"));
        command.args(["build", self.model, "--run", self.run, "--variables", "tp", "--json"]);
        shell::read(command.arg("--source").arg(source).arg("--store").arg(store))?;
        Ok(())
    }

    fn compare(
        &self,
        store: &Path,
        place: &str,
        prefix: &str,
        python: Option<&Path>,
    ) -> Result<()> {
        let out = shell::target().join("bench/probability");
        let mut sides: Vec<(&str, Command)> = Vec::new();
        let mut gik = Command::new(shell::target().join("release/gik"));
        gik.arg("exceedance").arg(store).args(["--allow", place, "--bbox", REGION, "--json"]);
        gik.arg("-o").arg(out.with_extension("nc"));
        sides.push(("gik exceedance, to NetCDF", gik));
        if self.model == "gefs" {
            let mut zarrs = Command::new(example("exceedance_zarrs"));
            zarrs.arg(store).arg(place);
            sides.push(("zarrs, subsets of a step", zarrs));
        }
        if let Some(python) = python {
            let mut xarray = Command::new(python);
            xarray.arg(shell::root().join("benches/exceedance_peers.py")).arg(store);
            xarray.args([prefix, self.model, REGION]).arg(out.with_extension("npy"));
            sides.push(("xarray, dask threads, gribberish", xarray));
        }
        let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); sides.len()];
        for _ in 0..ROUNDS {
            for ((_, command), rounds) in sides.iter_mut().zip(&mut rounds) {
                rounds.push(measure(command)?);
            }
        }
        say(&format!("\n{} over East Africa, {ROUNDS} rounds", self.title));
        say("                                       median, s      least…most   peak, MB   ratio");
        let ours = rounds.first().map_or(f64::NAN, |rounds| median(rounds));
        for ((title, _), rounds) in sides.iter().zip(&rounds) {
            let seconds = rounds.iter().map(|round| round.0);
            let least = seconds.clone().fold(f64::INFINITY, f64::min);
            let most = seconds.fold(0.0, f64::max);
            let peak = rounds.iter().map(|round| round.1).fold(0.0, f64::max) / 1e6;
            let middle = median(rounds);
            say(&format!(
                "{title:36} {middle:>10.2} {least:>8.2}…{most:<8.2} {peak:>7.0} {:>7.1}",
                middle / ours
            ));
        }
        Ok(())
    }
}

/// Runs a side once; it says itself what it took.
fn measure(command: &mut Command) -> Result<Round> {
    let text = shell::read(command)?;
    let report: Value = serde_json::from_str(&text).context("a report is no JSON")?;
    let number = |name: &str| report.get(name).and_then(Value::as_f64);
    let memory = number("peak_memory_bytes").or_else(|| number("memory"));
    Ok((number("seconds").unwrap_or(f64::NAN), memory.unwrap_or(f64::NAN)))
}

fn median(rounds: &[Round]) -> f64 {
    let mut seconds: Vec<f64> = rounds.iter().map(|round| round.0).collect();
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}
