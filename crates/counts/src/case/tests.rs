use std::collections::BTreeSet;

use super::ALL;

#[test]
fn every_case_runs_as_often_as_it_is_counted_for() {
    for case in ALL {
        for times in [0, 1, case.times, 2 * case.times] {
            let result = (case.run)(times);
            assert!(result.is_ok(), "{}: {result:?}", case.name);
        }
    }
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = ALL.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), ALL.len());
}
