//! `gik._gik`: what the Python package calls in Rust.

use pyo3::prelude::*;

#[pymodule]
mod _gik {
    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
