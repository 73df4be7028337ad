//! A chart: axes with ticks, and curves in it.

use crate::svg::{Anchor, Point, Svg};

/// How values become places along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    Linear {
        from: f64,
        to: f64,
    },
    Log {
        from: f64,
        to: f64,
    },
    /// Quantiles below 1, each nine of which takes as much room as the one before; up to so many.
    Nines(f64),
}

/// What is written along an axis.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) scale: Scale,
    /// Values with what is written at them.
    pub(crate) ticks: Vec<(f64, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    /// Values along both axes.
    pub(crate) points: Vec<(f64, f64)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) curves: Vec<Curve>,
}

/// Where a chart is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

const TEXT: &str = "#333333";
const GRID: &str = "#dddddd";
/// Told apart by most eyes.
const COLORS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];
const LINE_HEIGHT: f64 = 16.0;

impl Scale {
    /// From 0 at the start of the axis to 1 at its end.
    fn position(self, value: f64) -> f64 {
        let (value, from, to) = match self {
            Scale::Linear { from, to } => (value, from, to),
            Scale::Log { from, to } => (value.log10(), from.log10(), to.log10()),
            Scale::Nines(most) => (-(1.0 - value).log10(), 0.0, most),
        };
        let position = (value - from) / (to - from);
        if position.is_finite() {
            position.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

impl Axis {
    /// From 0 to at least `largest`, with round numbers at the ticks.
    pub(crate) fn linear(largest: f64, write: impl Fn(f64) -> String) -> Axis {
        const TICKS_MAX: f64 = 6.0;
        let largest = largest.max(f64::MIN_POSITIVE);
        let step = round_up(largest / TICKS_MAX);
        let count = (largest / step).ceil();
        let ticks = std::iter::successors(Some(0.0), |tick| Some(tick + 1.0))
            .take_while(|tick| *tick <= count)
            .map(|tick| (tick * step, write(tick * step)))
            .collect();
        Axis {
            scale: Scale::Linear {
                from: 0.0,
                to: count * step,
            },
            ticks,
        }
    }

    /// Around two positive numbers, with ticks of 1, 2 and 5.
    pub(crate) fn log(smallest: f64, largest: f64, write: impl Fn(f64) -> String) -> Axis {
        let from = round_down(smallest);
        let to = round_up(largest.max(from * 1.5));
        let ticks = std::iter::successors(Some(from), |tick| Some(round_up(tick * 1.5)))
            .take_while(|tick| *tick <= to * 1.001)
            .map(|tick| (tick, write(tick)))
            .collect();
        Axis {
            scale: Scale::Log { from, to },
            ticks,
        }
    }

    /// Quantiles, as far as so many values have them.
    pub(crate) fn nines(count: f64) -> Axis {
        let most = count.max(10.0).log10();
        let ticks = [
            (0.0, "0 %"),
            (0.5, "50 %"),
            (0.9, "90 %"),
            (0.99, "99 %"),
            (0.999, "99.9 %"),
            (0.9999, "99.99 %"),
            (0.99999, "99.999 %"),
            (0.999_999, "99.9999 %"),
        ];
        let scale = Scale::Nines(most);
        let is_within = |quantile: f64| -(1.0 - quantile).log10() <= most + 1e-6;
        Axis {
            scale,
            ticks: ticks
                .into_iter()
                .filter(|(quantile, _)| is_within(*quantile))
                .map(|(quantile, text)| (quantile, text.to_owned()))
                .collect(),
        }
    }
}

/// The next of 1, 2, 5, 10, … times a power of ten, or the number itself if it is one.
fn round_up(number: f64) -> f64 {
    let power = 10_f64.powf(number.log10().floor());
    let digits = [1.0, 2.0, 5.0].map(|digit| digit * power);
    digits
        .into_iter()
        .find(|digit| number <= digit * 1.000_001)
        .unwrap_or(10.0 * power)
}

fn round_down(number: f64) -> f64 {
    let power = 10_f64.powf(number.log10().floor());
    let digits = [5.0, 2.0, 1.0].map(|digit| digit * power);
    digits
        .into_iter()
        .find(|digit| *digit <= number * 1.000_001)
        .unwrap_or(power)
}

impl Chart {
    pub(crate) fn draw(&self, svg: &mut Svg, frame: Frame) {
        let title_at = (frame.left, frame.top - 10.0);
        svg.text(title_at, Anchor::Start, TEXT, &self.title);
        self.draw_grid(svg, frame);
        for (number, (curve, color)) in (0..).zip(self.curves.iter().zip(COLORS.iter().cycle())) {
            let points: Vec<Point> = curve
                .points
                .iter()
                .map(|(x, y)| frame.place(self.x.scale.position(*x), self.y.scale.position(*y)))
                .collect();
            svg.curve(&points, color, 1.5);
            // In the lower right corner, which percentiles leave free.
            let (right, bottom) = frame.place(1.0, 0.0);
            let at = (right - 4.0, bottom - LINE_HEIGHT * f64::from(number) - 6.0);
            svg.text(at, Anchor::End, color, &curve.name);
        }
    }

    fn draw_grid(&self, svg: &mut Svg, frame: Frame) {
        for (value, text) in &self.x.ticks {
            let at = self.x.scale.position(*value);
            svg.line(frame.place(at, 0.0), frame.place(at, 1.0), GRID);
            let (x, y) = frame.place(at, 0.0);
            svg.text((x, y + LINE_HEIGHT), Anchor::Middle, TEXT, text);
        }
        for (value, text) in &self.y.ticks {
            let at = self.y.scale.position(*value);
            svg.line(frame.place(0.0, at), frame.place(1.0, at), GRID);
            let (x, y) = frame.place(0.0, at);
            svg.text((x - 6.0, y + 4.0), Anchor::End, TEXT, text);
        }
    }
}

impl Frame {
    fn place(self, along_x: f64, along_y: f64) -> Point {
        (
            self.left + along_x * self.width,
            self.top + (1.0 - along_y) * self.height,
        )
    }
}

#[cfg(test)]
mod tests;
