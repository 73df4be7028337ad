use super::*;

fn quantiles(distribution: &Distribution) -> [i64; 4] {
    [0.5, 0.95, 0.99, 0.999].map(|share| distribution.quantile(share))
}

fn tally(values: impl IntoIterator<Item = i64>) -> Tally {
    let mut tally = Tally::default();
    for value in values {
        tally.add(value);
    }
    tally
}

#[test]
fn an_empty_distribution_is_all_zeros() {
    let empty = Distribution::new();
    assert_eq!(quantiles(&empty), [0; 4]);
    assert_eq!(*empty.tally(), Tally::default());
}

#[test]
fn quantiles_of_small_values_are_exact() {
    let mut distribution = Distribution::new();
    for value in 1..=1000 {
        distribution.add(value);
    }
    assert_eq!(quantiles(&distribution), [500, 950, 990, 999]);
    assert_eq!(*distribution.tally(), tally(1..=1000));
}

#[test]
fn a_batch_keeps_its_extremes_and_its_count() {
    let mut distribution = Distribution::new();
    distribution.merge(&tally([]));
    distribution.merge(&tally([7]));
    distribution.merge(&tally([0, 400]));
    // 98 values of 3 between a 1 and a 900.
    distribution.merge(&tally([1].into_iter().chain([3; 98]).chain([900])));
    assert_eq!(distribution.values.len(), 103);
    assert_eq!(distribution.tally().count, 103);
    assert_eq!(quantiles(&distribution), [3, 3, 400, 900]);
}

#[test]
fn what_is_longer_than_an_hour_counts_as_an_hour() {
    let mut distribution = Distribution::new();
    distribution.add(i64::from(u32::MAX));
    assert_eq!(distribution.tally().max, i64::from(u32::MAX));
    assert!((3_600_000..3_604_000).contains(&distribution.quantile(0.5)));
}
