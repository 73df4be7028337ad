//! A failing run can be made small, written down, and made again; the runs that were kept so hold.

use zooid_sim::cluster::{Chance, Options, Script, replay, run, shrink};

#[test]
fn a_run_that_holds_is_not_made_small() {
    assert_eq!(shrink(&Options::random(1)), None);
}

#[test]
fn a_run_is_the_same_from_its_line() {
    let options = Options {
        faults_ms: 900,
        observers: Some(0),
        clients: Some(2),
        script: Script::Only([Chance::Planned(2), Chance::AtEnd { member: 1, life: 1 }].into()),
        ..Options::random(77)
    };
    let line = options.to_string();
    assert_eq!(
        line,
        "seed=77 faults_ms=900 observers=0 clients=2 only=2,end1.1"
    );
    let again: Options = line.parse().expect("a line that was written");
    assert_eq!(again, options);
    assert_eq!(replay(&again).1, replay(&options).1);
}

#[test]
fn a_line_that_says_no_run_is_refused() {
    for (line, why) in [
        ("", "it has no seed"),
        ("members=3 seed=1", "the seed comes first"),
        ("seed=x", "invalid digit"),
        ("seed=1 only=3,stop1.1", "names no fault"),
        ("seed=1 colour=3", "no such option"),
        ("seed=1 members", "expected NAME=VALUE"),
    ] {
        let refused = line.parse::<Options>().expect_err(line).to_string();
        assert!(refused.contains(why), "{line}: {refused}");
    }
}

#[test]
fn runs_that_failed_once_hold() {
    let cases = include_str!("ensemble_cases.txt").lines();
    let cases = cases.filter_map(|line| line.split('#').next().map(str::trim));
    for case in cases.filter(|case| !case.is_empty()) {
        let options: Options = case.parse().unwrap_or_else(|err| panic!("{case}: {err}"));
        run(&options).unwrap_or_else(|failure| panic!("{failure}"));
    }
}
