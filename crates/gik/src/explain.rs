//! What went wrong, for people.

use std::error::Error;

/// The text of an error and, each on a line of its own, of what caused it, down to the first
/// cause.
#[must_use]
pub fn explain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let because = error.to_string();
        // Wrappers often repeat what they wrap.
        if !text.contains(&because) {
            text.push_str(&format!("\n  because {because}"));
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_that_say_something_new_are_named() {
        let io = std::io::Error::other("the disk is full");
        let error = gik_core::Error::argument("store 'x'", "cannot be written").with_source(io);
        assert_eq!(explain(&error), "store 'x': cannot be written\n  because the disk is full");
        let error = gik_core::Error::argument("run", "there is none");
        assert_eq!(explain(&error), "run: there is none");
    }
}
