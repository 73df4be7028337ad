use super::*;
use alloc::vec::Vec;

/// Epoch and counter.
fn z(epoch: i64, counter: i64) -> Zxid {
    Zxid((epoch << 32) + counter)
}

/// A window of (4, 5)–(4, 9), (5, 1)–(5, 3) at the end of a longer history.
fn window() -> History {
    let mut history = History::new(100, z(4, 4));
    let zxids = (5..=9).map(|n| z(4, n)).chain((1..=3).map(|n| z(5, n)));
    for zxid in zxids {
        history.push(zxid, Bytes::new());
    }
    history
}

fn rules() -> SyncRules {
    SyncRules {
        force_snapshot: false,
        use_log: true,
        inherited: z(5, 3),
        durable: z(5, 3),
    }
}

fn found(prev: Zxid, next: Zxid) -> Option<LogProbe> {
    Some(LogProbe::Found { prev, next })
}

fn diff(zxid: Zxid, after: Zxid) -> SyncPlan {
    let missing = Missing::after(after);
    SyncPlan::Diff { zxid, missing }
}

fn trunc(to: Zxid) -> SyncPlan {
    let missing = Missing::after(to);
    SyncPlan::Trunc { to, missing }
}

#[test]
fn a_learner_that_has_everything_gets_an_empty_diff() {
    assert_eq!(
        choose(z(5, 3), &window(), rules(), None),
        diff(z(5, 3), z(5, 3))
    );
    let empty = History::new(100, Zxid::ZERO);
    assert_eq!(
        choose(Zxid::ZERO, &empty, rules(), None),
        diff(Zxid::ZERO, Zxid::ZERO)
    );
}

#[test]
fn a_learner_within_the_window_gets_the_rest_of_it() {
    for peer in [z(4, 5), z(4, 7), z(4, 9), z(5, 1)] {
        assert_eq!(
            choose(peer, &window(), rules(), None),
            diff(z(5, 3), peer),
            "{peer}"
        );
    }
}

#[test]
fn the_start_of_an_epoch_is_a_place_in_the_history_though_no_transaction_has_it() {
    assert_eq!(
        choose(z(5, 0), &window(), rules(), None),
        diff(z(5, 3), z(5, 0))
    );
    let mut history = window();
    history.push(z(7, 1), Bytes::new());
    assert_eq!(
        choose(z(6, 0), &history, rules(), None),
        diff(z(7, 1), z(6, 0))
    );
    // What came after it is unknown here, and there is nothing to cut.
    assert_eq!(
        choose(z(6, 0), &window(), rules(), None),
        SyncPlan::Snapshot
    );
}

#[test]
fn a_tail_that_nobody_else_has_is_cut_within_its_epoch() {
    assert_eq!(choose(z(5, 4), &window(), rules(), None), trunc(z(5, 3)));
    assert_eq!(
        choose(z(6, 1), &window(), rules(), None),
        SyncPlan::Snapshot
    );
    let mut history = window();
    history.advance_to(z(6, 0));
    assert_eq!(choose(z(5, 4), &history, rules(), None), trunc(z(5, 3)));
    assert_eq!(choose(z(6, 1), &history, rules(), None), SyncPlan::Snapshot);
}

#[test]
fn a_tail_that_a_newer_epoch_has_gone_past_is_replaced_by_a_snapshot() {
    let mut history = window();
    history.push(z(6, 1), Bytes::new());
    for peer in [z(5, 5), z(4, 12)] {
        assert_eq!(choose(peer, &history, rules(), None), SyncPlan::Snapshot);
    }
}

#[test]
fn an_epoch_without_transactions_ends_where_the_reign_began() {
    let rules = SyncRules {
        inherited: z(4, 9),
        durable: z(4, 9),
        ..rules()
    };
    let mut history = History::new(100, z(4, 9));
    history.advance_to(z(5, 0));
    assert_eq!(
        choose(z(5, 0), &history, rules, None),
        diff(z(5, 0), z(5, 0))
    );
    assert_eq!(
        choose(z(4, 9), &history, rules, None),
        diff(z(4, 9), z(4, 9))
    );
    assert_eq!(choose(z(4, 11), &history, rules, None), trunc(z(4, 9)));
    assert_eq!(choose(z(5, 1), &history, rules, None), SyncPlan::Snapshot);
    assert_eq!(choose(z(4, 7), &history, rules, None), SyncPlan::Probe);
    assert_eq!(
        choose(z(4, 7), &history, rules, found(z(4, 7), z(4, 8))),
        SyncPlan::Diff {
            zxid: z(4, 9),
            missing: Missing::from_log(z(4, 7), z(4, 9)),
        }
    );
}

#[test]
fn before_the_window_the_log_is_asked_and_overlaps_the_window() {
    assert_eq!(choose(z(4, 2), &window(), rules(), None), SyncPlan::Probe);
    assert_eq!(
        choose(z(4, 2), &window(), rules(), found(z(4, 2), z(4, 3))),
        SyncPlan::Diff {
            zxid: z(5, 3),
            missing: Missing::from_log(z(4, 2), z(4, 5)),
        }
    );
    assert_eq!(
        choose(z(4, 0), &window(), rules(), found(z(3, 8), z(4, 1))),
        SyncPlan::Diff {
            zxid: z(5, 3),
            missing: Missing::from_log(z(3, 8), z(4, 5)),
        }
    );
}

