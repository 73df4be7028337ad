use std::time::{Duration, Instant};

use super::{draw, percentile_curve, throughput};
use crate::distribution::empty_histogram;
use crate::timeline::Timeline;

#[test]
fn a_curve_goes_as_far_as_there_are_nines() {
    let mut latencies = empty_histogram();
    for micros in 1..=1000 {
        latencies.record(micros * 1000).unwrap();
    }
    let curve = percentile_curve("get", &latencies);
    let (first, last) = (curve.points[0], curve.points.last().unwrap());
    assert_eq!(first.0, 0.0);
    assert!((last.0 - 0.999).abs() < 1e-9);
    assert!((last.1 - 999_000.0).abs() < 2000.0);
}

#[test]
fn throughput_is_that_of_whole_slots() {
    let start = Instant::now();
    let mut timeline = Timeline::new(start);
    for millis in [0, 10, 20, 150, 205] {
        timeline.count(start + Duration::from_millis(millis));
    }
    let chart = throughput(&timeline);
    let rates: Vec<f64> = chart.curves[0]
        .points
        .iter()
        .map(|(_, y)| y.round())
        .collect();
    assert_eq!(rates, [30.0, 10.0]);
}

#[test]
fn the_file_names_every_operation() {
    let mut latencies = empty_histogram();
    latencies.record_n(250_000, 500).unwrap();
    let timeline = Timeline::new(Instant::now());
    let svg = draw(
        "mix",
        &[("get", &latencies), ("set", &latencies)],
        &timeline,
    );
    assert!(svg.starts_with("<svg "));
    assert_eq!(
        svg.matches("<polyline").count(),
        svg.matches("/>").count() - 1
    );
    for text in [">get<", ">set<", ">mix<", ">99 %<", ">200 µs<"] {
        assert!(svg.contains(text), "{text} is missing");
    }
}
