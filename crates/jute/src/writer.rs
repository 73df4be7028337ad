//! Encoding helpers for the variable-length primitives.

use alloc::vec::Vec;

/// Appends a buffer; `None` is written as length -1.
///
/// # Panics
/// If the buffer is longer than `i32::MAX`, which no caller's input limit allows.
pub fn put_buffer(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        Some(bytes) => {
            put_len(out, bytes.len());
            out.extend_from_slice(bytes);
        }
    }
}

/// Appends a string as Java's `BinaryOutputArchive.stringToByteBuffer` does: UTF-8, but characters
/// beyond the basic plane as two three-byte surrogates (CESU-8), so that digests and log records
/// equal Java's.
pub fn put_str(out: &mut Vec<u8>, value: &str) {
    const FOUR_BYTE_LEAD: u8 = 0xf0;
    if value.is_ascii() || value.bytes().all(|b| b < FOUR_BYTE_LEAD) {
        put_buffer(out, Some(value.as_bytes()));
        return;
    }
    let mut cesu = Vec::with_capacity(value.len() + 8);
    let mut units = [0_u16; 2];
    for c in value.chars() {
        if c.len_utf8() < 4 {
            cesu.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            let [high, low] = unit.to_be_bytes();
            cesu.push(0xe0 | (high >> 4));
            cesu.push(0x80 | ((high & 0x0f) << 2) | (low >> 6));
            cesu.push(0x80 | (low & 0x3f));
        }
    }
    put_buffer(out, Some(&cesu));
}

/// Appends a vector's element count.
///
/// # Panics
/// If there are more than `i32::MAX` elements.
pub fn put_vec_len(out: &mut Vec<u8>, len: usize) {
    put_len(out, len);
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    let len = i32::try_from(len).expect("lengths are bounded by the input limit, itself an i32");
    out.extend_from_slice(&len.to_be_bytes());
}
