use super::settings;
use zooid_config::{Entry, Location, load, parse_system_properties};

fn with(flags: &[&str]) -> Result<Vec<String>, String> {
    let location = Location::source("a test");
    let properties: Vec<Entry> = parse_system_properties(&location, flags).unwrap();
    let request = load::Request {
        properties,
        ..load::Request::default()
    };
    let config = load::load(&request).unwrap().0.config;
    settings(&config)
        .map(|settings| settings.required_schemes)
        .map_err(|error| error.to_string())
}

#[test]
fn a_required_scheme_without_provider_is_refused_at_start() {
    let enforce = "-Dzookeeper.enforce.auth.enabled=true";
    let schemes = |names: &str| {
        with(&[
            enforce,
            &format!("-Dzookeeper.enforce.auth.schemes={names}"),
        ])
    };
    assert_eq!(schemes("digest"), Ok(vec!["digest".to_owned()]));
    let refused = schemes("digest,nope").unwrap_err();
    assert!(refused.contains("\"nope\""), "{refused}");
    assert_eq!(with(&[]), Ok(vec![]));
}

#[test]
fn an_unknown_digest_algorithm_is_refused_at_start() {
    let flag = |name| format!("-Dzookeeper.DigestAuthenticationProvider.digestAlg={name}");
    let refused = with(&[&flag("bcrypt")]).unwrap_err();
    assert!(refused.contains("digestAlg=bcrypt"), "{refused}");
    assert!(refused.contains("SHA-512, SHA-512/224"), "{refused}");
    assert_eq!(with(&[&flag("SHA3-256")]), Ok(vec![]));
}
