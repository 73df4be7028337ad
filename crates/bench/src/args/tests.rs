use std::time::Duration;

use clap::Parser;

use super::BenchArgs;
use crate::plan::{Extent, Plan, PlanError, WatchedProcess};
use crate::workload::{Mix, Operation};

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    bench: BenchArgs,
}

fn plan(args: &[&str]) -> Result<Plan, PlanError> {
    let args = std::iter::once("bench").chain(args.iter().copied());
    Command::try_parse_from(args).unwrap().bench.into_plan()
}

fn usage_error(args: &[&str]) -> String {
    let args = std::iter::once("bench").chain(args.iter().copied());
    Command::try_parse_from(args).err().unwrap().to_string()
}

#[test]
fn without_options_it_is_ten_seconds_of_the_mix() {
    let plan = plan(&[]).unwrap();
    assert_eq!(
        (plan.workload.name, plan.workload.mix),
        ("mix", Mix::mostly_reads())
    );
    assert_eq!(
        (plan.connections, plan.in_flight, plan.value_size),
        (48, 16, 100)
    );
    assert_eq!(plan.extent, Extent::Time(Duration::from_secs(10)));
    assert_eq!(plan.servers.to_string(), "127.0.0.1:2181");
}

#[test]
fn options_reach_the_plan() {
    let plan = plan(&[
        "getChildren",
        "-s",
        "a:1/x",
        "-c",
        "2",
        "-i",
        "3",
        "--operations",
        "9",
        "--warm-up",
        "0.5",
        "--watch-process",
        "a=1",
        "--watch-process",
        "b=2",
    ])
    .unwrap();
    assert_eq!(plan.workload.mix, Mix::only(Operation::GetChildren));
    assert_eq!(
        (
            plan.servers.chroot.as_str(),
            plan.connections,
            plan.in_flight
        ),
        ("/x", 2, 3)
    );
    assert_eq!(
        (plan.extent, plan.warm_up),
        (Extent::Operations(9), Duration::from_millis(500))
    );
    let watched = |name: &str, pid| WatchedProcess {
        name: name.into(),
        pid,
    };
    assert_eq!(plan.watched, [watched("a", 1), watched("b", 2)]);
}

#[test]
fn weights_apply_to_the_mix_only() {
    let custom = plan(&["mix", "--mix", "get=1"]).unwrap();
    assert_eq!(custom.workload.mix, Mix::only(Operation::Get));
    let set = plan(&["set", "--mix", "get=1"]).unwrap();
    assert_eq!(set.workload.mix, Mix::only(Operation::Set));
}

#[test]
fn values_that_make_no_sense_are_refused() {
    let refused = |args: &[&str]| plan(args).unwrap_err().to_string();
    assert_eq!(refused(&["-c", "0"]), "--connections must be at least 1");
    assert_eq!(refused(&["-d", "0"]), "--duration must be at least 1");
    assert_eq!(
        refused(&["--operations", "0"]),
        "--operations must be at least 1"
    );
    assert_eq!(
        refused(&["-c", "1", "--threads", "2"]),
        "2 threads need at least as many connections, not 1"
    );
    assert_eq!(
        refused(&["--own-keys", "--keys", "47"]),
        "48 connections cannot have keys of their own among 47; raise --keys"
    );
    assert_eq!(
        refused(&["--rate", "0"]),
        "--rate 0 is not a positive number"
    );
    assert_eq!(
        refused(&["--root", "/"]),
        "--root '/' is not a path below /"
    );
    assert_eq!(
        refused(&["--value-size", "99999999"]),
        "a value of 99999999 bytes does not fit into a request; at most 16777216"
    );
}

#[test]
fn a_malformed_option_is_explained() {
    assert!(usage_error(&["-s", "a:x"]).contains("'x' in 'a:x' is not a port"));
    assert!(usage_error(&["--watch-process", "1234"]).contains("such as server=1234"));
    assert!(usage_error(&["-d", "-1"]).contains("-1"));
    assert!(usage_error(&["--operations", "5", "-d", "1"]).contains("cannot be used with"));
}
