//! Members that find each other by names of a name server: names that are known late, that nobody answers
//! about, and that come to mean other addresses.

mod directory;

use std::process::Command;
use zooid_interop::Kind;

#[test]
fn members_whose_names_are_known_late_join_without_a_restart() {
    play("late");
}

#[test]
fn a_name_server_that_never_answers_about_one_member_holds_up_no_other() {
    play("silent");
}

#[test]
fn members_that_come_back_under_their_names_at_other_addresses_are_found() {
    play("moving");
}

fn play(trouble: &str) {
    let kind = match Kind::under_test() {
        Kind::Java => "java",
        Kind::Zooid => "zooid",
    };
    let directory = directory::fresh(&format!("names-{trouble}"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_zooid-faults"));
    command.args(["names", trouble, "--kind", kind, "--directory"]);
    let status = command.arg(&directory).status().expect("it starts");
    assert!(status.success(), "see {}", directory.display());
}
