use super::{Link, Part};
use zooid_proto::{Jute, PacketType, QuorumPacket, Zxid};
use zooid_zab::LinkId;

fn packet(zxid: i64) -> QuorumPacket {
    QuorumPacket::new(PacketType::Commit, Zxid(zxid))
}

#[tokio::test]
async fn what_is_sent_leaves_in_the_order_in_which_it_was_queued() {
    let link = Link::new(LinkId(2));
    let (after, upto) = (Zxid(1), Zxid(9));
    link.push_packet(&packet(1));
    link.push_packet(&packet(2));
    link.push(Part::Log { after, upto });
    link.push_packet(&packet(3));
    let Part::Packets(first) = link.next_part().await else {
        panic!("packets come first");
    };
    assert_eq!(first, [packet(1).to_vec(), packet(2).to_vec()].concat());
    assert!(matches!(link.next_part().await, Part::Log { .. }));
    let Part::Packets(last) = link.next_part().await else {
        panic!("and last");
    };
    assert_eq!(last, packet(3).to_vec());
}

#[tokio::test]
async fn the_first_reason_for_an_end_is_told() {
    let link = Link::new(LinkId(2));
    link.hang_up("the first".to_owned());
    link.hang_up("the second".to_owned());
    assert_eq!(link.hung_up().await, "the first");
}

#[tokio::test]
async fn somebody_who_does_not_read_is_hung_up_on() {
    let link = Link::new(LinkId(2));
    let large = QuorumPacket::with_data(PacketType::Proposal, Zxid(1), vec![0; 64 << 20]);
    for _ in 0..5 {
        link.push_packet(&large);
    }
    let reason = link.hung_up().await;
    assert!(reason.starts_with("it does not read"), "{reason}");
}
