//! Identifiers that must not be mixed up.

use crate::{DecodeError, Jute, Reader};
use alloc::vec::Vec;
use core::fmt;
use zooid_jute::Fixed;

macro_rules! id_i64 {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl Jute for $name {
            fn decode(r: &mut Reader<'_>) -> Result<$name, DecodeError> {
                r.i64().map($name)
            }
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }

        impl Fixed for $name {
            const LEN: usize = i64::LEN;
            #[inline]
            fn write<'a>(&self, out: &'a mut [u8]) -> &'a mut [u8] {
                self.0.write(out)
            }
        }
    )+};
}

id_i64! {
    /// A transaction's place in the total order: epoch in the high 32 bits, counter in the low.
    /// Compared as a signed number, as Java does. Prints as `0x…`.
    Zxid,
    /// A server's `myid`.
    ServerId,
    /// A client session. 0 is never a session. Prints as `0x…`.
    SessionId,
}

/// A leader's reign; the high half of a [`Zxid`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i64);

impl Zxid {
    /// Before the first transaction.
    pub const ZERO: Zxid = Zxid(0);
    /// "No transaction at all": an untrusted empty database, or a reply outside the pipeline.
    pub const NONE: Zxid = Zxid(-1);

    /// The first zxid of an epoch, which no transaction has.
    #[must_use]
    pub fn start_of(epoch: Epoch) -> Zxid {
        Zxid(epoch.0.wrapping_shl(32))
    }

    /// The high half.
    #[must_use]
    pub fn epoch(self) -> Epoch {
        Epoch(self.0 >> 32)
    }

    /// The low half.
    #[must_use]
    pub fn counter(self) -> u32 {
        let [.., a, b, c, d] = self.0.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// Whether a history may go from `previous` straight to this: every transaction of an epoch takes
    /// the next counter, and an epoch starts at counter 1. (A standalone server counts on into the
    /// next epoch, which the first case covers.) At the border of epochs a missing end cannot be seen.
    #[must_use]
    pub fn follows(self, previous: Zxid) -> bool {
        self == previous.next() || (self.epoch() > previous.epoch() && self.counter() == 1)
    }

    /// Whether it is an epoch's start, which no transaction has.
    #[must_use]
    pub fn is_epoch_start(self) -> bool {
        self.counter() == 0
    }

    /// The next zxid.
    #[must_use]
    pub fn next(self) -> Zxid {
        Zxid(self.0.wrapping_add(1))
    }
}

impl fmt::LowerHex for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

impl fmt::Display for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
