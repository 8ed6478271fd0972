//! `gik._gik`: what the Python package calls in Rust.

mod parse;

use std::error::Error as _;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

#[pymodule]
mod _gik {
    use super::*;

    #[pymodule_export]
    use super::parse::parse;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// Temporary: see the merge.
fn wait<T: Send, W: Future<Output = gik::core::Result<T>>>(
    py: Python<'_>,
    work: impl FnOnce() -> W + Send,
) -> PyResult<T> {
    py.detach(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(work()).map_err(|error| {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(it) = cause {
                text.push_str(&format!("; {it}"));
                cause = it.source();
            }
            match error.kind() {
                gik::core::ErrorKind::InvalidArgument { .. } => PyValueError::new_err(text),
                _ => PyRuntimeError::new_err(text),
            }
        })
    })
}
