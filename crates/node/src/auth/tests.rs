use super::*;
use bytes::Bytes;

fn packet(scheme: &str, auth: &str) -> AuthPacket {
    AuthPacket {
        auth_type: 0,
        scheme: Some(scheme.into()),
        auth: Some(Bytes::copy_from_slice(auth.as_bytes())),
    }
}

fn authenticator(super_digest: Option<&str>) -> Authenticator {
    Authenticator::new(AuthSettings {
        super_digest: super_digest.map(str::to_owned),
        ..AuthSettings::default()
    })
}

#[test]
fn digest_ids_are_javas() {
    // From `DigestAuthenticationProvider super:admin`.
    let granted = authenticator(None).authenticate(&packet("digest", "super:admin"), "127.0.0.1");
    let id = Id::new("digest", "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=");
    assert_eq!(granted, AuthOutcome::Granted(vec![id]));
}

#[test]
fn a_user_without_password_is_a_user() {
    let granted = authenticator(None).authenticate(&packet("digest", "alone"), "127.0.0.1");
    let AuthOutcome::Granted(ids) = granted else {
        panic!("denied")
    };
    assert!(ids[0].id().starts_with("alone:"));
}

#[test]
fn the_super_digest_grants_super_as_well() {
    let granted = authenticator(Some("super:xQJmxLMiHGwaqBvst5y6rkB6HQs="))
        .authenticate(&packet("digest", "super:admin"), "127.0.0.1");
    let AuthOutcome::Granted(ids) = granted else {
        panic!("denied")
    };
    assert_eq!(ids[0], Id::new("super", ""));
    assert_eq!(ids.len(), 2);
}

#[test]
fn unknown_schemes_are_denied() {
    let authenticator = authenticator(None);
    for (scheme, auth) in [("nope", "x:y"), ("sasl", ""), ("world", "a:b")] {
        let outcome = authenticator.authenticate(&packet(scheme, auth), "127.0.0.1");
        assert_eq!(outcome, AuthOutcome::Denied, "{scheme}");
    }
}

#[test]
fn digest_ids_in_acls_have_two_parts_as_java_splits() {
    for (id, valid) in [
        ("u:h", true),
        (":h", true),
        ("u:", false),
        ("u", false),
        ("u:h:", true),
        ("a:b:c", false),
    ] {
        assert_eq!(is_valid_digest(id), valid, "{id}");
    }
}

#[test]
fn a_client_of_another_ensemble_is_sent_away() {
    let authenticator = Authenticator::new(AuthSettings {
        ensemble_names: Some(vec!["blue".into()]),
        ..AuthSettings::default()
    });
    let outcome = |name: &str| authenticator.authenticate(&packet("ensemble", name), "127.0.0.1");
    assert_eq!(outcome("blue"), AuthOutcome::Granted(vec![]));
    assert_eq!(outcome(""), AuthOutcome::Granted(vec![]));
    assert_eq!(outcome("red"), AuthOutcome::WrongEnsemble);
}

#[test]
fn another_digest_algorithm_makes_other_hashes() {
    let granted = |algorithm| {
        let settings = AuthSettings {
            digest_algorithm: algorithm,
            ..AuthSettings::default()
        };
        Authenticator::new(settings).authenticate(&packet("digest", "super:admin"), "127.0.0.1")
    };
    // `printf super:admin | openssl dgst -sha256 -binary | base64`
    let sha256 = "super:wtZw1Um4mq1rRKbXqxHs8ueodBP35/JhtBP/nwJ62WY=";
    let AuthOutcome::Granted(ids) = granted(DigestAlgorithm::Sha256) else {
        panic!("denied")
    };
    assert_eq!(ids, [Id::new("digest", sha256)]);
    assert_ne!(
        granted(DigestAlgorithm::Sha1),
        granted(DigestAlgorithm::Sha256)
    );
}

#[test]
fn a_scheme_that_is_switched_off_neither_authenticates_nor_stands_in_acls() {
    let settings = AuthSettings {
        digest_enabled: false,
        ..AuthSettings::default()
    };
    let authenticator = Authenticator::new(settings);
    let outcome = authenticator.authenticate(&packet("digest", "u:p"), "127.0.0.1");
    assert_eq!(outcome, AuthOutcome::Denied);
    assert!(!authenticator.is_valid("digest", "u:h"));
    assert!(!authenticator.is_authenticated("digest"));
}

#[test]
fn registered_schemes_may_stand_in_acls_though_nobody_can_have_their_identities() {
    let settings = AuthSettings {
        sasl_registered: true,
        x509_registered: true,
        ..AuthSettings::default()
    };
    let (with, without) = (Authenticator::new(settings), authenticator(None));
    for (scheme, id) in [
        ("sasl", "bob"),
        ("sasl", "zk/host@REALM"),
        ("x509", "CN=bob"),
    ] {
        assert!(with.is_valid(scheme, id), "{scheme}:{id}");
        assert!(!without.is_valid(scheme, id), "{scheme}:{id}");
        let outcome = with.authenticate(&packet(scheme, id), "127.0.0.1");
        assert_eq!(outcome, AuthOutcome::Denied, "{scheme}:{id}");
    }
    for (scheme, id) in [("sasl", "a/b/c@R"), ("sasl", "a@"), ("x509", "bob")] {
        assert!(!with.is_valid(scheme, id), "{scheme}:{id}");
    }
}
