//! The `gik` command in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gik::icechunk::{Opened, Repository, S3Settings};
use serde_json::Value;
use tempfile::TempDir;

/// A folder that commands run in, with an environment of their own.
#[derive(Debug)]
pub(crate) struct Desk {
    dir: TempDir,
    env: Vec<(&'static str, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(Vec::new())
    }

    /// A desk whose commands see these variables, and no others.
    pub(crate) fn with(env: Vec<(&'static str, String)>) -> Self {
        let dir = tempfile::Builder::new().prefix("gik-test-").tempdir().unwrap();
        Self { dir, env }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command to run here: the words of `line`, separated by spaces.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gik"));
        command.args(line.split_whitespace()).current_dir(self.dir.path()).stdin(Stdio::null());
        command.env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs `gik` with the words of `line`. It never panics, whatever it is given.
    pub(crate) fn gik(&self, line: &str) -> Outcome {
        Outcome::of(line, self.command(line).output().unwrap())
    }

    /// Runs `gik build gefs` for the run of [`crate::run`] with these options more.
    pub(crate) fn build(&self, options: &str) -> Outcome {
        self.gik(&format!("build gefs --run {} {options}", crate::run::TIME))
    }

    /// Everything that lies here, as sorted paths.
    pub(crate) fn files(&self) -> Vec<String> {
        files_below(self.dir.path())
    }

    /// The store in the folder `store`, which may read what it refers to below here.
    pub(crate) async fn open(&self, store: &str) -> Opened {
        let location = self.path(store).display().to_string().parse().unwrap();
        let here = gik::source_url(&self.dir.path().display().to_string()).unwrap();
        let repository =
            Repository::open(&location, &S3Settings::default(), &[here.to_string()]).await;
        repository.unwrap().main().await.unwrap()
    }

    /// Shape and values of a `.npy` file.
    pub(crate) fn npy(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let bytes = std::fs::read(self.path(name)).unwrap();
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let (text, data) = bytes[10..].split_at(header);
        let text = std::str::from_utf8(text).unwrap();
        assert!(text.contains("'<f4'") && text.contains("'fortran_order': False"), "{text}");
        let shape = text.split(['(', ')']).nth(1).unwrap();
        let shape: Vec<usize> = shape.split(',').filter_map(|it| it.trim().parse().ok()).collect();
        let values = data.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap()));
        let values: Vec<f32> = values.collect();
        assert_eq!(shape.iter().product::<usize>(), values.len());
        (shape, values)
    }
}

impl Outcome {
    pub(crate) fn of(line: &str, output: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let outcome = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(!outcome.stderr.contains("panicked"), "{line}\n{}", outcome.stderr);
        outcome
    }

    /// Checks the exit code; the answer is the outcome itself.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that stderr says all of this.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in\n{}", self.stderr);
        }
        self
    }

    /// The one line of JSON on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// Files and empty folders below `folder`, as sorted paths relative to it.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
        let entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
        if entries.is_empty() && folder != root {
            found.push(format!("{}/", folder.strip_prefix(root).unwrap().display()));
        }
        for entry in entries {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

/// Whether the values are the same, bit by bit, and missing where they are missing.
#[track_caller]
pub(crate) fn assert_same(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let differs = |(a, b): (&f32, &f32)| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan());
    if let Some(at) = found.iter().zip(expected).position(differs) {
        panic!("value {at} is {}, not {}", found[at], expected[at]);
    }
}
