//! Text for people: results on stdout, everything else on stderr.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use gik::core::{Diagnostic, Problem, Report};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// Writes a result. Whoever closes the pipe has seen enough (`gik info … | head`): what there
/// is to do is done all the same, and how it went is told by the exit code.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Writes a result for machines, on one line.
pub(super) fn print_json(value: &Value) -> anyhow::Result<()> {
    print(&value.to_string())
}

/// Writes a remark. Nobody may be reading it.
pub(super) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Says what went wrong, down to the first cause.
pub(super) fn error(error: &anyhow::Error) {
    remark(&format!("gik: {}", gik::explain(error.as_ref())));
}

/// A bar on a terminal, nothing in a pipe.
pub(super) fn progress_bar(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let style =
        ProgressStyle::with_template("{msg} {bar:32} {pos}/{len} {per_sec} {elapsed}, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// What a bar is told.
pub(super) fn advance(bar: &ProgressBar) -> impl Fn(usize, usize) + Sync + '_ {
    |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    }
}

/// After so long a person who sees nothing wants to know what is waited for.
const SILENCE: Duration = Duration::from_secs(5);

/// What `work` comes to. When `has_answer` does not hold after some seconds, it is said that
/// `place` does not answer, and what happens.
pub(super) async fn patiently<T>(
    place: &str,
    has_answer: impl Fn() -> bool,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    if let Ok(done) = tokio::time::timeout(SILENCE, work.as_mut()).await {
        return done;
    }
    if !has_answer() {
        remark(&format!(
            "nothing was read from {place} yet; each request is repeated for a minute, and \
             --deadline ends all of it sooner"
        ));
    }
    work.await
}

/// Files named for each kind of problem, and remarks about each; `--json` has all.
const NAMED: usize = 5;
const REMARKS: usize = 3;

/// What is wrong with a run's files, the kinds that leave holes first.
pub(super) fn problems(report: &Report) {
    let mut counts: Vec<(Problem, u64)> = report.counts().into_iter().collect();
    counts.sort_by_key(|&(problem, _)| !problem.is_loss());
    for (problem, count) in counts {
        remark(&format!("{count} {}:", problem.title()));
        let all: Vec<&Diagnostic> =
            report.diagnostics.iter().filter(|it| it.problem == problem).collect();
        // They are ordered by file.
        let files = all.chunk_by(|a, b| a.url == b.url).take(NAMED);
        let shown: Vec<_> = files.flat_map(|file| file.iter().take(REMARKS)).collect();
        for diagnostic in &shown {
            remark(&format!("  {diagnostic}"));
        }
        let rest = all.len() - shown.len();
        if rest > 0 {
            remark(&format!("  … and {rest} more; --json lists all"));
        }
    }
}

/// `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Rows in aligned columns, two spaces apart.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_tables() {
        assert_eq!(
            (count(7), count(1000), count(95_046_123)),
            ("7".into(), "1,000".into(), "95,046,123".into())
        );
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["bcd".to_owned(), String::new()]];
        assert_eq!(table(&rows), "a    1\nbcd");
    }
}
