//! Tests of the public interface on real index files and on damaged ones.

#[cfg(test)]
mod allocations;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod ecmwf;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod grammar;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod levels;
#[cfg(test)]
mod ranges;
