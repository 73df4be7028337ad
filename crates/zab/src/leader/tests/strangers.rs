//! Learners that are confused, outdated or hostile.

use super::script::{Script, z};
use crate::LinkId;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zooid_proto::{Jute, LearnerInfo, PacketType, QuorumPacket, ServerId, Zxid};

fn info(id: i64, protocol_version: i32, config_version: i64) -> QuorumPacket {
    let info = LearnerInfo {
        server_id: ServerId(id),
        protocol_version,
        config_version,
    };
    QuorumPacket::with_data(PacketType::FollowerInfo, z(4, 0), info.to_vec())
}

/// What is said to a link that begins with a packet.
fn answer(packet: &QuorumPacket) -> Vec<String> {
    let mut script = Script::established(3);
    script.open(30);
    script.packet(30, packet);
    let said = script.said_to(30);
    script.packet(30, packet);
    if said.iter().any(|line| line.starts_with("hangup")) {
        assert_eq!(script.said(), [""; 0], "nobody listens any more");
    }
    said
}

#[test]
fn an_introduction_comes_first() {
    for kind in [
        PacketType::Ack,
        PacketType::AckEpoch,
        PacketType::Ping,
        PacketType::Request,
    ] {
        assert_eq!(
            answer(&QuorumPacket::new(kind, Zxid::ZERO)),
            [format!("hangup, {kind:?} instead of an introduction")]
        );
    }
}

#[test]
fn not_everyone_is_taken() {
    let version = LearnerInfo::PROTOCOL_VERSION;
    assert_eq!(answer(&info(3, version, 7)), ["LeaderInfo 5.0"]);
    assert_eq!(
        answer(&info(3, version, 8)),
        ["hangup, 3 has a newer configuration"]
    );
    assert_eq!(
        answer(&info(3, 1, 0)),
        ["hangup, 3 speaks protocol 0x1, older than 3.4"]
    );
    assert_eq!(
        answer(&info(1, version, 7)),
        ["hangup, it calls itself 1, as this server does"]
    );
    for epoch in [-1, 0x7fff_ffff] {
        let packet = QuorumPacket {
            zxid: Zxid(epoch << 32),
            ..info(3, version, 7)
        };
        assert_eq!(
            answer(&packet),
            [format!(
                "hangup, 3 has accepted the impossible epoch {epoch}"
            )]
        );
    }
    let short = QuorumPacket::with_data(PacketType::FollowerInfo, z(4, 0), "short");
    let said = answer(&short);
    assert!(said[0].starts_with("hangup, bad introduction"), "{said:?}");
}

#[test]
fn who_does_not_say_its_name_gets_one() {
    let mut script = Script::established(3);
    for link in [30, 31] {
        script.open(link);
        script.packet(link, &QuorumPacket::new(PacketType::ObserverInfo, z(4, 0)));
    }
    let ids: Vec<i64> = script
        .leader
        .status()
        .learners
        .iter()
        .map(|learner| learner.id.0)
        .collect();
    assert_eq!(ids, [2, -1, -2]);
}

#[test]
fn the_newer_of_two_connections_of_a_server_stays() {
    let mut script = Script::established(3);
    script.introduce(30, PacketType::FollowerInfo, 2, z(5, 0));
    assert_eq!(
        script.said(),
        ["2: hangup, 2 has connected anew", "30: LeaderInfo 5.0"]
    );
    script.close(2);
    script.promise(30, z(5, 0));
    script.ack(30, z(5, 0));
    let zxid = script.propose();
    script.persisted(zxid);
    script.ack(2, zxid);
    assert_eq!(script.leader.last_committed(), z(5, 0));
    script.ack(30, zxid);
    assert_eq!(script.leader.last_committed(), zxid);
}

#[test]
fn what_was_never_proposed_cannot_be_acknowledged() {
    for zxid in [z(5, 2), z(6, 0), z(6, 1), Zxid(i64::MAX)] {
        let mut script = Script::established(3);
        script.propose();
        script.said();
        script.ack(2, zxid);
        assert_eq!(
            script.said(),
            [format!(
                "2: hangup, 2 acknowledges {zxid}, which was never proposed"
            )]
        );
    }
}

#[test]
fn an_acknowledgement_from_the_past_says_nothing() {
    let mut script = Script::established(3);
    let zxid = script.propose();
    script.persisted(zxid);
    script.said();
    for old in [
        Zxid::NONE,
        Zxid::ZERO,
        z(4, 0),
        z(4, 9),
        z(5, 0),
        Zxid(i64::MIN),
    ] {
        script.ack(2, old);
    }
    assert_eq!(script.said(), [""; 0]);
    script.catch_up(3, z(4, 9));
    script.ack(3, z(4, 0));
    script.ack(3, z(4, 9));
    assert!(!script.said_to(3).contains(&"UpToDate -1".into()));
}

/// Every packet in every stage is either what the protocol foresees or the end of the link.
#[test]
fn packets_out_of_order_end_the_link() {
    let all = (1..=19).filter_map(PacketType::from_code);
    for kind in all {
        for stage in 0..4 {
            let mut script = Script::established(3);
            script.propose();
            if stage > 0 {
                script.join(3, z(4, 9));
            }
            if stage > 1 {
                script.promise(3, z(4, 9));
            }
            if stage > 2 {
                script.ack(3, z(5, 0));
            }
            script.open(3);
            script.said();
            for data in [None, Some("x"), Some("0123456789abcdefghij")] {
                let packet = QuorumPacket {
                    data: data.map(Into::into),
                    ..QuorumPacket::new(kind, z(4, 1))
                };
                script.packet(3, &packet);
            }
            script.packet(2, &QuorumPacket::new(PacketType::Ping, Zxid::ZERO));
            assert!(script.leader.is_established());
            assert_eq!(script.leader.last_committed(), z(5, 0));
        }
    }
}

#[test]
fn nobody_may_ask_before_it_is_up_to_date() {
    for kind in [
        PacketType::Request,
        PacketType::Revalidate,
        PacketType::FollowerInfo,
    ] {
        let mut script = Script::established(3);
        script.catch_up(3, z(4, 9));
        script.said();
        script.packet(
            3,
            &QuorumPacket::with_data(kind, Zxid::NONE, "0123456789abcdef"),
        );
        let said = script.said();
        assert!(
            said[0].starts_with(&format!("3: hangup, {kind:?} from 3 while Syncing")),
            "{said:?}"
        );
    }
}

#[test]
fn damaged_packets_end_the_link() {
    for kind in [
        PacketType::Request,
        PacketType::Revalidate,
        PacketType::Ping,
    ] {
        let mut script = Script::established(3);
        script.packet(2, &QuorumPacket::with_data(kind, Zxid::NONE, "short"));
        let said = script.said();
        assert!(said[0].starts_with("2: hangup, bad "), "{said:?}");
    }
    let mut script = Script::established(3);
    script.join(3, z(4, 9));
    script.said();
    script.packet(3, &QuorumPacket::new(PacketType::AckEpoch, z(4, 9)));
    assert!(script.said()[0].starts_with("3: hangup, bad ACKEPOCH"));
}

#[test]
fn answers_for_links_that_are_gone_go_nowhere() {
    let mut script = Script::established(3);
    script.close(2);
    script.close(2);
    script.close(77);
    script.sync(2);
    script.ack(2, z(5, 1));
    script.probed(2, crate::LogProbe::Unknown);
    script.run(|leader, _, _, out| {
        leader.revalidated(LinkId(2), zooid_proto::SessionId(1), true, out);
    });
    assert_eq!(script.said(), [""; 0]);
}
