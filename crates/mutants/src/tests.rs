use super::Mutant;
use std::panic::catch_unwind;

#[test]
fn a_fault_is_committed_by_its_thread_only_and_ends_with_the_act() {
    let fault = Mutant::Zk4643;
    assert!(!fault.is_committed());
    fault.commit(|| {
        assert!(fault.is_committed());
        assert!(!Mutant::LosesTruncation.is_committed());
        let elsewhere = std::thread::spawn(move || fault.is_committed());
        assert!(!elsewhere.join().expect("it does not panic"));
    });
    assert!(!fault.is_committed());
}

#[test]
fn a_panic_ends_a_fault_too() {
    let panicked = catch_unwind(|| Mutant::Zk4643.commit(|| panic!("as mutants do")));
    assert!(panicked.is_err());
    assert!(!Mutant::Zk4643.is_committed());
}

#[test]
fn names_lead_back_to_faults_and_each_stands_once() {
    let mut all = Mutant::ALL.to_vec();
    for mutant in &all {
        assert_eq!(mutant.to_string().parse(), Ok(*mutant));
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), Mutant::ALL.len());
    let unknown = "Zk1".parse::<Mutant>();
    assert!(unknown.is_err_and(|err| err.contains("Zk4643")));
}
