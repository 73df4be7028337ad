//! Writing SVG: lines, curves and text, and nothing that needs a library.

use std::fmt::Write;

/// A picture that is being drawn. Coordinates are pixels, from the upper left corner.
#[derive(Debug)]
pub(crate) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// Right, down.
pub(crate) type Point = (f64, f64);

/// Which end of a text its place is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(crate) fn new(width: f64, height: f64) -> Svg {
        Svg {
            width,
            height,
            body: String::new(),
        }
    }

    pub(crate) fn line(&mut self, from: Point, to: Point, color: &str) {
        self.curve(&[from, to], color, 1.0);
    }

    /// Straight lines from point to point.
    pub(crate) fn curve(&mut self, points: &[Point], color: &str, width: f64) {
        let mut coordinates = String::new();
        for (x, y) in points {
            put(&mut coordinates, format_args!("{x:.1},{y:.1} "));
        }
        let points = coordinates.trim_end();
        put(
            &mut self.body,
            format_args!(
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" \
                 stroke-width=\"{width}\"/>\n"
            ),
        );
    }

    pub(crate) fn text(&mut self, at: Point, anchor: Anchor, color: &str, text: &str) {
        let (x, y) = at;
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        put(
            &mut self.body,
            format_args!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" \
                 fill=\"{color}\">{text}</text>\n"
            ),
        );
    }

    /// The file.
    pub(crate) fn finish(self) -> String {
        let Svg {
            width,
            height,
            body,
        } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{body}</svg>\n"
        )
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes everything");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
