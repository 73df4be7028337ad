//! Asking the processor for memory ahead of its use.

/// Has the processor fetch the cache line in which `value` begins, and goes on at once.
///
/// A plain read would do as much, but occupies the processor until the line is there: it runs on for some
/// two hundred instructions and then stands still, with a handful of lines on their way. Of those asked for like this as
/// many are on their way as it has room for.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the intrinsic takes a pointer")]
pub(crate) fn prefetch<T: Copy>(value: &T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: the instruction is a hint: it reads nothing into the program, writes nothing, and ignores an address
    // that it may not read, so there is no value of the pointer for which it could do harm; this one, of a
    // reference, may even be read. It needs SSE, which every x86_64 has.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) }
}

/// The same where there is no such instruction in Rust yet: reads it.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn prefetch<T: Copy>(value: &T) {
    std::hint::black_box(*value);
}
