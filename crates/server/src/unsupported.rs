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
        (
            config.connection_throttle.tokens.is_some(),
            "connection_throttle_tokens is set, but this version does not throttle connections",
        ),
        (
            config.throttle.requests_max.is_some(),
            "request_throttle_max_requests is set, but this version limits requests by \
             globalOutstandingLimit only",
        ),
        (
            config.throttle.throttled_op_wait_ms.is_some(),
            "throttled_op_wait_time is set, but this version drops no request for its age",
        ),
        (
            config.throttle.large_request_bytes_min.is_some(),
            "largeRequestThreshold is set, but this version limits requests by jute.maxbuffer only",
        ),
    ];
    asked
        .into_iter()
        .filter_map(|(is_asked, text)| is_asked.then_some(text))
        .collect()
}

#[cfg(test)]
mod tests;
