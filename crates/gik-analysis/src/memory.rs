//! How the memory of a job is shared out.

use gik_core::{Error, Result};

/// The memory that a job takes unless told otherwise, in bytes: 1 GB.
pub const DEFAULT_MEMORY: usize = 1_000_000_000;

/// What the program takes besides: itself, manifests, the runtime.
const BASE: usize = 150 << 20;

/// Messages under way get at least so much.
const LEAST: usize = 32 << 20;

/// The bytes of `memory` that are there for numbers.
pub(crate) const fn for_numbers(memory: usize) -> usize {
    memory.saturating_sub(BASE)
}

/// The bytes of numbers that are held at once where a job is done part by part: half of what there
/// is, as long as messages under way have enough.
pub(crate) fn for_part(memory: usize) -> usize {
    let numbers = for_numbers(memory);
    (numbers / 2).min(numbers.saturating_sub(LEAST))
}

/// What is left for messages under way where a result takes `kept` bytes.
///
/// # Errors
/// When that is too little: what is read would not fit, and can be known not to before the
/// first request.
pub(crate) fn beside_result(memory: usize, kept: usize) -> Result<usize> {
    let needed = kept.saturating_add(BASE + LEAST);
    let left = memory.checked_sub(BASE + LEAST).and_then(|left| left.checked_sub(kept));
    let Some(left) = left else {
        return Err(Error::argument(
            format!("a result of {} MB", kept.div_ceil(1_000_000)),
            format!(
                "does not fit into {} MB of memory; choose fewer steps or members or a smaller \
                 region, or allow {} MB",
                memory / 1_000_000,
                needed.div_ceil(1_000_000)
            ),
        ));
    };
    Ok(left + LEAST)
}

/// What is left for messages under way where `kept` bytes are needed whatever was allowed.
pub(crate) fn beside_work(memory: usize, kept: usize) -> usize {
    for_numbers(memory).saturating_sub(kept).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_does_not_fit_is_refused() {
        assert!(beside_result(DEFAULT_MEMORY, 700_000_000).unwrap() >= LEAST);
        let error = beside_result(DEFAULT_MEMORY, 900_000_000).unwrap_err().to_string();
        assert!(error.contains("900 MB") && error.contains("1000 MB"), "{error}");
        assert!(error.contains("allow 1091 MB"), "{error}");
        assert!(beside_result(usize::MAX, usize::MAX).is_err());
        assert_eq!(beside_work(0, 5), LEAST);
    }
}
