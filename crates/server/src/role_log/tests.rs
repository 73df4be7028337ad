use super::RoleLog;
use crate::stats::{Counters, Summaries};
use std::sync::atomic::Ordering;
use zooid_node::{PeerPhase, PeerStatus};
use zooid_proto::Epoch;
use zooid_proto::election::PeerState;
use zooid_zab::Epochs;

fn status(state: PeerState, phase: PeerPhase) -> PeerStatus {
    PeerStatus {
        state,
        phase,
        serving: phase == PeerPhase::Broadcast,
        leader: None,
        epochs: Epochs {
            accepted: Epoch(1),
            current: Epoch(1),
        },
        local_sessions: 0,
        leading: None,
    }
}

#[test]
fn the_times_of_an_election_are_measured_from_when_there_was_no_leader() {
    let (counters, mut summaries) = (Counters::default(), Summaries::new());
    let mut log = RoleLog::default();
    let mut at = |now_ms, state, phase| {
        log.changed(now_ms, &status(state, phase), &counters, &mut summaries);
    };
    at(10, PeerState::Looking, PeerPhase::Election);
    at(250, PeerState::Leading, PeerPhase::Discovery);
    at(260, PeerState::Leading, PeerPhase::Synchronization);
    // Nobody came.
    at(1000, PeerState::Looking, PeerPhase::Election);
    at(1200, PeerState::Following, PeerPhase::Discovery);
    at(1300, PeerState::Following, PeerPhase::Broadcast);
    at(1400, PeerState::Following, PeerPhase::Broadcast);
    assert_eq!(counters.elections.load(Ordering::Relaxed), 2);
    assert_eq!(
        (summaries.elections.count, summaries.elections.sum),
        (2, 440)
    );
    assert_eq!(
        (summaries.unavailable.count, summaries.unavailable.sum),
        (1, 1290)
    );
    assert_eq!(summaries.leader_unavailable.count, 0);
    assert_eq!(
        (summaries.follower_syncs.count, summaries.follower_syncs.sum),
        (1, 100)
    );
}

#[test]
fn a_leader_measures_its_own_proposals_only() {
    let (counters, mut summaries) = (Counters::default(), Summaries::new());
    let mut log = RoleLog::default();
    assert_eq!(log.proposal_bytes(), None);
    let leading = status(PeerState::Leading, PeerPhase::Broadcast);
    log.changed(5, &leading, &counters, &mut summaries);
    assert_eq!(log.proposal_bytes(), Some([-1, -1, -1]));
    assert_eq!(log.leader_uptime_ms(7), Some(2));
    for bytes in [40, 90, 60] {
        log.proposed(bytes);
    }
    assert_eq!(log.proposal_bytes(), Some([60, 40, 90]));
    let looking = status(PeerState::Looking, PeerPhase::Election);
    log.changed(8, &looking, &counters, &mut summaries);
    assert_eq!(log.proposal_bytes(), None);
    log.changed(9, &leading, &counters, &mut summaries);
    assert_eq!(log.proposal_bytes(), Some([-1, -1, -1]));
}
