//! Identities: how a connection gets them and which are valid in an ACL
//! (spec §2.14; Java `AuthenticationProvider` and its implementations).

use crate::DigestAlgorithm;
use zooid_proto::Id;
use zooid_proto::request::AuthPacket;

/// Which schemes are on, and their settings.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// `zookeeper.DigestAuthenticationProvider.enabled`
    pub digest_enabled: bool,
    /// `zookeeper.DigestAuthenticationProvider.digestAlg`
    pub digest_algorithm: DigestAlgorithm,
    /// `zookeeper.DigestAuthenticationProvider.superDigest`: `super:<hash>`
    pub super_digest: Option<String>,
    /// `zookeeper.ensembleAuthName`, split at commas; `None` when the scheme is not registered.
    pub ensemble_names: Option<Vec<String>>,
    /// Whether the `sasl` scheme is registered, so that ACLs may name it.
    pub sasl_registered: bool,
    /// Whether the `x509` scheme is registered.
    pub x509_registered: bool,
}

impl Default for AuthSettings {
    fn default() -> AuthSettings {
        AuthSettings {
            digest_enabled: true,
            digest_algorithm: DigestAlgorithm::default(),
            super_digest: None,
            ensemble_names: None,
            sasl_registered: false,
            x509_registered: false,
        }
    }
}

/// How an auth packet fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AuthOutcome {
    /// These identities are added.
    Granted(Vec<Id>),
    /// AuthFailed, and the connection closes.
    Denied,
    /// The connection closes at once, so that the client tries another server.
    WrongEnsemble,
}

/// Judges auth packets and the ids in ACLs.
#[derive(Clone, Debug, Default)]
pub struct Authenticator {
    settings: AuthSettings,
}

impl Authenticator {
    /// From its settings.
    #[must_use]
    pub fn new(settings: AuthSettings) -> Authenticator {
        Authenticator { settings }
    }

    pub(crate) fn authenticate(&self, packet: &AuthPacket, remote_ip: &str) -> AuthOutcome {
        let auth = packet.auth.as_deref().unwrap_or_default();
        match packet.scheme.as_deref() {
            Some("ip") => AuthOutcome::Granted(vec![Id::new("ip", remote_ip)]),
            Some("digest") if self.settings.digest_enabled => self.digest(auth),
            Some("ensemble") => self.ensemble(auth),
            _ => AuthOutcome::Denied,
        }
    }

    /// Java hashes the whole string and names the user by what precedes the first colon, be there one
    /// or not.
    fn digest(&self, auth: &[u8]) -> AuthOutcome {
        let text = String::from_utf8_lossy(auth);
        let user = text.split(':').next().unwrap_or_default();
        let id = format!(
            "{user}:{}",
            self.settings.digest_algorithm.base64(text.as_bytes())
        );
        let mut granted = Vec::new();
        if self.settings.super_digest.as_ref() == Some(&id) {
            granted.push(Id::new("super", ""));
        }
        granted.push(Id::new("digest", &id));
        AuthOutcome::Granted(granted)
    }

    fn ensemble(&self, auth: &[u8]) -> AuthOutcome {
        let Some(names) = &self.settings.ensemble_names else {
            return AuthOutcome::Denied;
        };
        let name = String::from_utf8_lossy(auth);
        if name.is_empty() || names.is_empty() || names.iter().any(|known| *known == name) {
            return AuthOutcome::Granted(Vec::new());
        }
        AuthOutcome::WrongEnsemble
    }

    /// Whether the scheme proves who someone is, so that `auth` in an ACL may stand for it.
    pub(crate) fn is_authenticated(&self, scheme: &str) -> bool {
        match scheme {
            "digest" => self.settings.digest_enabled,
            "sasl" => self.settings.sasl_registered,
            "x509" => self.settings.x509_registered,
            _ => false,
        }
    }

    /// Whether an ACL may name this scheme.
    pub(crate) fn knows(&self, scheme: &str) -> bool {
        match scheme {
            "world" | "ip" => true,
            "digest" => self.settings.digest_enabled,
            "sasl" => self.settings.sasl_registered,
            "x509" => self.settings.x509_registered,
            _ => false,
        }
    }

    /// Whether an ACL may name this identity.
    pub(crate) fn is_valid(&self, scheme: &str, id: &str) -> bool {
        match scheme {
            "ip" => zooid_tree::acl::is_network(id),
            "digest" => self.knows(scheme) && is_valid_digest(id),
            "sasl" => self.knows(scheme) && is_valid_sasl(id),
            "x509" => self.knows(scheme) && id.contains('='),
            _ => false,
        }
    }
}

/// Java: `id.split(":").length == 2`, which drops trailing empty parts but not leading ones.
fn is_valid_digest(id: &str) -> bool {
    let mut parts: Vec<&str> = id.split(':').collect();
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts.len() == 2
}

/// Java's `KerberosName`: `primary[/host]@REALM`, or anything without an `@`.
fn is_valid_sasl(id: &str) -> bool {
    match id.split_once('@') {
        None => true,
        Some((principal, realm)) => {
            let parts: Vec<&str> = principal.split('/').collect();
            !realm.is_empty()
                && !realm.contains(['@', '/'])
                && parts.len() <= 2
                && parts.iter().all(|part| !part.is_empty())
        }
    }
}

#[cfg(test)]
mod tests;