#[test]
fn the_log_says_where_to_cut() {
    let rules = SyncRules {
        inherited: z(5, 3),
        ..rules()
    };
    let mut history = History::new(1, z(5, 2));
    history.push(z(5, 3), Bytes::new());
    assert_eq!(
        choose(z(4, 7), &history, rules, found(z(4, 6), z(4, 8))),
        SyncPlan::Trunc {
            to: z(4, 6),
            missing: Missing::from_log(z(4, 6), z(5, 3)),
        }
    );
    // (4, 9) was never committed; the history went on at (5, 1).
    assert_eq!(
        choose(z(4, 9), &history, rules, found(z(4, 8), z(5, 1))),
        SyncPlan::Snapshot
    );
    assert_eq!(
        choose(z(4, 1), &history, rules, found(z(3, 7), z(5, 1))),
        SyncPlan::Snapshot
    );
}

#[test]
fn what_the_log_does_not_prove_is_a_snapshot() {
    let choose = |probe, rules| choose(z(4, 2), &window(), rules, probe);
    assert_eq!(choose(Some(LogProbe::Unknown), rules()), SyncPlan::Snapshot);
    let nonsense = [
        found(z(4, 3), z(4, 4)),
        found(z(4, 1), z(4, 2)),
        found(z(4, 2), z(4, 6)),
    ];
    for probe in nonsense {
        assert_eq!(choose(probe, rules()), SyncPlan::Snapshot, "{probe:?}");
    }
    let no_log = SyncRules {
        use_log: false,
        ..rules()
    };
    assert_eq!(choose(None, no_log), SyncPlan::Snapshot);
    // The quorum was faster than this server's own disk (ZOOKEEPER-4882).
    let behind = SyncRules {
        durable: z(4, 4),
        ..rules()
    };
    assert_eq!(choose(None, behind), SyncPlan::Snapshot);
}

#[test]
fn a_snapshot_can_be_forced() {
    let forced = SyncRules {
        force_snapshot: true,
        ..rules()
    };
    for peer in [z(5, 3), z(4, 7), z(5, 4), z(4, 2)] {
        assert_eq!(choose(peer, &window(), forced, None), SyncPlan::Snapshot);
    }
}

/// So asks a learner for whom nothing else will do.
#[test]
fn whoever_claims_the_start_of_an_epoch_to_come_gets_a_snapshot() {
    for log_sync in [true, false] {
        let rules = SyncRules {
            use_log: log_sync,
            ..rules()
        };
        assert_eq!(choose(z(9, 0), &window(), rules, None), SyncPlan::Snapshot);
    }
}

#[test]
fn a_learner_without_any_history_gets_a_snapshot() {
    assert_eq!(
        choose(Zxid::NONE, &window(), rules(), found(z(4, 1), z(4, 2))),
        SyncPlan::Snapshot
    );
    assert_eq!(
        choose(Zxid::ZERO, &window(), rules(), Some(LogProbe::Unknown)),
        SyncPlan::Snapshot
    );
}

/// What a plan makes of a learner's history is always the leader's.
#[test]
fn every_road_leads_to_the_same_history() {
    let log: Vec<Zxid> = (1..=9)
        .map(|n| z(4, n))
        .chain((1..=3).map(|n| z(5, n)))
        .collect();
    let mut learners: Vec<Vec<Zxid>> = (0..=log.len()).map(|n| log[..n].to_vec()).collect();
    for tail in [z(4, 10), z(5, 4)] {
        let shared = log.iter().take_while(|zxid| **zxid < tail);
        learners.push(shared.copied().chain([tail]).collect());
    }
    for learner in learners {
        let peer = learner.last().copied().unwrap_or(Zxid::ZERO);
        let at = log.partition_point(|zxid| *zxid <= peer);
        let probe = match (at.checked_sub(1), log.get(at)) {
            (Some(prev), Some(next)) => found(log[prev], *next),
            _ => Some(LogProbe::Unknown),
        };
        let (mut have, missing) = match choose(peer, &window(), rules(), probe) {
            SyncPlan::Diff { missing, .. } => (learner, missing),
            SyncPlan::Trunc { to, missing } => {
                let have = learner.into_iter().filter(|zxid| *zxid <= to);
                (have.collect(), missing)
            }
            SyncPlan::Snapshot => continue,
            SyncPlan::Probe => panic!("it has been asked"),
        };
        if let Some((after, upto)) = missing.log {
            have.extend(log.iter().filter(|zxid| **zxid > after && **zxid <= upto));
        }
        have.extend(
            window()
                .iter()
                .map(|(zxid, _)| zxid)
                .filter(|zxid| *zxid > missing.window_after),
        );
        assert_eq!(have, log, "{peer}");
    }
}
