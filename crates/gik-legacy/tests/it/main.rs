//! The public interface of gik-legacy.
