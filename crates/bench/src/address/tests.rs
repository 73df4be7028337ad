use super::{AddressError, ConnectString};

fn parsed(text: &str) -> String {
    let parsed = text.parse::<ConnectString>().unwrap();
    format!("{:?} {:?}", parsed.to_string(), parsed.servers.len())
}

fn refused(text: &str) -> AddressError {
    text.parse::<ConnectString>().unwrap_err()
}

#[test]
fn servers_ports_and_chroot_are_told_apart() {
    assert_eq!(parsed("localhost"), r#""localhost:2181" 1"#);
    assert_eq!(parsed("a:1,b:2/app/x"), r#""a:1,b:2/app/x" 2"#);
    assert_eq!(parsed("a:1, b/"), r#""a:1,b:2181" 2"#);
    assert_eq!(
        parsed("[::1]:2182,[fe80::1]"),
        r#""[::1]:2182,[fe80::1]:2181" 2"#
    );
}

#[test]
fn what_is_no_address_is_refused_with_its_reason() {
    let bad_port = |server: &str, port: &str| AddressError::BadPort {
        server: server.into(),
        port: port.into(),
    };
    assert_eq!(refused(""), AddressError::NoServer);
    assert_eq!(refused("/app"), AddressError::NoServer);
    assert_eq!(refused(":2181"), AddressError::NoHost(":2181".into()));
    assert_eq!(refused("a:"), bad_port("a:", ""));
    assert_eq!(refused("a:0"), bad_port("a:0", "0"));
    assert_eq!(refused("a:65536"), bad_port("a:65536", "65536"));
    assert_eq!(refused("::1"), AddressError::UnbracketedIpv6("::1".into()));
    assert_eq!(refused("[::1"), AddressError::BadBracket("[::1".into()));
    assert_eq!(
        refused("[::1]2181"),
        AddressError::BadBracket("[::1]2181".into())
    );
    assert_eq!(refused("a:1/app/"), AddressError::BadChroot("/app/".into()));
}
