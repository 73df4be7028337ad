use super::{Filled, Inbox, put_frame};

/// Feeds `stream` in pieces of `piece` bytes and collects the payloads.
fn payloads(stream: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let mut inbox = Inbox::new();
    let mut payloads = Vec::new();
    for mut chunk in stream.chunks(piece) {
        while !chunk.is_empty() {
            inbox.fill(&mut chunk).unwrap();
            while let Some(place) = inbox.next_frame().unwrap() {
                payloads.push(inbox.payload(place).to_vec());
            }
        }
    }
    payloads
}

#[test]
fn frames_survive_any_cut() {
    // The last is larger than the buffer starts out.
    let sent = vec![vec![], vec![1; 3], vec![2; 100], vec![3; 50_000]];
    let mut stream = Vec::new();
    for payload in &sent {
        put_frame(&mut stream, |out| out.extend_from_slice(payload));
    }
    for piece in [1, 3, 4, 7, 1000, stream.len()] {
        assert_eq!(payloads(&stream, piece), sent, "in pieces of {piece} bytes");
    }
}

#[test]
fn a_full_buffer_is_told_from_a_drained_socket() {
    let mut inbox = Inbox::new();
    let mut endless = std::io::repeat(0);
    assert_eq!(inbox.fill(&mut endless).unwrap(), Filled::Full);
    assert_eq!(
        Inbox::new().fill(&mut [0_u8; 5].as_slice()).unwrap(),
        Filled::Drained
    );
    assert_eq!(
        Inbox::new().fill(&mut std::io::empty()).unwrap(),
        Filled::Closed
    );
}

#[test]
fn an_absurd_length_is_an_error() {
    for prefix in [-1_i32, i32::MAX] {
        let mut inbox = Inbox::new();
        inbox.fill(&mut prefix.to_be_bytes().as_slice()).unwrap();
        assert!(inbox.next_frame().is_err(), "{prefix}");
    }
}
