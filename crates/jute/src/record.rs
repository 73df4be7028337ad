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

/// A value whose encoding is always of the same length. There is room for all of it, or it is made, at
/// once.
pub trait Fixed: Jute {
    /// Bytes of the encoding.
    const LEN: usize;

    /// Writes the encoding to the front of `out`; what is left of it.
    ///
    /// # Panics
    /// If `out` is shorter than [`Fixed::LEN`].
    fn write<'a>(&self, out: &'a mut [u8]) -> &'a mut [u8];
}

/// Writes to the front of `out`.
fn write_array<const N: usize>(bytes: [u8; N], out: &mut [u8]) -> &mut [u8] {
    let (front, rest) = out.split_first_chunk_mut().expect("there is room for all");
    *front = bytes;
    rest
}

impl Fixed for i32 {
    const LEN: usize = 4;
    #[inline]
    fn write<'a>(&self, out: &'a mut [u8]) -> &'a mut [u8] {
        write_array(self.to_be_bytes(), out)
    }
}

impl Fixed for i64 {
    const LEN: usize = 8;
    #[inline]
    fn write<'a>(&self, out: &'a mut [u8]) -> &'a mut [u8] {
        write_array(self.to_be_bytes(), out)
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
        $crate::struct_of!($(#[$meta])* $name { $($(#[$fmeta])* $field: $ty),* });

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

/// As [`record!`], of fields that are all [`Fixed`].
#[macro_export]
macro_rules! fixed_record {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* $field:ident : $ty:ty),* $(,)? })+) => {$(
        $crate::struct_of!($(#[$meta])* $name { $($(#[$fmeta])* $field: $ty),* });

        impl $crate::Jute for $name {
            fn decode(r: &mut $crate::Reader<'_>) -> Result<Self, $crate::DecodeError> {
                $(let $field = <$ty as $crate::Jute>::decode(r)?;)*
                Ok($name { $($field),* })
            }
            fn encode(&self, out: &mut $crate::RecordVec<u8>) {
                let mut bytes = [0; <$name as $crate::Fixed>::LEN];
                $crate::Fixed::write(self, &mut bytes);
                out.extend_from_slice(&bytes);
            }
        }

        impl $crate::Fixed for $name {
            const LEN: usize = 0 $(+ <$ty as $crate::Fixed>::LEN)*;
            #[inline]
            fn write<'a>(&self, out: &'a mut [u8]) -> &'a mut [u8] {
                $(let out = $crate::Fixed::write(&self.$field, out);)*
                out
            }
        }
    )+};
}

#[doc(hidden)]
#[macro_export]
macro_rules! struct_of {
    ($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident : $ty:ty),* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty),* }
    };
}
