//! Following.

use super::script::{Bench, packet, resigned, z};
use crate::LearnerKind::{Follower, Observer};
use crate::{Learner, LearnerAction, LearnerPhase};
use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_proto::PacketType::{
    Ack, Commit, CommitAndActivate, Diff, FollowerInfo, Inform, InformAndActivate, LeaderInfo,
    NewLeader, Ping, Proposal, Request, Revalidate, Snap, Sync, Trunc, UpToDate,
};
use zooid_proto::quorum::{ForwardedRequest, SessionTouch, decode_touches};
use zooid_proto::{Id, QuorumPacket, SessionId, Zxid};

fn sent(
    bench: &mut Bench,
    input: impl FnOnce(&mut Learner, &mut Vec<LearnerAction>),
) -> QuorumPacket {
    let mut out = Vec::new();
    input(&mut bench.learner, &mut out);
    match out.as_slice() {
        [LearnerAction::Send(packet)] => packet.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn proposals_are_acknowledged_one_by_one_when_they_are_durable() {
    let mut bench = Bench::serving(Follower, z(5, 7));
    for counter in 1..=3 {
        bench.hear(Proposal, z(6, counter));
    }
    assert_eq!(bench.persisted(z(6, 2)), ["send Ack 6.1", "send Ack 6.2"]);
    assert_eq!(bench.persisted(z(6, 2)), [""; 0]);
    assert_eq!(bench.persisted(z(6, 3)), ["send Ack 6.3"]);
}

#[test]
fn a_commit_does_not_wait_for_the_disk() {
    let mut bench = Bench::serving(Follower, z(5, 7));
    bench.hear(Proposal, z(6, 1));
    assert_eq!(bench.hear(Commit, z(6, 1)), ["commit 6.1"]);
    assert_eq!(bench.persisted(z(6, 1)), ["send Ack 6.1"]);
}

#[test]
fn what_was_durable_too_early_is_not_durable() {
    let mut bench = Bench::serving(Follower, z(5, 7));
    assert_eq!(bench.persisted(z(6, 9)), [""; 0]);
    bench.hear(Proposal, z(6, 1));
    bench.hear(Proposal, z(6, 2));
    assert_eq!(bench.persisted(z(6, 1)), ["send Ack 6.1"]);
}

#[test]
fn a_commit_for_another_than_the_oldest_proposal_halts() {
    for zxid in [z(6, 2), z(6, 3), z(5, 7)] {
        let mut bench = Bench::serving(Follower, z(5, 7));
        bench.hear(Proposal, z(6, 1));
        bench.hear(Proposal, z(6, 2));
        let words = bench.hear(Commit, zxid);
        assert!(words[0].starts_with("halt: COMMIT"), "{words:?}");
        assert!(words[0].ends_with("0x600000001 is next"), "{words:?}");
        assert_eq!(bench.hear(Commit, z(6, 1)), [""; 0]);
    }
}

#[test]
fn a_commit_with_nothing_pending_is_ignored() {
    let mut bench = Bench::serving(Follower, z(5, 7));
    assert_eq!(bench.hear(Commit, z(6, 1)), [""; 0]);
    assert!(bench.learner.is_serving());
}

#[test]
fn a_gap_or_a_step_back_is_refused() {
    for zxid in [z(6, 3), z(6, 1), z(5, 8), z(7, 2), z(7, 0)] {
        let mut bench = Bench::serving(Follower, z(5, 7));
        bench.hear(Proposal, z(6, 1));
        let words = bench.hear(Proposal, zxid);
        assert!(resigned(&words).contains("does not follow"), "{words:?}");
    }
}

#[test]
fn an_observer_applies_what_it_is_informed_of() {
    let mut bench = Bench::serving(Observer, z(5, 7));
    assert_eq!(bench.hear(Inform, z(6, 1)), ["append 6.1", "commit 6.1"]);
    assert_eq!(
        bench.hear(InformAndActivate, z(6, 2)),
        ["append 6.2", "commit 6.2"]
    );
    assert_eq!(bench.persisted(z(6, 2)), [""; 0]);
    assert_eq!(bench.hear(Proposal, z(6, 3)), [""; 0]);
    assert_eq!(bench.hear(Commit, z(6, 3)), [""; 0]);
    assert_eq!(bench.hear(Inform, z(6, 3)), ["append 6.3", "commit 6.3"]);
    let words = bench.hear(Inform, z(6, 5));
    assert!(resigned(&words).contains("does not follow"), "{words:?}");
}

#[test]
fn a_change_of_configuration_commits_like_anything_else() {
    let mut bench = Bench::serving(Follower, z(5, 7));
    bench.hear(Proposal, z(6, 1));
    assert_eq!(bench.hear(CommitAndActivate, z(6, 1)), ["commit 6.1"]);
}

#[test]
fn a_ping_is_answered_with_the_sessions_heard_of() {
    let mut bench = Bench::serving(Follower, z(5, 7));
    assert_eq!(bench.hear(Ping, z(6, 3)), ["ping 6.3"]);
    let touches = vec![
        SessionTouch {
            session: SessionId(0x11),
            timeout_ms: 4000,
        },
        SessionTouch {
            session: SessionId(0x12),
            timeout_ms: 6000,
        },
    ];
    let pong = sent(&mut bench, |learner, out| {
        learner.pong(z(6, 3), &touches, out);
    });
    assert_eq!((pong.kind, pong.zxid), (Ping, z(6, 3)));
    assert_eq!(decode_touches(&pong.data.unwrap()).unwrap(), touches);
    let silent = sent(&mut bench, |learner, out| learner.pong(z(6, 3), &[], out));
    assert_eq!(silent.data, Some(Bytes::new()));
}

#[test]
fn a_clients_request_goes_to_the_leader_as_it_is() {
    let mut bench = Bench::serving(Follower, z(5, 7));
    let request = ForwardedRequest {
        session: SessionId(0x11),
        cxid: 4,
        op: 5,
        body: Bytes::from_static(b"body"),
        ids: vec![Id::new("ip", "127.0.0.1")].into(),
    };
    let packet = sent(&mut bench, |learner, out| learner.request(&request, out));
    assert_eq!((packet.kind, packet.zxid), (Request, Zxid::NONE));
    assert_eq!(ForwardedRequest::from_packet(&packet).unwrap(), request);
}

#[test]
fn syncs_and_sessions_are_answered_in_the_leaders_order() {
    let mut bench = Bench::serving(Follower, z(5, 7));
    let asked = sent(&mut bench, |learner, out| {
        learner.revalidate(SessionId(0x11), 4000, out);
    });
    assert_eq!((asked.kind, asked.zxid), (Revalidate, Zxid::NONE));
    let mut data = 0x11i64.to_be_bytes().to_vec();
    data.extend_from_slice(&4000i32.to_be_bytes());
    assert_eq!(asked.data.unwrap().as_ref(), data);

    bench.hear(Proposal, z(6, 1));
    assert_eq!(bench.hear(Commit, z(6, 1)), ["commit 6.1"]);
    assert_eq!(bench.hear(Sync, Zxid::ZERO), ["sync done"]);
    for (byte, valid) in [(1, true), (0, false)] {
        let mut data = 0x11i64.to_be_bytes().to_vec();
        data.push(byte);
        let answer = QuorumPacket::with_data(Revalidate, Zxid::NONE, data);
        let words = bench.hear_packet(&answer);
        assert_eq!(words, [alloc::format!("revalidated 0x11 {valid}")]);
    }
}

#[test]
fn an_answer_about_a_session_must_be_whole() {
    for data in [None, Some(Bytes::from_static(&[0; 8]))] {
        let mut bench = Bench::serving(Follower, z(5, 7));
        let mut answer = packet(Revalidate, Zxid::NONE);
        answer.data = data;
        let words = bench.hear_packet(&answer);
        assert!(resigned(&words).starts_with("malformed Revalidate"));
    }
}

#[test]
fn orders_out_of_place_are_refused() {
    for kind in [
        UpToDate,
        NewLeader,
        LeaderInfo,
        Diff,
        Trunc,
        Snap,
        Ack,
        Request,
        FollowerInfo,
    ] {
        let mut bench = Bench::serving(Follower, z(5, 7));
        let words = bench.hear(kind, z(6, 0));
        assert!(resigned(&words).ends_with("during broadcast"), "{words:?}");
        assert_eq!(bench.learner.phase(), LearnerPhase::Discovery);
        assert!(!bench.learner.is_serving());
    }
    let mut bench = Bench::serving(Follower, z(5, 7));
    assert!(resigned(&bench.snapshot(z(6, 0))).ends_with("out of place"));
}

#[test]
fn nothing_of_clients_leaves_before_uptodate_or_after_the_end() {
    let mut early = Bench::behind_diff(Follower, z(5, 7));
    let mut late = Bench::serving(Follower, z(5, 7));
    late.link_down();
    for bench in [&mut early, &mut late] {
        let words = bench.act(|learner, _, out| {
            learner.revalidate(SessionId(1), 4000, out);
            learner.pong(z(6, 0), &[], out);
        });
        assert_eq!(words, [""; 0]);
    }
}
