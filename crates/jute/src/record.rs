//! Types that have a Jute encoding.

use crate::{DecodeError, Reader, put_buffer, put_str, put_vec_len};
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;

/// A value with a Jute encoding.
pub trait Jute: Sized {
    /// Decodes from the front of `r`.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not such a value; `r` is then left somewhere inside it.
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Appends the encoding.
    fn encode(&self, out: &mut Vec<u8>);

    /// The encoding alone.
    fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

impl Jute for bool {
    fn decode(r: &mut Reader<'_>) -> Result<bool, DecodeError> {
        r.bool()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl Jute for i32 {
    fn decode(r: &mut Reader<'_>) -> Result<i32, DecodeError> {
        r.i32()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }
}

impl Jute for i64 {
    fn decode(r: &mut Reader<'_>) -> Result<i64, DecodeError> {
        r.i64()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }
}

impl Jute for String {
    fn decode(r: &mut Reader<'_>) -> Result<String, DecodeError> {
        r.string()?.ok_or(DecodeError::Null)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_str(out, self);
    }
}

impl Jute for Option<String> {
    fn decode(r: &mut Reader<'_>) -> Result<Option<String>, DecodeError> {
        r.string()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Some(s) => put_str(out, s),
            None => put_buffer(out, None),
        }
    }
}

impl Jute for Option<Bytes> {
    fn decode(r: &mut Reader<'_>) -> Result<Option<Bytes>, DecodeError> {
        r.bytes()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_buffer(out, self.as_deref());
    }
}

impl<T: Jute> Jute for Vec<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Vec<T>, DecodeError> {
        let len = r.vec_len()?;
        // A claimed count allocates nothing by itself: every element consumes input.
        let mut items = Vec::with_capacity(len.min(r.rest().len() / 4));
        for _ in 0..len {
            items.push(T::decode(r)?);
        }
        Ok(items)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_vec_len(out, self.len());
        for item in self {
            item.encode(out);
        }
    }
}

/// Declares structs whose Jute encoding is that of their fields in order.
#[macro_export]
macro_rules! record {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* $field:ident : $ty:ty),* $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty),* }

        impl $crate::Jute for $name {
            fn decode(r: &mut $crate::Reader<'_>) -> Result<Self, $crate::DecodeError> {
                $(let $field = <$ty as $crate::Jute>::decode(r)?;)*
                Ok($name { $($field),* })
            }
            fn encode(&self, out: &mut $crate::RecordVec<u8>) {
                $($crate::Jute::encode(&self.$field, out);)*
            }
        }
    )+};
}
