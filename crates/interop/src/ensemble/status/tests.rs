use super::{Mode, Status};

#[test]
fn fields_are_known_by_their_names_without_the_prefix() {
    let answer = "zk_version\t3.8.0-build\nzk_server_state\tleader\nzk_synced_followers\t2.0\n";
    let status = Status::parse(answer).expect("it serves");
    assert_eq!(status.mode, Mode::Leader);
    assert_eq!(status.field("version"), Some("3.8.0-build"));
    assert_eq!(status.number("synced_followers"), Some(2));
    assert_eq!(status.number("version"), None);
}

#[test]
fn a_server_that_serves_nobody_has_no_status() {
    let answer = "This ZooKeeper instance is not currently serving requests\n";
    assert!(Status::parse(answer).is_none());
    assert!(Status::parse("").is_none());
    assert!(Status::parse("zk_server_state\tread-only\n").is_none());
}
