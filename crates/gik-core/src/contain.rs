//! Keeps a panic of a foreign decoder from going further.
//!
//! This needs panics that unwind: with `panic = "abort"` in the final program's profile a
//! panic ends it, as it would anywhere else.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::{Error, ErrorKind, Result};

thread_local! {
    /// Whether a panic of this thread is about to be contained.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Sets the flag, and resets it to what it was when dropped.
struct Flag(bool);

impl Flag {
    fn set() -> Self {
        Self(CONTAINED.replace(true))
    }
}

impl Drop for Flag {
    fn drop(&mut self) {
        CONTAINED.set(self.0);
    }
}

/// Runs `decode` and turns a panic into [`ErrorKind::Contained`], without the output of
/// the panic hook. `what` names the component, for the error's text.
///
/// `decode` must leave nothing behind that a panic could have left half done.
///
/// # Errors
/// When `decode` panics.
pub fn contain<R>(what: &'static str, decode: impl FnOnce() -> R) -> Result<R> {
    quiet_hook();
    let flag = Flag::set();
    let result = catch_unwind(AssertUnwindSafe(decode));
    drop(flag);
    result.map_err(|payload| {
        Error::new(ErrorKind::Contained { what, message: text(payload.as_ref()) })
    })
}

/// Puts a hook before the one there is, once: it says nothing of panics that are contained
/// and leaves all others to it.
fn quiet_hook() {
    static HOOK: Once = Once::new();
    // A thread that is unwinding must not change hooks; another decode will do it.
    if std::thread::panicking() {
        return;
    }
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !CONTAINED.try_with(Cell::get).unwrap_or(false) {
                previous(info);
            }
        }));
    });
}

fn text(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_become_errors() {
        let number = 7;
        let error = contain("test", || panic!("no {number}")).map(|()| 0).unwrap_err();
        assert_eq!(error.to_string(), "test failed on this input: no 7");
        assert!(!CONTAINED.get());
        assert_eq!(contain("test", || 3).unwrap(), 3);
    }
}
