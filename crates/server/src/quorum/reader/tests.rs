use super::least_packet_len;
use zooid_proto::{Jute, Limit, PacketType, QuorumPacket, Zxid};

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

/// The head of a packet.
fn packet_of_length(length: i32) -> Vec<u8> {
    let mut head = QuorumPacket::new(PacketType::Ack, Zxid(1)).to_vec();
    head.truncate(12);
    head.extend(length.to_be_bytes());
    head
}
