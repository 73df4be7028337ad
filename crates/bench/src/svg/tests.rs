use expect_test::expect;

use super::{Anchor, Svg};

#[test]
fn what_is_drawn_is_in_the_file() {
    let mut svg = Svg::new(200.0, 100.0);
    svg.line((0.0, 1.0), (2.5, 3.25), "#000");
    svg.curve(&[(0.0, 0.0), (1.0, 1.0), (2.0, 0.0)], "#c00", 2.0);
    svg.text((5.0, 6.0), Anchor::End, "#333", "p99 < 1 ms & more");
    expect![[r##"
        <svg xmlns="http://www.w3.org/2000/svg" width="200" height="100" viewBox="0 0 200 100" font-family="sans-serif" font-size="12">
        <rect width="100%" height="100%" fill="white"/>
        <polyline points="0.0,1.0 2.5,3.2" fill="none" stroke="#000" stroke-width="1"/>
        <polyline points="0.0,0.0 1.0,1.0 2.0,0.0" fill="none" stroke="#c00" stroke-width="2"/>
        <text x="5.0" y="6.0" text-anchor="end" fill="#333">p99 &lt; 1 ms &amp; more</text>
        </svg>
    "##]].assert_eq(&svg.finish());
}
