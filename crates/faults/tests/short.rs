//! Ensembles through every kind of fault, each once, on both ways from member to member. Longer:
//! `scripts/test-faults`.
//!
//! `INTEROP_SEED=7` plays what that seed says; `INTEROP_SERVER=java` tests the test.

mod directory;

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use zooid_interop::Kind;

#[test]
fn three_members_come_through_every_kind_of_fault() {
    play_each_once("three", 3, "wires");
}

#[test]
fn five_members_come_through_every_kind_of_fault() {
    play_each_once("five", 5, "direct");
}

/// Without namespaces there is nothing to test, and nobody may believe otherwise.
#[test]
fn a_system_without_namespaces_is_a_failure_that_says_so() {
    let directory = directory::fresh("no-namespaces");
    let refusing = directory.join("unshare");
    let script = "#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n";
    fs::write(&refusing, script).expect("it is written");
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&refusing, executable).expect("it may run");

    let mut round = round(&directory.join("round"), 1, 3);
    let output = round.env("PATH", &directory).output().expect("it starts");
    assert!(!output.status.success(), "nothing was played");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("Operation not permitted"), "{told}");
    assert!(
        told.contains("run this as root, or allow user namespaces"),
        "{told}"
    );
}

fn play_each_once(name: &str, members: usize, way: &str) {
    let seed = env::var("INTEROP_SEED").ok();
    let seed = seed.and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("INTEROP_SEED={seed}");
    let directory = directory::fresh(name);
    let mut round = round(&directory, seed, members);
    let status = round
        .args(["--each-once", "--way", way])
        .status()
        .expect("it starts");
    assert!(status.success(), "see {}", directory.display());
}

fn round(directory: &Path, seed: u64, members: usize) -> Command {
    let kind = match Kind::under_test() {
        Kind::Java => "java",
        Kind::Zooid => "zooid",
    };
    let mut round = Command::new(env!("CARGO_BIN_EXE_zooid-faults"));
    round.args(["round", "--kind", kind, "--seed", &seed.to_string()]);
    round.args(["--members", &members.to_string(), "--directory"]);
    round.arg(directory);
    round
}
