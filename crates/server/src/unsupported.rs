//! What a configuration asks for and this version does not do: said at start, never passed over.

use zooid_config::{Config, MetricsProvider};

/// One line for each.
pub(crate) fn unsupported(config: &Config) -> Vec<&'static str> {
    let asked = [
        (
            config.client.secure_address.is_some(),
            "secureClientPort is set, but TLS is not served by this version: no client can connect \
             there",
        ),
        (
            config.admin.enabled,
            "admin.enableServer is true, but the AdminServer is not part of this version",
        ),
        (
            config.metrics.provider == MetricsProvider::Prometheus,
            "the Prometheus metrics provider is not part of this version; use mntr",
        ),
        (
            config.audit.enabled,
            "audit.enable is true, but this version writes no audit log",
        ),
        (
            config.sasl.login_config.is_some(),
            "a JAAS configuration is set, but this version has no SASL: clients are not \
             authenticated by it",
        ),
    ];
    asked
        .into_iter()
        .filter_map(|(is_asked, text)| is_asked.then_some(text))
        .collect()
}

#[cfg(test)]
mod tests;
