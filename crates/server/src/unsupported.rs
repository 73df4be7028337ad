//! What a configuration asks for and this version does not do: said at start, never passed over.

use std::fmt::Write as _;
use zooid_config::{Config, MetricsProvider};

/// One line for each.
pub(crate) fn unsupported(config: &Config) -> Vec<String> {
    let mut lines: Vec<String> = FEATURES
        .iter()
        .filter(|feature| (feature.is_asked_for)(config))
        .map(|feature| feature.line.to_owned())
        .collect();
    lines.extend(tls_properties(config));
    lines.extend(providers(config));
    lines
}

struct Feature {
    is_asked_for: fn(&Config) -> bool,
    line: &'static str,
}

const fn feature(is_asked_for: fn(&Config) -> bool, line: &'static str) -> Feature {
    Feature { is_asked_for, line }
}

static FEATURES: &[Feature] = &[
    feature(
        |c| c.client.secure_address.is_some(),
        "secureClientPort is set, but TLS is not served by this version: no client can connect there",
    ),
    feature(
        |c| c.tls.client_port_unification,
        "client.portUnification is true, but this version has no TLS: clients connect in plain text",
    ),
    feature(
        |c| c.tls.quorum_enabled || c.tls.quorum_port_unification,
        "sslQuorum or portUnification is true, but this version has no TLS: servers talk to each \
         other in plain text",
    ),
    feature(
        |c| c.sasl.quorum_enabled,
        "quorum.auth.enableSasl is true, but this version has no SASL: servers do not authenticate \
         each other",
    ),
    feature(
        |c| c.sasl.login_config.is_some(),
        "a JAAS configuration is set, but this version has no SASL: clients are not authenticated \
         by it",
    ),
    feature(
        |c| !c.auth.sasl_super_users.is_empty() || c.auth.sasl_super_password.is_some(),
        "a SASL super user is set, but this version has no SASL: nobody can be that user",
    ),
    feature(
        |c| c.auth.let_any_sasl_user_do_x.is_some(),
        "letAnySaslUserDoX is set, but this version has no SASL: there is no such user",
    ),
    feature(
        |c| c.auth.x509_super_user.is_some(),
        "X509AuthenticationProvider.superUser is set, but this version has no TLS: nobody can be \
         that user",
    ),
    feature(
        |c| c.auth.ip_uses_x_forwarded_for,
        "IPAuthenticationProvider.usexforwardedfor is true, but there is no AdminServer in this \
         version to heed it",
    ),
    feature(
        |c| c.admin.enabled,
        "admin.enableServer is true, but the AdminServer is not part of this version",
    ),
    feature(
        |c| c.metrics.provider == MetricsProvider::Prometheus,
        "the Prometheus metrics provider is not part of this version; use mntr",
    ),
    feature(
        |c| c.audit.enabled,
        "audit.enable is true, but this version writes no audit log",
    ),
    feature(
        |c| c.quorum.observer_master_port.is_some(),
        "observerMasterPort is set, but this version has no ObserverMaster: observers follow the \
         leader",
    ),
    feature(
        |c| c.quorum.oracle_path.is_some(),
        "oraclePath is set, but this version asks no oracle: a majority must be up",
    ),
    feature(
        |c| c.reconfig_enabled,
        "reconfigEnabled is true, but this version cannot change an ensemble that runs",
    ),
];

/// Everything about keys and certificates in one line.
fn tls_properties(config: &Config) -> Option<String> {
    let names: Vec<&str> = config
        .properties
        .shown()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("zookeeper.ssl."))
        .collect();
    let (first, rest) = names.split_first()?;
    let mut line = (*first).to_owned();
    if !rest.is_empty() {
        let _infallible = write!(line, " (and {} more of TLS)", rest.len());
    }
    line.push_str(" is set, but this version has no TLS");
    Some(line)
}

/// Authentication providers that do not do all that their class does in ZooKeeper.
fn providers(config: &Config) -> impl Iterator<Item = String> + '_ {
    config.auth.providers.iter().filter_map(|(name, class)| {
        let lack = match class.rsplit('.').next().unwrap_or_default() {
            "DigestAuthenticationProvider"
            | "IPAuthenticationProvider"
            | "EnsembleAuthenticationProvider" => return None,
            // The secure port registers it, and is named by itself.
            "X509AuthenticationProvider" if config.client.secure_address.is_some() => return None,
            "SASLAuthenticationProvider" => {
                "ACLs may name the scheme sasl, but this version has no SASL: nobody has such an \
                 identity"
            }
            "X509AuthenticationProvider" => {
                "ACLs may name the scheme x509, but this version has no TLS: nobody has such an \
                 identity"
            }
            _ => "this version does not know that class, and cannot load Java's: there is no such scheme",
        };
        Some(format!("authProvider.{name}={class}: {lack}"))
    })
}

#[cfg(test)]
mod tests;
