//! The allocator, how long it keeps memory that is free, and in pages of which size.

use std::ffi::{c_int, c_long};
use std::io;
use std::thread;
use std::time::Duration;

/// Transactions and replies are allocated by one thread and freed by another, which glibc's allocator
/// answers with locks and consolidation: a seventh of a create's processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long free memory is kept before it goes back to the system.
///
/// The last second's transactions are tens of megabytes, which the next second's need again. Given back every
/// second, as is the default, they come back as huge pages that the kernel clears first: a sixth of the
/// processor time of a create.
const KEPT: Duration = Duration::from_secs(10);

/// `mi_option_purge_delay` in mimalloc.h, in milliseconds.
const PURGE_DELAY: c_int = 15;
/// What an operator sets instead.
const PURGE_DELAY_VARIABLE: &str = "MIMALLOC_PURGE_DELAY";

/// What an operator sets, to anything, to have the allocator decide about huge pages.
const HUGE_PAGES_VARIABLE: &str = "MIMALLOC_ALLOW_THP";

/// Has the kernel give memory in small pages, unless the environment says otherwise.
///
/// The allocator asks for huge ones. The kernel clears all of such a page when its first byte is needed, while the
/// thread that needs it waits, and that is mostly the core's: where a hypervisor gives out memory lazily, for
/// milliseconds. While a tree grew it made p99 three times as long, and the tree a tenth larger. What they are good for
/// is a tree of many millions that is at rest: among four million nodes reads and writes cost a tenth less with them.
///
/// # Errors
/// When the system refuses.
pub(crate) fn use_small_pages() -> io::Result<()> {
    if std::env::var_os(HUGE_PAGES_VARIABLE).is_none() {
        rustix::thread::disable_transparent_huge_pages(true)?;
    }
    Ok(())
}

/// Has the allocator keep free memory for a while, unless its environment says how long.
///
/// # Errors
/// When the system refuses a thread.
pub(crate) fn keep_free_memory() -> io::Result<()> {
    if std::env::var_os(PURGE_DELAY_VARIABLE).is_none() {
        set_purge_delay(c_long::try_from(KEPT.as_millis()).expect("a short time"));
        thread::Builder::new()
            .name("zooid-memory".to_owned())
            .spawn(|| {
                loop {
                    thread::sleep(KEPT);
                    give_back();
                }
            })?;
    }
    Ok(())
}

#[expect(unsafe_code, reason = "the allocator has no other way to be told")]
fn set_purge_delay(ms: c_long) {
    // SAFETY: mi_option_set takes two numbers by value and reads or keeps no pointer. It checks that the
    // option is one that it has, and does nothing if not. It stores the value in a static of its own; what
    // reads it, on whichever thread, does so for each purge anew and takes every value: negative ones mean
    // never. No other thread runs yet where this is called, so that even a store that is not atomic is no race.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, ms) }
}

/// Gives back what has been free for long enough. The allocator looks for it only while it is used, and an idle
/// server would keep what a busy one has needed.
#[expect(unsafe_code, reason = "the allocator has no other way to be told")]
fn give_back() {
    // SAFETY: mi_collect takes a flag by value, may be called on any thread at any time, and frees nothing
    // that is in use: it visits the calling thread's own heap, and pages of the arenas that hold no block,
    // under the arenas' own synchronisation, as any call of free may.
    unsafe { libmimalloc_sys::mi_collect(false) }
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
    fn huge_pages_can_be_refused() {
        use_small_pages().unwrap();
        assert!(rustix::thread::transparent_huge_pages_are_disabled().unwrap());
    }

    #[test]
    fn the_allocator_can_be_told_how_long_to_keep_free_memory() {
        assert_eq!(purge_delay(), DEFAULT_MS, "this is not the purge delay");
        set_purge_delay(7 * DEFAULT_MS);
        assert_eq!(purge_delay(), 7 * DEFAULT_MS);
        give_back();
    }
}
