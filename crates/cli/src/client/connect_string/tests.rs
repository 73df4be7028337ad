use super::*;
use expect_test::{Expect, expect};

fn check(text: &str, expected: &Expect) {
    let shown = match ConnectString::parse(text) {
        Ok(c) => format!("{:?} {:?}", c.servers, c.chroot.0),
        Err(e) => e.to_string(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn servers_ports_and_chroot() {
    check("localhost", &expect![[r#"[("localhost", 2181)] """#]]);
    check("localhost:", &expect![[r#"[("localhost", 2181)] """#]]);
    check(
        "a:1, b:2,[::1]:3,[fe80::1]/app/x",
        &expect![[r#"[("a", 1), ("b", 2), ("::1", 3), ("fe80::1", 2181)] "/app/x""#]],
    );
    check("a:1/", &expect![[r#"[("a", 1)] """#]]);
}

#[test]
fn what_is_refused() {
    check("", &expect![[r#"no server in connect string """#]]);
    check("/x", &expect![[r#"no server in connect string "/x""#]]);
    check("a:x", &expect![[r#"bad port "x" in "a:x""#]]);
    check("a:70000", &expect![[r#"bad port "70000" in "a:70000""#]]);
    check(
        "[::1:2",
        &expect![[r#""[::1:2" starts with '[' but has no matching ']'"#]],
    );
    check(
        "a/b/",
        &expect!["chroot: Path must not end with / character"],
    );
}

#[test]
fn chroot_goes_on_and_comes_off() {
    let chroot = Chroot("/app".to_owned());
    assert_eq!(chroot.prepend("/"), "/app");
    assert_eq!(chroot.prepend("/x"), "/app/x");
    assert_eq!(chroot.strip("/app"), "/");
    assert_eq!(chroot.strip("/app/x"), "/x");
    assert_eq!(chroot.strip("/apple"), "/apple");
    assert_eq!(chroot.strip("/zookeeper/config"), "/zookeeper/config");
    assert_eq!(Chroot::default().prepend("/x"), "/x");
    assert_eq!(Chroot::default().strip("/x"), "/x");
    assert_eq!(Chroot::default().strip("/"), "/");
}
