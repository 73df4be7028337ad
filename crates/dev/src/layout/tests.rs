use super::*;
use crate::testing::layout;

fn new(servers: u16, observers: u16, base_port: u16) -> Result<Layout, LayoutError> {
    Layout::new(Path::new("/d"), Shape { servers, observers }, base_port)
}

#[test]
fn every_server_has_ports_of_its_own() {
    let layout = layout(3, 1);
    let ports: Vec<String> = layout
        .ports()
        .map(|(port, purpose)| format!("{port} {purpose}"))
        .collect();
    assert_eq!(
        ports,
        [
            "2181 clients of server 1",
            "3181 followers of server 1",
            "4181 elections of server 1",
            "2182 clients of server 2",
            "3182 followers of server 2",
            "4182 elections of server 2",
            "2183 clients of server 3",
            "3183 followers of server 3",
            "4183 elections of server 3",
            "2184 clients of server 4",
            "3184 followers of server 4",
            "4184 elections of server 4",
        ]
    );
    assert!(layout.places[3].is_observer);
    assert_eq!(
        layout.connect_string(),
        "127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183,127.0.0.1:2184"
    );
}

#[test]
fn a_standalone_server_needs_one_port() {
    let layout = layout(1, 0);
    assert_eq!(layout.ports().count(), 1);
}

#[test]
fn impossible_options_are_refused() {
    assert_eq!(new(0, 0, 2181).unwrap_err(), LayoutError::NoServers);
    assert_eq!(new(7, 3, 2181).unwrap_err(), LayoutError::TooMany(10));
    assert_eq!(
        new(u16::MAX, u16::MAX, 2181).unwrap_err(),
        LayoutError::TooMany(131_070)
    );
    assert_eq!(new(1, 1, 2181).unwrap_err(), LayoutError::ObserversAlone);
    assert_eq!(new(3, 0, 0).unwrap_err(), LayoutError::BasePort(0));
}

#[test]
fn the_highest_port_is_within_reach() {
    let ports = |layout: Layout| layout.ports().map(|(port, _)| port).max();
    assert_eq!(ports(new(9, 0, BASE_PORT_MAX).unwrap()), Some(u16::MAX));
    let above = BASE_PORT_MAX + 1;
    assert_eq!(new(9, 0, above).unwrap_err(), LayoutError::BasePort(above));
}

#[test]
fn what_is_not_said_stays_as_it_is() {
    let nothing = Wish {
        servers: None,
        observers: None,
    };
    let held = Shape {
        servers: 5,
        observers: 2,
    };
    assert_eq!(nothing.shape(Some(held)), held);
    assert_eq!(nothing.shape(None).to_string(), "3 servers");
}

#[test]
fn a_shape_is_told_in_words_and_as_options() {
    let shape = Shape {
        servers: 3,
        observers: 1,
    };
    assert_eq!(shape.to_string(), "3 servers and 1 observer");
    assert_eq!(shape.options(), "--servers 3 --observers 1");
}
