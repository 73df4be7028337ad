use super::{snapshot_size_factor, view};
use std::collections::BTreeSet;
use zooid_config::ServerList;
use zooid_proto::ServerId;
use zooid_zab::{Group, QuorumVerifier, View};

fn view_of(lines: &str) -> View {
    view(&ServerList::parse_config_text(lines, false).expect("it is valid"))
}

fn ids(ids: &[i64]) -> BTreeSet<ServerId> {
    ids.iter().copied().map(ServerId).collect()
}

#[test]
fn observers_follow_and_do_not_count() {
    let servers = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2:observer\n";
    let view = view_of(servers);
    assert_eq!(view.verifier, QuorumVerifier::Majority(ids(&[1, 2])));
    assert_eq!(view.voters, ids(&[1, 2]));
    assert_eq!(view.observers, ids(&[3]));
    let text = "server.1=a:1:2:participant\nserver.2=b:1:2:participant\n\
                server.3=c:1:2:observer\nversion=0";
    assert_eq!(view.text, text.as_bytes());
}

#[test]
fn groups_have_the_weights_of_their_members() {
    let servers = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n\
                   group.1=1:2\ngroup.2=3\nweight.1=5\n";
    let view = view_of(servers);
    let group = |members: &[(i64, u64)]| Group {
        members: members.iter().map(|(id, w)| (ServerId(*id), *w)).collect(),
    };
    let groups = vec![group(&[(1, 5), (2, 1)]), group(&[(3, 1)])];
    assert_eq!(view.verifier, QuorumVerifier::Hierarchical(groups));
}

#[test]
fn a_snapshot_size_factor_above_one_is_taken_for_a_mistake() {
    assert_eq!(snapshot_size_factor(-1.0), None);
    assert_eq!(snapshot_size_factor(0.0), Some(f64::INFINITY));
    assert_eq!(snapshot_size_factor(0.5), Some(0.5));
    assert_eq!(snapshot_size_factor(1.5), Some(0.33));
}
