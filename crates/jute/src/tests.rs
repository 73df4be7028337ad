use crate::{DecodeError, Jute, Limit, Reader};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;

fn reader(input: &[u8]) -> Reader<'_> {
    Reader::new(input, Limit(16))
}

#[test]
fn null_and_empty_are_distinct() {
    assert_eq!(reader(&[255, 255, 255, 255]).buffer(), Ok(None));
    assert_eq!(reader(&[0, 0, 0, 0]).buffer(), Ok(Some(&[][..])));
    assert_eq!(None::<Bytes>.to_vec(), [255, 255, 255, 255]);
    assert_eq!(Some(Bytes::new()).to_vec(), [0, 0, 0, 0]);
}

#[test]
fn lengths_are_bounded_before_anything_is_read() {
    for len in [-2_i32, i32::MIN, 17, i32::MAX] {
        let input = len.to_be_bytes();
        assert_eq!(
            reader(&input).buffer(),
            Err(DecodeError::UnreasonableLength(len))
        );
    }
}

#[test]
fn a_short_input_says_how_much_is_missing() {
    assert_eq!(
        reader(&[0, 0]).i32(),
        Err(DecodeError::Truncated { missing: 2 })
    );
    assert_eq!(
        reader(&[0, 0, 0, 9, 1]).buffer(),
        Err(DecodeError::Truncated { missing: 8 })
    );
}

#[test]
fn a_huge_vector_count_allocates_nothing() {
    let input = i32::MAX.to_be_bytes();
    let got = Vec::<i64>::decode(&mut reader(&input));
    assert_eq!(got, Err(DecodeError::Truncated { missing: 8 }));
}

#[test]
fn negative_vector_counts_are_empty() {
    for count in [-1_i32, -7] {
        assert_eq!(
            Vec::<i32>::decode(&mut reader(&count.to_be_bytes())),
            Ok(vec![])
        );
    }
}

#[test]
fn any_nonzero_byte_is_true() {
    assert_eq!(reader(&[7]).bool(), Ok(true));
    assert_eq!(reader(&[0]).bool(), Ok(false));
}

#[test]
fn characters_beyond_the_basic_plane_are_written_as_surrogate_pairs() {
    let encoded = "a\u{1f600}".to_string().to_vec();
    assert_eq!(
        encoded,
        [0, 0, 0, 7, b'a', 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]
    );
    // Java's reader turns each ill-formed surrogate into replacement characters.
    let decoded = String::decode(&mut reader(&encoded)).unwrap();
    assert!(decoded.starts_with("a\u{fffd}"));
}

#[test]
fn shared_input_is_not_copied() {
    let input = Bytes::from_static(&[0, 0, 0, 2, 8, 9]);
    let got = Reader::shared(&input, Limit(16)).bytes().unwrap().unwrap();
    assert_eq!(got.as_ptr(), input[4..].as_ptr());
}

#[test]
fn the_extra_size_is_at_least_a_kibibyte_and_the_sum_an_int() {
    assert_eq!(Limit::from_java(10, 0), Limit(1034));
    assert_eq!(Limit::from_java(usize::MAX, 5), Limit(0x7fff_ffff));
}
