use super::*;

const MAX: usize = 100;

fn packet(body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap();
    [&len.to_be_bytes(), body].concat()
}

#[test]
fn a_packet_has_arrived_when_its_last_byte_has() {
    let mut inbound = Inbound::default();
    let bytes = [packet(b"one"), packet(b""), packet(b"three")].concat();
    for (part, at_ms) in bytes.chunks(5).zip(10..) {
        inbound.push(part, at_ms);
    }
    let mut seen = Vec::new();
    while let Some(len) = inbound.next_len(MAX).unwrap() {
        let arrived_ms = inbound.arrived_ms(len);
        let peeked = inbound.peek(len).unwrap().to_vec();
        let taken = inbound.take(len);
        assert_eq!(taken, peeked);
        seen.push((taken, arrived_ms));
    }
    let body = Bytes::from_static;
    assert_eq!(
        seen,
        [(body(b"one"), 11), (body(b""), 12), (body(b"three"), 13)]
    );
    assert!(inbound.arrivals.is_empty());
}

#[test]
fn an_unfinished_packet_can_be_measured_but_not_seen() {
    let mut inbound = Inbound::default();
    inbound.push(&[0, 0], 1);
    assert_eq!(inbound.next_len(MAX), Ok(None));
    inbound.push(&[0, 4, b'a'], 2);
    assert_eq!(inbound.next_len(MAX), Ok(Some(4)));
    assert_eq!(inbound.peek(4), None);
    inbound.push(b"bcd", 3);
    assert_eq!(inbound.peek(4), Some(&b"abcd"[..]));
}

#[test]
fn lengths_out_of_range_are_refused() {
    let claimed = |len: i32| {
        let mut inbound = Inbound::default();
        inbound.push(&len.to_be_bytes(), 1);
        inbound.next_len(MAX)
    };
    assert_eq!(claimed(100), Ok(Some(100)));
    assert_eq!(claimed(101), Err(LengthOutOfRange(101)));
    assert_eq!(claimed(-1), Err(LengthOutOfRange(-1)));
}
