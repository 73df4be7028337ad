use super::*;
use crate::Limit;
use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;

const EPOCH: i64 = 7 << 32;

fn run(first: i64, last: i64) -> PacketRun {
    PacketRun {
        kind: PacketType::Commit,
        first: Zxid(EPOCH + first),
        last: Zxid(EPOCH + last),
    }
}

#[test]
fn a_run_is_its_packets_on_the_wire() {
    for run in [run(3, 3), run(1, 300)] {
        let one_by_one: Vec<u8> = run.packets().flat_map(|packet| packet.to_vec()).collect();
        let mut together = vec![9];
        run.encode(&mut together);
        assert_eq!(together[1..], one_by_one);
        assert_eq!(
            one_by_one.len(),
            PacketRun::PACKET_LEN * run.packets().count()
        );
    }
}

#[test]
fn the_next_packet_of_the_same_kind_goes_on_with_it() {
    let mut grown = run(3, 3);
    assert!(grown.extend(run(4, 4)));
    assert!(grown.extend(run(5, 7)));
    assert_eq!(grown, run(3, 7));
    for (kind, zxid) in [
        (PacketType::Ack, 8),
        (PacketType::Commit, 7),
        (PacketType::Commit, 9),
        (PacketType::Commit, 6),
    ] {
        let next = PacketRun::of(kind, Zxid(EPOCH + zxid));
        assert!(!grown.extend(next), "{kind:?} {zxid}");
        assert_eq!(grown, run(3, 7));
    }
}

#[test]
fn an_epochs_start_is_in_no_run() {
    let mut from_start = run(0, 0);
    assert!(!from_start.extend(run(1, 1)));
    let mut before = run(-1, -1);
    assert!(!before.extend(run(0, 0)));
}

#[test]
fn a_packet_with_more_to_it_is_no_run() {
    let plain = QuorumPacket::new(PacketType::Ack, Zxid(5));
    assert_eq!(
        PacketRun::of_packet(&plain),
        Some(PacketRun::of(PacketType::Ack, Zxid(5)))
    );
    let with_data = QuorumPacket::with_data(PacketType::Ack, Zxid(5), Bytes::new());
    assert_eq!(PacketRun::of_packet(&with_data), None);
    let with_ids = QuorumPacket {
        auth: Some([].into()),
        ..plain
    };
    assert_eq!(PacketRun::of_packet(&with_ids), None);
}

/// What is taken off bytes as runs, and what is left of them.
fn taken(bytes: &[u8]) -> (Vec<PacketRun>, &[u8]) {
    let mut r = Reader::new(bytes, Limit(100));
    let mut runs = Vec::new();
    while let Some(run) = PacketRun::next(&mut r) {
        runs.push(run);
    }
    (runs, r.rest())
}

#[test]
fn runs_are_taken_as_far_as_they_have_come() {
    let mut bytes = Vec::new();
    run(1, 9).encode(&mut bytes);
    run(11, 12).encode(&mut bytes);
    for torn in 1..20 {
        let (runs, rest) = taken(&bytes[..bytes.len() - torn]);
        assert_eq!(runs, [run(1, 9), run(11, 11)]);
        assert_eq!(rest.len(), 20 - torn);
    }
    assert_eq!(taken(&bytes).0, [run(1, 9), run(11, 12)]);
    assert_eq!(taken(&bytes[..19]), (vec![], &bytes[..19]));
    assert_eq!(taken(&[]), (vec![], &[][..]));
}

/// Every packet says the same, whoever decodes it.
#[test]
fn what_is_no_plain_packet_is_left_to_the_decoder() {
    let with_data = QuorumPacket::with_data(PacketType::Commit, Zxid(5), Bytes::new()).to_vec();
    let no_ids = QuorumPacket {
        auth: Some([].into()),
        ..QuorumPacket::new(PacketType::Ack, Zxid(5))
    };
    let ping = QuorumPacket::new(PacketType::Ping, Zxid(5));
    for bytes in [with_data, no_ids.to_vec(), ping.to_vec()] {
        assert_eq!(taken(&bytes), (vec![], &bytes[..]));
    }
    for kind in [PacketType::Ack, PacketType::Commit] {
        for zxid in [Zxid(-1), Zxid(0), Zxid(EPOCH), Zxid(EPOCH + 7)] {
            let packet = QuorumPacket::new(kind, zxid);
            assert_eq!(taken(&packet.to_vec()).0, [PacketRun::of(kind, zxid)]);
        }
    }
}
