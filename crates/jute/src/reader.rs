//! The bounded reader.

use alloc::borrow::Cow;
use alloc::string::String;
use bytes::Bytes;

/// Largest length, in bytes, that a buffer or string may claim.
///
/// Java adds `jute.maxbuffer` and `zookeeper.jute.maxbuffer.extrasize`; see [`Limit::from_java`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub usize);

impl Limit {
    /// `jute.maxbuffer`'s default, in bytes.
    pub const DEFAULT_MAX_BUFFER: usize = 0xf_ffff;

    /// The limit that Java derives from `jute.maxbuffer` and its extra size: their sum, at most
    /// 2^31-1. An extra below 1024 counts as 1024.
    #[must_use]
    pub fn from_java(max_buffer: usize, extra: usize) -> Limit {
        const MAX: usize = 0x7fff_ffff;
        Limit(max_buffer.saturating_add(extra.max(1024)).min(MAX))
    }
}

impl Default for Limit {
    fn default() -> Limit {
        Limit::from_java(Limit::DEFAULT_MAX_BUFFER, Limit::DEFAULT_MAX_BUFFER)
    }
}

/// Why bytes could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input ended inside a value (Java: `EOFException`).
    #[error("input ends {missing} bytes short")]
    Truncated {
        /// Bytes that were still needed.
        missing: usize,
    },
    /// A length was negative (other than -1) or above the limit.
    #[error("unreasonable length = {0}")]
    UnreasonableLength(i32),
    /// A value that must be present was null (length -1).
    #[error("null where a value is required")]
    Null,
    /// An integer named no variant of an enumeration.
    #[error("unknown value {value} for {what}")]
    Unknown {
        /// The enumeration.
        what: &'static str,
        /// The integer met.
        value: i32,
    },
}

/// Decodes primitives from the front of a slice.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    origin: Option<&'a Bytes>,
    limit: Limit,
}

impl<'a> Reader<'a> {
    /// Reads from a slice; [`Reader::bytes`] will copy.
    #[must_use]
    pub fn new(input: &'a [u8], limit: Limit) -> Reader<'a> {
        Reader {
            rest: input,
            origin: None,
            limit,
        }
    }

    /// Reads from shared bytes; [`Reader::bytes`] will share them instead of copying.
    #[must_use]
    pub fn shared(input: &'a Bytes, limit: Limit) -> Reader<'a> {
        Reader {
            rest: input,
            origin: Some(input),
            limit,
        }
    }

    /// What has not been read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `len` bytes as they are.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] when fewer remain.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(len) {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(head)
            }
            None => Err(DecodeError::Truncated {
                missing: len - self.rest.len(),
            }),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest.split_first_chunk::<N>() {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(*head)
            }
            None => Err(DecodeError::Truncated {
                missing: N - self.rest.len(),
            }),
        }
    }

    /// One byte; any non-zero value is true.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.array::<1>()? != [0])
    }

    /// A 32-bit big-endian integer.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// A 64-bit big-endian integer.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// A buffer; `None` when null.
    ///
    /// # Errors
    /// [`DecodeError::UnreasonableLength`], [`DecodeError::Truncated`].
    pub fn buffer(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        let len = self.i32()?;
        if len == -1 {
            return Ok(None);
        }
        match usize::try_from(len) {
            Ok(len) if len <= self.limit.0 => self.take(len).map(Some),
            _ => Err(DecodeError::UnreasonableLength(len)),
        }
    }

    /// A buffer as shared bytes; `None` when null. Copies only if the reader was made by
    /// [`Reader::new`].
    ///
    /// # Errors
    /// As [`Reader::buffer`].
    pub fn bytes(&mut self) -> Result<Option<Bytes>, DecodeError> {
        let origin = self.origin;
        Ok(self.buffer()?.map(|b| match origin {
            Some(origin) => origin.slice_ref(b),
            None => Bytes::copy_from_slice(b),
        }))
    }

    /// A string; `None` when null. Ill-formed UTF-8 becomes U+FFFD, as Java decodes it.
    ///
    /// # Errors
    /// As [`Reader::buffer`].
    pub fn opt_str(&mut self) -> Result<Option<Cow<'a, str>>, DecodeError> {
        let lossy = |bytes: &'a [u8]| match core::str::from_utf8(bytes) {
            // Nearly always, and many bytes at a time.
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        };
        Ok(self.buffer()?.map(lossy))
    }

    /// A string that must not be null.
    ///
    /// # Errors
    /// As [`Reader::buffer`], and [`DecodeError::Null`].
    pub fn str(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        self.opt_str()?.ok_or(DecodeError::Null)
    }

    /// As [`Reader::opt_str`], for who keeps the string.
    ///
    /// # Errors
    /// As [`Reader::buffer`].
    pub fn string(&mut self) -> Result<Option<String>, DecodeError> {
        // Copied first, since well-formed text is told faster where an allocation begins.
        let own = |bytes: &[u8]| match String::from_utf8(bytes.to_vec()) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        Ok(self.buffer()?.map(own))
    }

    /// A vector's element count; null and negative counts read as empty, as in Java.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn vec_len(&mut self) -> Result<usize, DecodeError> {
        Ok(usize::try_from(self.i32()?).unwrap_or(0))
    }
}
