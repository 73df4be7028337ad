use super::{Layout, Role};
use crate::{Kind, Options};
use std::path::Path;

fn lines(layout: &Layout) -> Vec<String> {
    let count = u16::try_from(layout.ports_needed()).expect("few");
    let ports: Vec<u16> = (1..=count).collect();
    let lines = layout.server_lines(&ports).into_iter();
    lines.map(|(key, value)| format!("{key}={value}")).collect()
}

#[test]
fn observers_and_absent_voters_come_after_voters() {
    let layout = Layout::voters(Kind::Zooid, 1)
        .seats_of(Kind::Java, Role::Observer, 1)
        .absent_voter("nobody.invalid");
    assert_eq!(
        lines(&layout),
        [
            "server.1=127.0.0.1:3:4",
            "server.2=127.0.0.1:5:6:observer",
            "server.3=nobody.invalid:7:8",
        ]
    );
}

#[test]
fn groups_have_members_and_members_have_weights() {
    let layout = Layout::in_groups(Kind::Zooid, &[&[2, 0], &[1]]);
    assert_eq!(
        lines(&layout)[3..],
        [
            "group.1=1:2",
            "weight.1=2",
            "weight.2=0",
            "group.2=3",
            "weight.3=1"
        ]
    );
}

#[test]
fn a_second_address_has_the_ports_of_the_first() {
    let layout = Layout::mixed(&[Kind::Zooid, Kind::Java]).at_two_addresses();
    assert_eq!(
        lines(&layout),
        [
            "server.1=127.0.0.1:3:4|127.0.1.1:3:4",
            "server.2=127.0.0.1:5:6|127.0.1.2:5:6",
        ]
    );
}

#[test]
fn options_of_the_test_have_the_last_word() {
    let layout = Layout::voters(Kind::Zooid, 1);
    let options = Options::default().config("syncLimit", "3");
    let own = Layout::member_options(&[], &layout.seats()[0], &options);
    let text = own.zoo_cfg(Path::new("/data"), 1);
    let last = text.lines().rfind(|line| line.starts_with("syncLimit"));
    assert_eq!(last, Some("syncLimit=3"));
}
