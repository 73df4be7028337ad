//! Jute, ZooKeeper's serialization format (spec §1; Java `org.apache.jute.BinaryInputArchive`).
//!
//! Owns the primitive encodings only: big-endian integers, length-prefixed buffers and strings,
//! counted vectors, records as plain concatenation. It knows no ZooKeeper record, performs no I/O
//! and never allocates more than the input it was given can justify.
//!
//! [`Reader`] walks a byte slice and bounds every length it meets; [`Jute`] is implemented by every
//! type that has a Jute encoding; [`record!`] derives it for a struct, field by field,
//! and [`fixed_record!`] for one that always takes the same number of bytes.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod reader;
mod record;
mod writer;

pub use reader::{DecodeError, Limit, Reader};
pub use record::{Fixed, Jute};
pub use writer::{put_buffer, put_str, put_vec_len};

#[doc(hidden)]
pub use alloc::vec::Vec as RecordVec;

#[cfg(test)]
mod tests;
