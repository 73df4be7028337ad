use super::*;
use crate::testing::{ensemble, serving};
use expect_test::expect;

const FIRST: MemberId = MemberId(1);
const SECOND: MemberId = MemberId(2);
const THIRD: MemberId = MemberId(3);

fn started(servers: u16) -> Ensemble {
    let mut ensemble = ensemble(servers, 0);
    for number in 1..=servers {
        ensemble.started(MemberId(number), pid(MemberId(number)));
    }
    ensemble
}

fn pid(id: MemberId) -> u32 {
    100 + u32::from(id.0)
}

fn says(ensemble: &mut Ensemble, id: MemberId, answer: Option<Answer>) -> Vec<String> {
    let changes = ensemble.observed(id, pid(id), answer, Instant::now());
    changes.iter().map(ToString::to_string).collect()
}

fn exit() -> Ending {
    Ending::ByItself {
        how: "exit code 1".to_owned(),
        last_lines: vec!["ERROR out of luck".to_owned()],
    }
}

/// Three that serve, the second leading.
fn settled() -> Ensemble {
    let mut ensemble = started(3);
    says(&mut ensemble, SECOND, serving(Role::Leader, 0));
    says(&mut ensemble, FIRST, serving(Role::Follower, 0));
    says(&mut ensemble, THIRD, serving(Role::Follower, 0));
    assert!(ensemble.is_ready());
    ensemble
}

#[test]
fn it_is_ready_once_when_all_serve() {
    let mut ensemble = started(3);
    let mut said = Vec::new();
    said.extend(says(&mut ensemble, FIRST, Some(Answer::NotServing)));
    said.extend(says(&mut ensemble, SECOND, None));
    said.extend(says(&mut ensemble, SECOND, serving(Role::Leader, 0)));
    said.extend(says(&mut ensemble, FIRST, serving(Role::Follower, 0)));
    assert!(!ensemble.is_ready());
    said.extend(says(&mut ensemble, THIRD, serving(Role::Follower, 0)));
    said.extend(says(&mut ensemble, THIRD, serving(Role::Follower, 9)));
    expect![[r#"
        server 1: not serving
        server 2: leader, epoch 2
        server 1: follower, epoch 2
        server 3: follower, epoch 2
        ready: 127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn a_server_that_ends_keeps_nobody_waiting() {
    let mut ensemble = started(3);
    says(&mut ensemble, FIRST, serving(Role::Leader, 0));
    says(&mut ensemble, SECOND, serving(Role::Follower, 0));
    let changes = ensemble.ended(THIRD, exit());
    let said: Vec<String> = changes.iter().map(ToString::to_string).collect();
    expect![[r#"
        server 3: ended by itself: exit code 1
        server 3 | ERROR out of luck
        ready: 127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183"#]]
    .assert_eq(&said.join("\n"));
    assert!(!ensemble.has_failed());
}

#[test]
fn roles_change_when_the_leader_is_killed() {
    let mut ensemble = settled();
    assert_eq!(ensemble.leader(), Some(SECOND));
    assert_eq!(
        ensemble.ended(SECOND, Ending::Killed),
        [Change::Killed { id: SECOND }]
    );
    assert_eq!(ensemble.leader(), None);
    assert!(!ensemble.is_ready());
    let said = says(&mut ensemble, THIRD, serving(Role::Leader, 0));
    assert_eq!(said, ["server 3: leader, epoch 2"]);
    assert!(ensemble.is_ready());
}

#[test]
fn an_answer_of_the_process_before_is_not_heard() {
    let mut ensemble = settled();
    ensemble.ended(SECOND, Ending::Killed);
    ensemble.started(SECOND, 555);
    let said = says(&mut ensemble, SECOND, serving(Role::Leader, 0));
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(ensemble.leader(), None);
}

#[test]
fn a_server_that_misses_a_question_or_two_is_still_there() {
    let mut ensemble = settled();
    let misses = |ensemble: &mut Ensemble, count| -> Vec<String> {
        (0..count)
            .flat_map(|_| says(ensemble, FIRST, None))
            .collect()
    };
    assert!(misses(&mut ensemble, MISSES_MAX - 1).is_empty());
    says(&mut ensemble, FIRST, serving(Role::Follower, 0));
    assert!(misses(&mut ensemble, MISSES_MAX - 1).is_empty());
    assert_eq!(misses(&mut ensemble, 5), ["server 1: does not answer"]);
    let said = says(&mut ensemble, FIRST, serving(Role::Follower, 0));
    assert_eq!(said, ["server 1: follower, epoch 2"]);
}

#[test]
fn operations_are_counted_without_the_questions() {
    let mut ensemble = started(1);
    let begin = Instant::now();
    let mut probe = |received, millis| {
        let now = begin + Duration::from_millis(millis);
        ensemble.observed(FIRST, pid(FIRST), serving(Role::Standalone, received), now);
        ensemble.members[0].serving().unwrap().ops_per_second
    };
    assert_eq!(probe(1_000_000, 0), 0);
    assert_eq!(probe(1_000_002, 500), 0);
    assert_eq!(probe(1_000_104, 1000), 200);
    // Somebody reset the statistics.
    assert_eq!(probe(3, 1500), 0);
    assert_eq!(probe(15, 1500), 10_000);
}

#[test]
fn an_ensemble_fails_when_all_end_by_themselves() {
    let mut ensemble = settled();
    ensemble.ended(FIRST, exit());
    ensemble.ended(SECOND, Ending::Killed);
    ensemble.ended(THIRD, exit());
    assert!(!ensemble.has_failed());
    ensemble.started(SECOND, pid(SECOND));
    assert!(!ensemble.has_failed());
    ensemble.ended(SECOND, exit());
    assert!(ensemble.has_failed());
}

#[test]
fn what_servers_say_while_they_stop_is_not_told() {
    let mut ensemble = settled();
    ensemble.is_stopping = true;
    assert!(says(&mut ensemble, FIRST, Some(Answer::NotServing)).is_empty());
    assert_eq!(
        ensemble.ended(FIRST, Ending::Stopped(None)),
        [Change::Stopped {
            id: FIRST,
            how: None
        }]
    );
}
