use super::{add, least_packet_len};
use zooid_node::Input;
use zooid_proto::{Jute, Limit, PacketType, QuorumPacket, Zxid};
use zooid_zab::LinkId;

#[test]
fn a_packet_is_not_looked_at_before_it_can_be_whole() {
    let packet = QuorumPacket::with_data(PacketType::Proposal, Zxid(1), vec![7; 1000]).to_vec();
    let limit = Limit(1000);
    assert_eq!(least_packet_len(&packet, limit), packet.len());
    assert_eq!(least_packet_len(&packet[..16], limit), packet.len());
    assert_eq!(least_packet_len(&packet[..15], limit), 20);
    assert_eq!(least_packet_len(&[], limit), 20);
}

#[test]
fn what_no_packet_can_claim_is_refused_at_once() {
    let limit = Limit(999);
    let packet = QuorumPacket::with_data(PacketType::Proposal, Zxid(1), vec![7; 1000]).to_vec();
    let least = least_packet_len(&packet[..16], limit);
    let seen = bytes::Bytes::copy_from_slice(&packet[..least]);
    assert!(QuorumPacket::split(&seen, limit).is_err());
    for head in [77_i32.to_be_bytes().to_vec(), packet_of_length(-2)] {
        assert!(least_packet_len(&head, limit) <= head.len());
        assert!(QuorumPacket::split(&head.into(), limit).is_err());
    }
    let without_data = QuorumPacket::new(PacketType::Ping, Zxid(1)).to_vec();
    assert_eq!(least_packet_len(&without_data, limit), without_data.len());
}

/// What the core hears of packets that came together.
fn heard(packets: &[(PacketType, i64)]) -> Vec<(PacketType, i64)> {
    let mut inputs = Vec::new();
    for (kind, zxid) in packets {
        add(
            LinkId(2),
            QuorumPacket::new(*kind, Zxid(*zxid)),
            &mut inputs,
        );
    }
    let packets = inputs.iter().map(|input| match input {
        Input::Packet(_, packet) => (packet.kind, packet.zxid.0),
        other => panic!("{other:?}"),
    });
    packets.collect()
}

#[test]
fn the_last_of_acknowledgements_in_a_row_stands_for_all() {
    use PacketType::{Ack, Ping};
    let packets = [(Ack, 5), (Ack, 6), (Ack, 7), (Ping, 0), (Ack, 8), (Ack, 9)];
    assert_eq!(heard(&packets), [(Ack, 7), (Ping, 0), (Ack, 9)]);
}

#[test]
fn acknowledgements_with_something_between_are_heard_each() {
    use PacketType::{Ack, Commit};
    let epoch = 7 << 32;
    for packets in [
        // NEWLEADER's is another step than a proposal's, and so is UPTODATE's.
        [(Ack, epoch), (Ack, epoch + 1)],
        [(Ack, epoch + 1), (Ack, epoch)],
        [(Ack, epoch), (Ack, epoch)],
        // Never sent by a follower that is sane; the leader is to see it as it is.
        [(Ack, 5), (Ack, 7)],
        [(Ack, 5), (Ack, 5)],
        [(Ack, 6), (Ack, 5)],
        [(Ack, epoch - 1), (Ack, epoch)],
        // Commits are checked one by one.
        [(Commit, 5), (Commit, 6)],
    ] {
        assert_eq!(heard(&packets), packets);
    }
}

/// The head of a packet.
fn packet_of_length(length: i32) -> Vec<u8> {
    let mut head = QuorumPacket::new(PacketType::Ack, Zxid(1)).to_vec();
    head.truncate(12);
    head.extend(length.to_be_bytes());
    head
}
