use expect_test::expect;

use super::{Distribution, empty_histogram};

/// So many latencies of so many microseconds.
fn distribution(latencies: &[(u64, u64)]) -> Distribution {
    let mut nanos = empty_histogram();
    for (micros, count) in latencies {
        nanos.record_n(micros * 1000, *count).unwrap();
    }
    Distribution::of(&nanos).unwrap()
}

#[test]
fn nothing_has_no_distribution() {
    assert!(Distribution::of(&empty_histogram()).is_none());
}

#[test]
fn people_see_percentiles_and_bars() {
    expect![[r#"
                  0 %       15 µs
                 10 %       15 µs
                 25 %       15 µs
                 50 %       15 µs
                 75 %       40 µs
                 90 %       40 µs
                 95 %      300 µs
                 99 %      300 µs
               99.9 %     3.00 ms
              99.99 %     3.00 ms
             99.999 %     3.00 ms
                100 %     3.00 ms

        <=      20 µs          60  60.00 % ██████████████████████████████████████████████████
        <=      50 µs          30  30.00 % █████████████████████████
        <=     100 µs           0   0.00 %
        <=     200 µs           0   0.00 %
        <=     500 µs           9   9.00 % ████████
        <=    1.00 ms           0   0.00 %
        <=    2.00 ms           0   0.00 %
        <=    5.00 ms           1   1.00 % █
    "#]]
    .assert_eq(&distribution(&[(15, 60), (40, 30), (300, 9), (3000, 1)]).to_string());
}

#[test]
fn a_latency_at_a_bound_is_within_it() {
    let json = distribution(&[(10, 3), (20, 4), (50, 5)]).to_json();
    expect!["[[10.0,3],[20.0,4],[50.0,5]]"].assert_eq(&json["buckets_up_to_us"].to_string());
}

#[test]
fn every_latency_is_in_a_bucket() {
    let json = distribution(&[(1, 1), (3_599_000_000, 2)]).to_json();
    let buckets = json["buckets_up_to_us"].as_array().unwrap();
    let count: u64 = buckets.iter().map(|b| b[1].as_u64().unwrap()).sum();
    assert_eq!(count, 3);
    assert_eq!(buckets.first().unwrap()[0], 1.0);
    assert_eq!(buckets.last().unwrap()[0], 5e9);
}
