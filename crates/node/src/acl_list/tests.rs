use super::*;

fn fixed(acl: &[Acl], ids: &[Id]) -> Result<Vec<Acl>, ErrorCode> {
    let fixed = fix_up(&AclList::from(acl), ids, &Authenticator::default())?;
    Ok(fixed.to_vec())
}

#[test]
fn nothing_is_not_an_acl() {
    assert_eq!(fixed(&[], &[]), Err(ErrorCode::InvalidAcl));
}

#[test]
fn duplicates_go_and_order_stays() {
    let (a, b) = (Acl::new(1, "digest", "u:h"), Acl::anyone(31));
    assert_eq!(
        fixed(&[a.clone(), b.clone(), a.clone()], &[]),
        Ok(vec![a, b])
    );
}

#[test]
fn auth_becomes_every_proven_identity() {
    let ids = [
        Id::new("ip", "127.0.0.1"),
        Id::new("digest", "u:h"),
        Id::new("digest", "v:h"),
    ];
    let expected = vec![Acl::new(5, "digest", "u:h"), Acl::new(5, "digest", "v:h")];
    assert_eq!(fixed(&[Acl::new(5, "auth", "")], &ids), Ok(expected));
    assert_eq!(
        fixed(&[Acl::new(5, "auth", "")], &ids[..1]),
        Err(ErrorCode::InvalidAcl)
    );
}

#[test]
fn unknown_schemes_ids_and_nulls_are_invalid() {
    let null = |scheme: Option<&'static str>, id: Option<&'static str>| Acl {
        perms: 31,
        id: Id {
            scheme: scheme.map(Into::into),
            id: id.map(Into::into),
        },
    };
    for bad in [
        Acl::new(31, "world", "someone"),
        Acl::new(31, "nope", "x"),
        Acl::new(31, "sasl", "bob"),
        Acl::new(31, "digest", "x"),
        Acl::new(31, "ip", "127.0.0.1/33"),
        null(None, Some("anyone")),
        null(None, None),
    ] {
        assert_eq!(
            fixed(&[Acl::anyone(31), bad], &[]),
            Err(ErrorCode::InvalidAcl)
        );
    }
}

#[test]
fn a_null_id_is_fine_for_auth_and_malformed_elsewhere() {
    let null = |scheme: &'static str| Acl {
        perms: 31,
        id: Id {
            scheme: Some(scheme.into()),
            id: None,
        },
    };
    let ids = [Id::new("digest", "u:h")];
    assert_eq!(
        fixed(&[null("auth")], &ids),
        Ok(vec![Acl::new(31, "digest", "u:h")])
    );
    for scheme in ["world", "ip", "digest"] {
        assert_eq!(
            fixed(&[null(scheme)], &ids),
            Err(ErrorCode::MarshallingError),
            "{scheme}"
        );
    }
    assert_eq!(fixed(&[null("nope")], &ids), Err(ErrorCode::InvalidAcl));
}
