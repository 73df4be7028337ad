use super::*;
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
    assert!(grown.extend(PacketType::Commit, Zxid(EPOCH + 4)));
    assert!(grown.extend(PacketType::Commit, Zxid(EPOCH + 5)));
    assert_eq!(grown, run(3, 5));
    for (kind, zxid) in [
        (PacketType::Ack, 6),
        (PacketType::Commit, 5),
        (PacketType::Commit, 7),
        (PacketType::Commit, 4),
    ] {
        assert!(!grown.extend(kind, Zxid(EPOCH + zxid)), "{kind:?} {zxid}");
        assert_eq!(grown, run(3, 5));
    }
}

#[test]
fn an_epochs_start_is_in_no_run() {
    let mut from_start = run(0, 0);
    assert!(!from_start.extend(PacketType::Commit, Zxid(EPOCH + 1)));
    let mut before = run(-1, -1);
    assert!(!before.extend(PacketType::Commit, Zxid(EPOCH)));
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
