//! Chooses at run time how a loop was compiled. The only module with `unsafe`.
//!
//! The inner loops are written once, in plain Rust. [`fastest`] runs the copy that was
//! compiled for AVX2, where the processor has it, and the copy for the target's baseline
//! elsewhere. Both do the same operations on the same numbers: Rust neither contracts
//! multiplications and additions nor reorders floating-point sums, so that their results
//! are the same bits, which the tests of the unpackers compare.
//!
//! # Invariant
//! A function with `#[target_feature]` is called only after the processor was asked for
//! each of its features, in the one place where that call is written. It holds no other
//! unsafe operation: loops are bounds-checked in both copies.
#![expect(unsafe_code, reason = "calling code for features found at run time needs it")]

/// A loop to compile for several instruction sets.
///
/// `run`, and what it calls in its loops, must be `#[inline(always)]`: only what is inlined
/// is compiled for the instruction set.
pub(crate) trait Kernel {
    type Output;

    fn run(self) -> Self::Output;
}

/// Runs the kernel with the best instructions that this processor has.
#[inline]
pub(crate) fn fastest<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(test)]
    if tests::BASELINE.get() {
        return kernel.run();
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
    {
        // SAFETY: the processor has the four features of `avx2`.
        return unsafe { avx2(kernel) };
    }
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::Path;
    use std::{fs, io};

    use gik_core::{DecodeOptions, GribCodec, ValueBuffer};

    use super::*;
    use crate::{GRIBBERISH, GridDefinition, Message};

    thread_local! {
        /// Whether this thread does without what the processor has beyond the baseline.
        pub(super) static BASELINE: Cell<bool> = const { Cell::new(false) };
    }

    struct Sum<'a>(&'a [u32]);

    impl Kernel for Sum<'_> {
        type Output = u64;

        #[inline(always)]
        fn run(self) -> u64 {
            self.0.iter().map(|&number| u64::from(number.leading_zeros())).sum()
        }
    }

    /// The values of the first message in `bytes` in both precisions, as bits.
    fn decoded(bytes: &[u8]) -> Option<(Vec<u32>, Vec<u64>)> {
        let field = Message::read(bytes).ok()?.only_field().ok()?;
        let points = GridDefinition::read(&field.grid).ok()?.points as usize;
        let options = DecodeOptions::default();
        let (mut singles, mut doubles) = (vec![0.0_f32; points], vec![0.0_f64; points]);
        GRIBBERISH.decode_into(bytes, &options, ValueBuffer::F32(&mut singles)).ok()?;
        GRIBBERISH.decode_into(bytes, &options, ValueBuffer::F64(&mut doubles)).ok()?;
        Some((
            singles.into_iter().map(f32::to_bits).collect(),
            doubles.into_iter().map(f64::to_bits).collect(),
        ))
    }

    #[test]
    fn messages_decode_to_the_same_bits() -> io::Result<()> {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let mut messages = 0;
        for folder in [fixtures.clone(), fixtures.join("matrix")] {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.extension().is_none_or(|extension| extension != "grib2") {
                    continue;
                }
                let bytes = fs::read(&path)?;
                let mut rest = bytes.as_slice();
                while let Ok(message) = Message::read(rest) {
                    let fast = decoded(rest);
                    BASELINE.set(true);
                    let plain = decoded(rest);
                    BASELINE.set(false);
                    assert_eq!(fast, plain, "{}", path.display());
                    messages += usize::from(fast.is_some());
                    rest = &rest[usize::try_from(message.total_length()).unwrap()..];
                }
            }
        }
        assert!(messages > 900, "{messages}");
        Ok(())
    }

    #[test]
    fn both_copies_agree() {
        let numbers: Vec<u32> = (0..1000).map(|number: u32| number.wrapping_mul(number)).collect();
        assert_eq!(fastest(Sum(&numbers)), Sum(&numbers).run());
    }
}
