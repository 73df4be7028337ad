//! The allocator, and how long it keeps memory that is free.

use std::ffi::{c_int, c_long};

/// Transactions and replies are allocated by one thread and freed by another, which glibc's allocator
/// answers with locks and consolidation: a seventh of a create's processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Milliseconds until free memory goes back to the system.
///
/// The last second's transactions are tens of megabytes, which the next second's need again. Given back every
/// second, as is the default, they come back as huge pages that the kernel clears first: a sixth of the
/// processor time of a create.
const KEPT_MS: c_long = 10_000;

/// `mi_option_purge_delay` in mimalloc.h.
const PURGE_DELAY: c_int = 15;
/// What an operator sets instead.
const PURGE_DELAY_VARIABLE: &str = "MIMALLOC_PURGE_DELAY";

/// Has the allocator keep free memory for a while, unless its environment says how long.
pub(crate) fn keep_free_memory() {
    if std::env::var_os(PURGE_DELAY_VARIABLE).is_none() {
        set_purge_delay(KEPT_MS);
    }
}

#[expect(unsafe_code, reason = "the allocator has no other way to be told")]
fn set_purge_delay(ms: c_long) {
    // SAFETY: mi_option_set takes two numbers by value and reads or keeps no pointer. It checks that the
    // option is one that it has, and does nothing if not. It stores the value in a static of its own; what
    // reads it, on whichever thread, does so for each purge anew and takes every value: negative ones mean
    // never. No other thread runs yet where this is called, so that even a store that is not atomic is no race.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As mimalloc.h has it: another value here would be another option.
    const DEFAULT_MS: c_long = 1000;

    #[expect(unsafe_code, reason = "the allocator has no other way to be asked")]
    fn purge_delay() -> c_long {
        // SAFETY: mi_option_get takes a number by value and returns one; see `set_purge_delay`.
        unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) }
    }

    #[test]
    fn free_memory_is_kept_for_longer_than_by_default() {
        assert_eq!(purge_delay(), DEFAULT_MS, "this is not the purge delay");
        set_purge_delay(KEPT_MS);
        assert_eq!(purge_delay(), KEPT_MS);
    }
}
