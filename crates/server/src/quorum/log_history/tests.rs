use super::is_more_than;

#[test]
fn a_log_is_read_while_it_is_smaller_than_its_share_of_the_snapshot() {
    assert!(!is_more_than(330, 0.33, 1000));
    assert!(is_more_than(331, 0.33, 1000));
    assert!(is_more_than(1, 0.33, 0));
    assert!(!is_more_than(u64::MAX, f64::INFINITY, 0));
    assert!(!is_more_than(u64::MAX, 1.0, u64::MAX));
}
