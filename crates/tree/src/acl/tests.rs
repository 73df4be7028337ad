//! Who is let in.

use super::*;
use zooid_proto::{Acl, perms};

#[test]
fn networks_match_by_their_leading_bits() {
    for (address, network, expected) in [
        ("10.0.0.1", "10.0.0.1", true),
        ("10.0.0.1", "10.0.0.2", false),
        ("10.0.0.1", "10.0.0.2/24", true),
        ("10.0.1.1", "10.0.0.2/24", false),
        ("10.0.1.1", "10.0.0.2/23", true),
        ("10.0.0.129", "10.0.0.128/25", true),
        ("10.0.0.127", "10.0.0.128/25", false),
        ("1.2.3.4", "0.0.0.0/0", true),
        ("10.0.0.1", "10.0.0.1/32", true),
        ("10.0.0.1", "10.0.0.1/33", false),
        ("10.0.0.1", "10.0.0.1/-1", false),
        ("10.0.0.1", "10.0.0.1/x", false),
        ("10.0.0.1", "10.0.0", false),
        ("10.0.0.1", "10.0.0.256", false),
        ("10.0.0.1", "", false),
        ("0:0:0:0:0:0:0:1", "::1", true),
        ("0:0:0:0:0:0:0:1%lo", "::1", true),
        ("fe80:0:0:0:1:2:3:4", "fe80::/10", true),
        ("fec0:0:0:0:1:2:3:4", "fe80::/10", false),
        ("2001:db8:0:0:0:0:0:1", "2001:db8::1/128", true),
        ("2001:db8:0:0:0:0:0:1", "2001:db8::1/129", false),
        ("2001:db8:0:0:0:0:0:1", "2001:db8:::1", false),
        ("0:0:0:0:0:0:0:1", "1.0.0.0/0", false),
        ("1.0.0.0", "::/0", false),
    ] {
        assert_eq!(
            ip_matches(address, network),
            expected,
            "{address} in {network}"
        );
    }
}

#[test]
fn networks_are_told_from_other_text() {
    for network in [
        "1.2.3.4",
        "1.2.3.4/0",
        "::",
        "1::",
        "::1/64",
        "1:2:3:4:5:6:7:8",
    ] {
        assert!(is_network(network), "{network}");
    }
    for text in [
        "",
        "/",
        "1.2.3.4/",
        "1.2.3.4/33",
        "1.2.3",
        "1.2.3.4.5",
        "a.b.c.d",
        ":::",
        "1::2::3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7::8",
    ] {
        assert!(!is_network(text), "{text}");
    }
}

#[test]
fn access_is_granted_by_matching_entries_only() {
    let ids = [
        Id::new("ip", "10.0.0.7"),
        Id::new("digest", "u:h"),
        Id::new("sasl", "alice"),
    ];
    let access = Access {
        ids: &ids,
        skip_acl: false,
    };
    let check = |acl: &[Acl], expected: bool| {
        assert_eq!(
            permits(&AclList::from(acl), perms::READ, &access),
            expected,
            "{acl:?}"
        );
    };
    check(&[], true);
    check(&[Acl::anyone(perms::ALL)], true);
    check(&[Acl::anyone(perms::WRITE)], false);
    check(&[Acl::new(perms::READ, "world", "someone")], false);
    check(&[Acl::new(perms::READ, "ip", "10.0.0.0/8")], true);
    check(&[Acl::new(perms::READ, "ip", "11.0.0.0/8")], false);
    check(&[Acl::new(perms::READ, "digest", "u:h")], true);
    check(&[Acl::new(perms::READ, "digest", "u:x")], false);
    check(&[Acl::new(perms::READ, "sasl", "alice")], true);
    check(&[Acl::new(perms::READ, "sasl", "bob")], false);
    check(&[Acl::new(perms::READ, "auth", "")], false);
    check(&[Acl::new(perms::READ, "ensemble", "e")], false);
    check(
        &[
            Acl::new(perms::WRITE, "digest", "u:h"),
            Acl::new(perms::READ, "ip", "10.0.0.7"),
        ],
        true,
    );
}

#[test]
fn any_of_the_asked_bits_is_enough() {
    let acl = AclList::from(vec![Acl::anyone(perms::ADMIN)]);
    let access = Access {
        ids: &[],
        skip_acl: false,
    };
    assert!(permits(&acl, perms::READ | perms::ADMIN, &access));
    assert!(!permits(&acl, perms::READ, &access));
}

#[test]
fn super_and_skip_acl_are_let_in_everywhere() {
    let nobody = AclList::from(vec![Acl::anyone(0)]);
    let ids = [Id::new("super", "")];
    let as_super = Access {
        ids: &ids,
        skip_acl: false,
    };
    assert!(permits(&nobody, perms::ADMIN, &as_super));
    assert!(permits(&nobody, perms::ADMIN, &Access::UNCHECKED));
    let sasl_super = [Id::new("sasl", "super")];
    let access = Access {
        ids: &sasl_super,
        skip_acl: false,
    };
    let bob = AclList::from(vec![Acl::new(perms::READ, "sasl", "bob")]);
    assert!(permits(&bob, perms::READ, &access));
}
