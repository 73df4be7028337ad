use super::ByteChain;
use bytes::Bytes;

/// "ab" of its own, "CDE" shared, "f" of its own, "GH" and "I" shared.
fn mixed() -> ByteChain {
    let mut chain = ByteChain::default();
    chain.own_mut().extend_from_slice(b"ab");
    chain.share(Bytes::from_static(b"CDE"));
    chain.own_mut().extend_from_slice(b"f");
    chain.share(Bytes::from_static(b"GH"));
    chain.share(Bytes::from_static(b"I"));
    chain
}

#[test]
fn pieces_come_in_order_from_every_place() {
    let chain = mixed();
    assert_eq!(chain.len(), 9);
    for place in 0..=chain.len() {
        assert_eq!(chain.copied_from(place), &b"abCDEfGHI"[place..]);
    }
    let pieces: Vec<&[u8]> = chain.pieces_from(3).collect();
    assert_eq!(pieces, [&b"DE"[..], b"f", b"GH", b"I"]);
}

#[test]
fn a_chain_is_appended_with_what_it_shares() {
    let (mut chain, mut more) = (mixed(), mixed());
    chain.append(&mut more);
    assert!(more.is_empty());
    assert_eq!(chain.len(), 18);
    assert_eq!(chain.copied_from(0), b"abCDEfGHIabCDEfGHI");
    let mut empty = ByteChain::default();
    empty.append(&mut chain);
    assert!(chain.is_empty());
    assert_eq!(empty.copied_from(0), b"abCDEfGHIabCDEfGHI");
}

#[test]
fn shared_bytes_are_not_copied() {
    let bytes = Bytes::from(vec![7; 100]);
    let mut chain = ByteChain::default();
    chain.share(bytes.clone());
    let piece = chain.pieces_from(0).next().expect("there are bytes");
    assert!(std::ptr::eq(piece, &raw const bytes[..]));
}

#[test]
fn what_nobody_else_is_sent_is_one_piece() {
    let chain = ByteChain::from(vec![1, 2, 3]);
    assert_eq!(chain.pieces_from(1).collect::<Vec<_>>(), [&[2, 3][..]]);
    assert_eq!(chain.pieces_from(3).count(), 0);
    assert_eq!(ByteChain::default().pieces_from(0).count(), 0);
}
