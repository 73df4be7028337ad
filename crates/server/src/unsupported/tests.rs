use super::unsupported;
use zooid_config::{Config, parse_zoo_cfg};

/// The first words of what is said of a `zoo.cfg`.
fn named(lines: &[&str]) -> Vec<String> {
    let text = format!("dataDir=/tmp\nclientPort=1\n{}\n", lines.join("\n"));
    let config = parse_zoo_cfg(text.as_bytes()).unwrap().config;
    unsupported(&config)
        .iter()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

#[test]
fn the_default_asks_for_nothing_that_is_missing() {
    assert_eq!(unsupported(&Config::default()), [""; 0]);
    assert_eq!(named(&[]), [""; 0]);
}

#[test]
fn what_is_asked_for_and_missing_is_named() {
    let prometheus = "metricsProvider.className=\
                      org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
    let netty = "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory";
    for (lines, expected) in [
        (
            &["secureClientPort=2", netty][..],
            &["secureClientPort"][..],
        ),
        (
            &["client.portUnification=true"],
            &["client.portUnification"],
        ),
        (&["sslQuorum=true"], &["sslQuorum"]),
        (&["portUnification=true"], &["sslQuorum"]),
        (&["superUser.2=bob"], &["a"]),
        (
            &["X509AuthenticationProvider.superUser=CN=x"],
            &["X509AuthenticationProvider.superUser"],
        ),
        (&["letAnySaslUserDoX=x"], &["letAnySaslUserDoX"]),
        (&["admin.enableServer=true"], &["admin.enableServer"]),
        (&[prometheus], &["the"]),
        (&["audit.enable=true"], &["audit.enable"]),
        (
            &[
                "quorum.auth.enableSasl=true",
                "SASLAuthenticationProvider.superPassword=x",
            ],
            &["quorum.auth.enableSasl", "a"],
        ),
        (&["observerMasterPort=3"], &["observerMasterPort"]),
        (&["oraclePath=/o"], &["oraclePath"]),
        (&["reconfigEnabled=true"], &["reconfigEnabled"]),
        (
            &["IPAuthenticationProvider.usexforwardedfor=true"],
            &["IPAuthenticationProvider.usexforwardedfor"],
        ),
    ] {
        assert_eq!(named(lines), expected, "{lines:?}");
    }
}

#[test]
fn tls_without_a_port_is_named_once() {
    let one = &["ssl.keyStore.location=/k"];
    assert_eq!(named(one), ["zookeeper.ssl.keyStore.location"]);
    let two = [
        one[0],
        "ssl.quorum.trustStore.location=/t",
        "audit.enable=true",
    ];
    assert_eq!(
        named(&two),
        ["audit.enable", "zookeeper.ssl.keyStore.location"]
    );
}

#[test]
fn every_provider_that_lacks_something_is_named() {
    let class = |name: &str| format!("authProvider.{name}=org.apache.zookeeper.server.auth.{name}");
    let known = class("DigestAuthenticationProvider");
    let ensemble = class("EnsembleAuthenticationProvider");
    let sasl = class("SASLAuthenticationProvider");
    let foreign = "authProvider.mine=com.example.Mine".to_owned();
    assert_eq!(
        named(&[&known, &ensemble, &sasl, &foreign]),
        [format!("{sasl}:"), format!("{foreign}:")]
    );
}
