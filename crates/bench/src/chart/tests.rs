use super::{Axis, Scale, round_down, round_up};

fn texts(axis: &Axis) -> Vec<&str> {
    axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
}

#[test]
fn numbers_are_rounded_to_1_2_and_5() {
    assert_eq!(
        [1.0, 1.1, 2.1, 5.1, 70.0].map(round_up),
        [1.0, 2.0, 5.0, 10.0, 100.0]
    );
    assert_eq!(
        [1.0, 1.9, 4.9, 9.0, 0.3].map(round_down),
        [1.0, 1.0, 2.0, 5.0, 0.2]
    );
}

#[test]
fn a_linear_axis_starts_at_zero_and_ends_at_a_tick() {
    let axis = Axis::linear(430.0, |value| value.to_string());
    assert_eq!(
        axis.scale,
        Scale::Linear {
            from: 0.0,
            to: 500.0
        }
    );
    assert_eq!(texts(&axis), ["0", "100", "200", "300", "400", "500"]);
    assert_eq!(axis.scale.position(250.0), 0.5);
}

#[test]
fn an_axis_of_nothing_has_room_all_the_same() {
    let axis = Axis::linear(0.0, |value| value.to_string());
    assert!(axis.ticks.len() >= 2);
    assert_eq!(axis.scale.position(0.0), 0.0);
}

#[test]
fn a_logarithmic_axis_gives_each_decade_the_same_room() {
    let axis = Axis::log(12.0, 900.0, |value| value.to_string());
    assert_eq!(
        texts(&axis),
        ["10", "20", "50", "100", "200", "500", "1000"]
    );
    assert_eq!(axis.scale.position(100.0), 0.5);
    assert_eq!(axis.scale.position(5.0), 0.0);
}

#[test]
fn equal_latencies_have_an_axis() {
    let axis = Axis::log(100.0, 100.0, |value| value.to_string());
    assert_eq!(texts(&axis), ["100", "200"]);
}

#[test]
fn each_nine_takes_the_same_room_as_far_as_there_are_values() {
    let axis = Axis::nines(1000.0);
    assert_eq!(texts(&axis), ["0 %", "50 %", "90 %", "99 %", "99.9 %"]);
    let third = axis.scale.position(0.9);
    assert!((third - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(axis.scale.position(1.0), 0.0);
}
