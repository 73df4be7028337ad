//! A failing run can be made small, and written down. It takes a fault to have one: run with
//! `--features mutants`.

use zooid_mutants::Mutant;
use zooid_sim::cluster::{Options, Script, replay, run, shrink};

/// The first run that fails, with the fault that is committed.
fn failing() -> Options {
    let mut failing = (0..400)
        .map(Options::random)
        .filter(|options| run(options).is_err());
    failing.next().expect("some seed fails")
}

#[test]
fn a_failing_run_is_made_small_and_fails_as_before() {
    Mutant::LosesTruncation.commit(|| {
        let options = failing();
        let checker = run(&options).expect_err("it failed before").checker;
        let small = shrink(&options).expect("it fails");
        println!("{options} became {small}");
        let failure = run(&small).expect_err("it fails still");
        assert_eq!(failure.checker, checker);
        let Script::Only(faults) = &small.script else {
            panic!("all faults are left: {small}");
        };
        // A truncation takes a leader that is lost with something that nobody else has.
        assert!((1..=6).contains(&faults.len()), "{small}");
        for fault in faults {
            let mut fewer = faults.clone();
            fewer.remove(fault);
            let fewer = Options {
                script: Script::Only(fewer),
                ..small.clone()
            };
            let failure = run(&fewer).err();
            assert!(
                failure.is_none_or(|failure| failure.checker != checker),
                "{fault} is not needed in {small}"
            );
        }
    });
}

/// The lines of a failure's trace are those of the whole trace's end.
#[test]
fn a_replay_writes_down_everything() {
    Mutant::ReordersAcknowledgements.commit(|| {
        let options = failing();
        let failure = run(&options).expect_err("it failed before");
        let (again, lines) = replay(&options);
        assert_eq!(again.expect_err("it fails again").what, failure.what);
        assert!(lines.len() > failure.tail.len());
        assert!(lines.ends_with(&failure.tail));
    });
}
