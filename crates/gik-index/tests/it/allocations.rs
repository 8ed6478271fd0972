//! Counts what parsing allocates, on the thread that does it.
#![expect(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use gik_index::ecmwf;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that is going away is not measured.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: all is left to the system's allocator; only a number is kept.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often parsing this text allocates, and the entries that it gives.
fn allocations(text: &str) -> (usize, usize) {
    let before = CALLS.get();
    let index = ecmwf::parse(text.as_bytes());
    let calls = CALLS.get() - before;
    assert!(index.diagnostics.is_empty());
    (calls, index.entries.len())
}

#[test]
fn keys_and_lines_are_not_allocated() {
    let text = include_str!("../fixtures/aifs_single_20250301_00z_6h.index");
    let lines = text.lines().count();
    let many = text.repeat(80);
    assert_eq!(lines * 80, 8160);
    // One list of entries, which may have to grow a few times.
    let (calls, entries) = allocations(&many);
    assert_eq!(entries, lines * 80);
    assert!((1..=4).contains(&calls), "{calls} allocations");
    // The same through the general parser, which `null` needs.
    let general = many.replace("\"domain\"", "\"nothing\": null, \"domain\"");
    assert_ne!(general, many);
    let (calls, entries) = allocations(&general);
    assert_eq!(entries, lines * 80);
    assert!((1..=4).contains(&calls), "{calls} allocations");
    // A name that JSON escapes is copied, once a line.
    let escaped = many.replace("\"param\": \"", "\"param\": \"\\u0078");
    let (calls, _) = allocations(&escaped);
    assert!(calls >= entries && calls <= entries * 3, "{calls} allocations");
}
