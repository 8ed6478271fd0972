//! What the fuzz targets share: how much memory some work takes.

#[path = "../../crates/gik-codec/tests/it/allocations.rs"]
mod allocations;

/// Runs `work` and says how many bytes more than before this thread had at its peak.
pub fn peak<R>(work: impl FnOnce() -> R) -> (R, usize) {
    allocations::peak(work)
}
