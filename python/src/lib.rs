//! `gik._gik`: what the Python package calls in Rust. Its functions take and give plain values;
//! the package's own modules turn them into what people pass and get.

#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

mod decoder;
mod failure;
mod maps;
mod parse;
mod runs;
mod runtime;
mod state;

use pyo3::prelude::*;

#[pymodule]
mod _gik {
    use super::*;

    #[pymodule_export]
    use crate::decoder::Decoder;
    #[pymodule_export]
    use crate::maps::exceedance;
    #[pymodule_export]
    use crate::parse::parse;
    #[pymodule_export]
    use crate::runs::{backfill, build, newest_run, update};
    #[pymodule_export]
    use crate::state::{resolve, validate};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
