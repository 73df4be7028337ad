//! From the configuration to what the protocol wants to know.

use crate::shared::size;
use zooid_config::{AuthOptions, Config};
use zooid_node::{AuthSettings, Authenticator, ContainerSettings, DigestAlgorithm, Settings};
use zooid_proto::{Limit, OwnerRules, ServerId};

/// The server id in the session ids of a standalone server (Java `ZooKeeperServer`).
const STANDALONE_ID: ServerId = ServerId(1);

/// A configuration that this build cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum Unsupported {
    /// A digest algorithm that is unknown here.
    #[error(
        "zookeeper.DigestAuthenticationProvider.digestAlg={0} is not supported; \
         use one of {known}",
        known = DigestAlgorithm::NAMES.join(", ")
    )]
    DigestAlgorithm(String),
    /// A required scheme that nobody can have.
    #[error(
        "zookeeper.enforce.auth.schemes names {0:?}, for which there is no authentication provider; \
         every request would be refused. Name digest, ip, or a scheme that is registered with \
         zookeeper.authProvider.*"
    )]
    Scheme(String),
}

pub(crate) fn settings(config: &Config) -> Result<Settings, Unsupported> {
    let tree = &config.tree;
    let auth = auth_settings(&config.auth)?;
    let never_used = tree.container_never_used_interval_ms_max;
    let own_id = config.my_id.filter(|_| config.is_distributed());
    Ok(Settings {
        server_id: own_id.unwrap_or(STANDALONE_ID),
        tick_ms: i64::from(config.tick_time_ms),
        min_session_timeout_ms: config.session.timeout_ms_min,
        max_session_timeout_ms: config.session.timeout_ms_max,
        limit: Limit::from_java(
            size(config.client.jute_buffer_bytes_max),
            size(config.client.jute_extra_bytes),
        ),
        owner_rules: owner_rules(config),
        digest: tree.digest_enabled,
        close_session_txn: tree.close_session_txn_enabled,
        enforce_quota: tree.enforce_quota,
        skip_acl: tree.skip_acl,
        reconfig_enabled: config.reconfig_enabled,
        local_sessions: zooid_node::LocalSessions {
            enabled: config.session.local_enabled && config.is_distributed(),
            upgrading: config.session.local_upgrading_enabled,
        },
        containers: ContainerSettings {
            check_interval_ms: millis(tree.container_check_interval_ms),
            max_per_minute: i64::from(tree.containers_per_minute_max),
            max_never_used_ms: never_used.map_or(0, millis),
        },
        required_schemes: required_schemes(&config.auth, &auth)?,
        authenticator: Authenticator::new(auth),
    })
}

pub(crate) fn owner_rules(config: &Config) -> OwnerRules {
    OwnerRules {
        extended_types: config.tree.extended_types_enabled,
        emulate_353_ttl: config.tree.emulate_353_ttl_nodes,
    }
}

fn millis(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn auth_settings(auth: &AuthOptions) -> Result<AuthSettings, Unsupported> {
    let algorithm = &auth.digest_algorithm;
    let registered = |class: &str| auth.providers.values().any(|value| value.ends_with(class));
    Ok(AuthSettings {
        digest_enabled: auth.digest_enabled,
        digest_algorithm: DigestAlgorithm::from_java_name(algorithm)
            .ok_or_else(|| Unsupported::DigestAlgorithm(algorithm.clone()))?,
        super_digest: auth.super_digest.as_ref().map(|secret| secret.0.clone()),
        ensemble_names: registered("EnsembleAuthenticationProvider")
            .then(|| auth.ensemble_names.iter().cloned().collect()),
        sasl_registered: registered("SASLAuthenticationProvider"),
        x509_registered: registered("X509AuthenticationProvider"),
    })
}

/// Java refuses to start as well (`AuthenticationHelper`), rather than refuse every client.
fn required_schemes(auth: &AuthOptions, on: &AuthSettings) -> Result<Vec<String>, Unsupported> {
    let mut schemes = Vec::new();
    if auth.enforce_enabled {
        schemes.extend(auth.enforce_schemes.iter().cloned());
    }
    if auth.session_requires_sasl && !schemes.iter().any(|scheme| scheme == "sasl") {
        schemes.push("sasl".to_owned());
    }
    let is_known = |scheme: &str| match scheme {
        "ip" => true,
        "digest" => on.digest_enabled,
        "sasl" => on.sasl_registered || auth.session_requires_sasl,
        "x509" => on.x509_registered,
        _ => false,
    };
    match schemes.iter().find(|scheme| !is_known(scheme)) {
        Some(unknown) => Err(Unsupported::Scheme(unknown.clone())),
        None => Ok(schemes),
    }
}

#[cfg(test)]
mod tests;
