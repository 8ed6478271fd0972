//! Futures of the library, awaited by a thread of Python.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::Runtime;

/// How often Ctrl-C is looked for.
const SIGNALS: Duration = Duration::from_millis(100);

/// The runtime, and the process that it is of: threads do not survive a fork.
static RUNTIME: Mutex<Option<(u32, Arc<Runtime>)>> = Mutex::new(None);

fn runtime() -> PyResult<Arc<Runtime>> {
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((owner, runtime)) = &*runtime
        && *owner == process
    {
        return Ok(Arc::clone(runtime));
    }
    let new = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let new = Arc::new(new.map_err(|error| PyRuntimeError::new_err(error.to_string()))?);
    // That of the parent has no threads here which could be waited for.
    std::mem::forget(runtime.replace((process, Arc::clone(&new))));
    Ok(new)
}

/// What Python is told while a call goes on: a callable that takes the number of things done, and
/// their total.
pub(crate) struct Listener {
    callable: Option<Py<PyAny>>,
    /// What it raised.
    raised: Mutex<Option<PyErr>>,
}

impl Listener {
    pub(crate) fn new(callable: Option<Py<PyAny>>) -> Self {
        Self { callable, raised: Mutex::new(None) }
    }

    /// Calls it. What it raises ends the call that it listens to.
    pub(crate) fn tell(&self, done: usize, total: usize) {
        let Some(callable) = &self.callable else { return };
        let told = Python::attach(|py| callable.call1(py, (done, total)).map(drop));
        if let Err(error) = told {
            let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
            raised.get_or_insert(error);
        }
    }

    fn raised(&self) -> Option<PyErr> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Waits for the future that `begin` makes, without the interpreter. Ends early with what a
/// signal's handler raised, or the listener.
pub(crate) fn wait<T: Send, F: Future<Output = PyResult<T>>>(
    py: Python<'_>,
    listener: &Listener,
    begin: impl FnOnce() -> F + Send,
) -> PyResult<T> {
    let runtime = runtime()?;
    let outcome = py.detach(|| {
        let mut future = std::pin::pin!(begin());
        runtime.block_on(async {
            loop {
                match tokio::time::timeout(SIGNALS, &mut future).await {
                    Ok(outcome) => return outcome,
                    Err(_) => {
                        Python::attach(|py| py.check_signals())?;
                        if let Some(error) = listener.raised() {
                            return Err(error);
                        }
                    }
                }
            }
        })
    });
    // It may have been told only at the end.
    match listener.raised() {
        Some(error) => Err(error),
        None => outcome,
    }
}
