//! A picture of a run: the latency of each operation by percentile, and throughput over time.

use hdrhistogram::Histogram;

use crate::chart::{Axis, Chart, Curve, Frame};
use crate::svg::Svg;
use crate::timeline::Timeline;
use crate::units::{for_people, grouped, to_f64};
use std::time::Duration;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 720.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 30.0;

/// Points of a curve for each nine.
const POINTS_PER_NINE: f64 = 20.0;

/// An SVG file. `operations` are in nanoseconds, and none is empty.
pub(crate) fn draw(
    title: &str,
    operations: &[(&str, &Histogram<u64>)],
    timeline: &Timeline,
) -> String {
    let frame = |top: f64, height: f64| Frame {
        left: LEFT,
        top,
        width: WIDTH - LEFT - RIGHT,
        height,
    };
    let mut svg = Svg::new(WIDTH, HEIGHT);
    latencies(title, operations).draw(&mut svg, frame(40.0, 360.0));
    throughput(timeline).draw(&mut svg, frame(480.0, 200.0));
    svg.finish()
}

fn latencies(title: &str, operations: &[(&str, &Histogram<u64>)]) -> Chart {
    let nanos = |value: u64| to_f64(value);
    let smallest = operations.iter().map(|(_, h)| h.min().max(1)).min();
    let largest = operations.iter().map(|(_, h)| h.max()).max();
    let count = operations.iter().map(|(_, h)| h.len()).max();
    Chart {
        title: title.to_owned(),
        x: Axis::nines(nanos(count.unwrap_or(1))),
        y: Axis::log(
            nanos(smallest.unwrap_or(1)),
            nanos(largest.unwrap_or(1)),
            |nanos| for_people(Duration::from_secs_f64(nanos / 1e9)),
        ),
        curves: operations
            .iter()
            .map(|(name, latencies)| percentile_curve(name, latencies))
            .collect(),
    }
}

/// As far as the number of latencies has nines for: a thousand have a p99.9.
fn percentile_curve(name: &str, latencies: &Histogram<u64>) -> Curve {
    let steps = (to_f64(latencies.len()).log10() * POINTS_PER_NINE).floor();
    let points = std::iter::successors(Some(0.0), |step| Some(step + 1.0))
        .take_while(|step| *step <= steps)
        .map(|step: f64| {
            let quantile = 1.0 - 10_f64.powf(-step / POINTS_PER_NINE);
            (quantile, to_f64(latencies.value_at_quantile(quantile)))
        })
        .collect();
    Curve {
        name: name.to_owned(),
        points,
    }
}

fn throughput(timeline: &Timeline) -> Chart {
    let slot = Timeline::SLOT.as_secs_f64();
    // The last slot is the one that the end has cut off.
    let slots = match timeline.slots() {
        [whole @ .., _] if !whole.is_empty() => whole,
        all => all,
    };
    let points: Vec<(f64, f64)> = (0_u32..)
        .zip(slots)
        .map(|(number, count)| ((f64::from(number) + 0.5) * slot, to_f64(*count) / slot))
        .collect();
    let (seconds, most) = points.iter().fold((slot, 0.0), |(_, most), (x, y)| {
        (x + slot / 2.0, y.max(most))
    });
    Chart {
        title: "operations per second, over time".to_owned(),
        x: Axis::linear(seconds, |seconds| {
            format!("{} s", (seconds * 1e3).round() / 1e3)
        }),
        y: Axis::linear(most, |rate| {
            grouped(Duration::from_secs_f64(rate.round()).as_secs())
        }),
        curves: vec![Curve {
            name: String::new(),
            points,
        }],
    }
}

#[cfg(test)]
mod tests;
