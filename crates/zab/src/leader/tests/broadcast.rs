use super::script::{Script, membership, settings, z};
use crate::{EnsembleSettings, LeaderAction, LinkId};
use alloc::vec;
use alloc::vec::Vec;
use zooid_proto::quorum::ForwardedRequest;
use zooid_proto::quorum::SessionTouch;
use zooid_proto::{Jute, SessionId};
use zooid_proto::{PacketType, QuorumPacket, Zxid};

#[test]
fn a_proposal_commits_when_a_quorum_has_it_and_everyone_hears_first() {
    let mut script = Script::established(3);
    assert_eq!(script.propose(), z(5, 1));
    assert_eq!(script.said(), ["2: Proposal 5.1"]);
    script.ack(2, z(5, 1));
    assert_eq!(script.said(), [""; 0]);
    script.persisted(z(5, 1));
    assert_eq!(script.said(), ["2: Commit 5.1", "committed 5.1"]);
}

/// ZOOKEEPER-4882: the others are enough, though the own disk has not reported.
#[test]
fn followers_may_be_faster_than_the_own_disk() {
    let mut script = Script::established(3);
    script.catch_up(3, z(5, 0));
    script.ack(3, z(5, 0));
    script.said();
    script.propose();
    script.ack(2, z(5, 1));
    script.ack(3, z(5, 1));
    assert_eq!(
        script.said()[2..],
        ["2: Commit 5.1", "3: Commit 5.1", "committed 5.1"]
    );
}

#[test]
fn an_acknowledgement_stands_for_everything_before() {
    let mut script = Script::established(3);
    for _ in 0..3 {
        script.propose();
    }
    script.persisted(z(5, 3));
    script.said();
    script.ack(2, z(5, 2));
    assert_eq!(
        script.said(),
        [
            "2: Commit 5.1",
            "2: Commit 5.2",
            "committed 5.1",
            "committed 5.2"
        ]
    );
    script.ack(2, z(5, 1));
    script.ack(2, z(5, 2));
    assert_eq!(script.said(), [""; 0]);
}

/// ZOOKEEPER-4685: followers up to 3.8.4 may acknowledge a proposal before NEWLEADER.
#[test]
fn an_early_acknowledgement_counts_from_the_one_of_newleader_on() {
    let mut script = Script::established(3);
    let zxid = script.propose();
    script.close(2);
    script.persisted(zxid);
    script.catch_up(3, z(4, 8));
    script.said();
    script.ack(3, z(4, 9));
    script.ack(3, zxid);
    assert_eq!(script.said(), [""; 0]);
    script.ack(3, z(5, 0));
    assert_eq!(
        script.said(),
        ["3: UpToDate -1", "3: Commit 5.1", "committed 5.1"]
    );
}

#[test]
fn a_follower_without_a_vote_gets_proposals_and_does_not_count() {
    let mut script = Script::established(3);
    script.catch_up(7, z(4, 9));
    script.ack(7, z(5, 0));
    script.said();
    let zxid = script.propose();
    script.persisted(zxid);
    script.ack(7, zxid);
    assert_eq!(script.said(), ["2: Proposal 5.1", "7: Proposal 5.1"]);
    script.ack(2, zxid);
    assert_eq!(
        script.said(),
        ["2: Commit 5.1", "7: Commit 5.1", "committed 5.1"]
    );
}

#[test]
fn the_last_counter_of_an_epoch_is_never_used() {
    assert_eq!(settings().counter_max, 0xffff_fffe);
    let short = EnsembleSettings {
        counter_max: 2,
        ..settings()
    };
    let mut script = Script::of(&membership(3), &short);
    script.establish();
    assert_eq!(script.leader.next_zxid(), Some(z(5, 1)));
    script.propose();
    assert_eq!(script.leader.next_zxid(), Some(z(5, 2)));
    script.propose();
    assert_eq!(script.leader.next_zxid(), None);
}

#[test]
fn requests_of_learners_are_passed_on() {
    let mut script = Script::established(3);
    let request = ForwardedRequest {
        session: SessionId(5),
        cxid: 6,
        op: 1,
        body: "body".into(),
        ids: Vec::new().into(),
    };
    script.packet(2, &request.to_packet());
    assert_eq!(
        script.actions(),
        [LeaderAction::Request(LinkId(2), request)]
    );
    let touches: Vec<SessionTouch> = (1..=2)
        .map(|id| SessionTouch {
            session: SessionId(id),
            timeout_ms: 4000,
        })
        .collect();
    let data: Vec<u8> = touches.iter().flat_map(Jute::to_vec).collect();
    script.packet(
        2,
        &QuorumPacket::with_data(PacketType::Ping, Zxid::ZERO, data),
    );
    assert_eq!(script.actions(), [LeaderAction::Touched(touches.clone())]);
    let revalidate =
        QuorumPacket::with_data(PacketType::Revalidate, Zxid::NONE, touches[0].to_vec());
    script.packet(2, &revalidate);
    let (link, session) = (LinkId(2), SessionId(1));
    let timeout_ms = 4000;
    assert_eq!(
        script.actions(),
        [LeaderAction::Revalidate {
            link,
            session,
            timeout_ms
        }]
    );
    script.run(|leader, _, _, out| leader.revalidated(link, session, true, out));
    let answer = QuorumPacket::with_data(
        PacketType::Revalidate,
        Zxid::NONE,
        vec![0, 0, 0, 0, 0, 0, 0, 1, 1],
    );
    assert_eq!(script.actions(), [LeaderAction::Send(link, answer)]);
}
