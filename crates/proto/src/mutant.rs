//! Where a known fault could be, the code asks whether to commit it. It lives here because every crate
//! that makes a decision uses this one.

/// Whether the simulator wants this fault committed ([`Mutant`](https://docs.rs/zooid-mutants), a row of
/// `docs/internals/simulator.md`): a constant `false`, unless this crate is built with its feature
/// `mutants`.
#[cfg(not(feature = "mutants"))]
#[macro_export]
macro_rules! mutant {
    ($name:ident) => {
        false
    };
}

/// Whether the simulator wants this fault committed; see the crate `zooid-mutants`.
#[cfg(feature = "mutants")]
#[macro_export]
macro_rules! mutant {
    ($name:ident) => {
        $crate::mutants::Mutant::$name.is_committed()
    };
}
