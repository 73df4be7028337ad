//! Scripted exchanges with a leader: one for each road, and for each way off it.

mod script;

use crate::LearnerKind::{Follower, Observer};
use crate::{Epochs, LearnerPhase};
use alloc::vec::Vec;
use script::{Bench, EPOCH, z};
use zooid_proto::PacketType::*;
use zooid_proto::{Epoch, LearnerInfo, Zxid};

#[test]
fn a_follower_goes_the_road_of_diff_and_then_follows() {
    let mut bench = Bench::behind_diff(Follower, z(5, 7));
    assert_eq!(bench.learner.phase(), LearnerPhase::Synchronization);
    assert_eq!(bench.learner.epoch(), Some(EPOCH));
    assert_eq!(bench.hear_committed(z(5, 8)), ["append 5.8", "commit 5.8"]);
    assert!(bench.hear(NewLeader, z(6, 0)).is_empty());
    assert_eq!(bench.persisted(z(5, 8)), ["enter epoch 6"]);
    assert_eq!(bench.epoch_entered(EPOCH), ["send Ack 6.0"]);
    assert_eq!(
        bench.hear(UpToDate, Zxid::NONE),
        ["send Ack 6.0", "serve 6"]
    );
    assert!(bench.learner.is_serving());
    assert_eq!(bench.hear(Proposal, z(6, 1)), ["append 6.1"]);
    assert_eq!(bench.hear(Commit, z(6, 1)), ["commit 6.1"]);
    assert_eq!(bench.persisted(z(6, 1)), ["send Ack 6.1"]);
}
