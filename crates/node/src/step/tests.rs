use super::*;
use bytes::Bytes;
use zooid_proto::PacketType::{Ack, Commit, Ping};

const LINK: LinkId = LinkId(2);
const EPOCH: i64 = 7 << 32;

/// What the node hears of packets that came together: of each input its kind, and the first and last zxid.
fn heard(packets: impl IntoIterator<Item = QuorumPacket>) -> Vec<(PacketType, i64, i64)> {
    let mut inputs = Vec::new();
    for packet in packets {
        Input::add_packet(LINK, packet, &mut inputs);
    }
    let heard = inputs.iter().map(|input| match input {
        Input::Packet(LINK, packet) => (packet.kind, packet.zxid.0, packet.zxid.0),
        Input::PacketRun(LINK, run) => (run.kind, run.first.0, run.last.0),
        other => panic!("{other:?}"),
    });
    heard.collect()
}

fn plain((kind, zxid): (PacketType, i64)) -> QuorumPacket {
    QuorumPacket::new(kind, Zxid(zxid))
}

#[test]
fn acknowledgements_and_commits_in_a_row_are_heard_together() {
    let packets = [
        (Ack, 5),
        (Ack, 6),
        (Ack, 7),
        (Ping, 0),
        (Ack, 8),
        (Commit, 9),
        (Commit, 10),
    ];
    assert_eq!(
        heard(packets.map(plain)),
        [(Ack, 5, 7), (Ping, 0, 0), (Ack, 8, 8), (Commit, 9, 10)]
    );
}

#[test]
fn what_is_no_row_is_heard_one_by_one() {
    for packets in [
        // NEWLEADER's is another step than a proposal's, and so is UPTODATE's.
        [(Ack, EPOCH), (Ack, EPOCH + 1)],
        [(Ack, EPOCH + 1), (Ack, EPOCH)],
        [(Ack, EPOCH), (Ack, EPOCH)],
        [(Ack, EPOCH - 1), (Ack, EPOCH)],
        // Never sent by anybody who is sane; the node is to see it as it is.
        [(Ack, 5), (Ack, 7)],
        [(Commit, 5), (Commit, 5)],
        [(Commit, 6), (Commit, 5)],
        [(Ack, 5), (Commit, 6)],
        // Each answers another.
        [(Ping, 5), (Ping, 6)],
    ] {
        let each = packets.map(|(kind, zxid)| (kind, zxid, zxid));
        assert_eq!(heard(packets.map(plain)), each);
    }
}

#[test]
fn packets_that_say_more_are_heard_whole() {
    let with_data = QuorumPacket::with_data(Commit, Zxid(6), Bytes::from_static(b"?"));
    let packets = [plain((Commit, 5)), with_data.clone(), plain((Commit, 7))];
    let mut inputs = Vec::new();
    for packet in packets {
        Input::add_packet(LINK, packet, &mut inputs);
    }
    assert_eq!(inputs.len(), 3);
    assert!(matches!(&inputs[1], Input::Packet(LINK, packet) if *packet == with_data));
}

#[test]
fn another_links_packets_are_no_part_of_a_row() {
    let mut inputs = Vec::new();
    Input::add_packet(LinkId(4), plain((Ack, 5)), &mut inputs);
    Input::add_packet(LINK, plain((Ack, 6)), &mut inputs);
    assert_eq!(inputs.len(), 2);
}
