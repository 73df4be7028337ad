//! Properties of authentication and encryption.

use super::{comma_list, command_line, millis, natural_long, non_empty, property};
use crate::config::{ClientAuth, Secret, StoreType};
use crate::key::Initial::{Follows, Is, Unset};
use crate::key::Key;
use crate::key::Mark::{Java, Security};
use crate::key::Setter::{self, Bool, Choice, Family, Int, Long, Text, Unread};
use crate::value::Range;
use std::path::PathBuf;

pub(super) const AUTHENTICATION: &[Key] = &[
    property(
        "authProvider.*",
        Security,
        Unset,
        Family(|d, name, v| {
            d.config
                .auth
                .providers
                .insert(name.to_owned(), v.to_owned());
        }),
        "`authProvider.1=<class>`: a further authentication scheme, by its Java class.",
    ),
    property(
        "DigestAuthenticationProvider.enabled",
        Security,
        Is("true"),
        Bool(|d, v| d.config.auth.digest_enabled = v),
        "Whether the scheme `digest` exists.",
    ),
    property(
        "DigestAuthenticationProvider.digestAlg",
        Security,
        Is("SHA1"),
        Text(|d, v| v.clone_into(&mut d.config.auth.digest_algorithm)),
        "Its hash, by Java's name, such as `SHA-256`. The same in all servers.",
    ),
    property(
        "DigestAuthenticationProvider.superDigest",
        Security,
        Unset,
        Setter::Secret(|d, v| d.config.auth.super_digest = secret(v)),
        "`super:<base64 of the hash>`: whoever knows the password is above all ACLs.",
    ),
    property(
        "IPAuthenticationProvider.usexforwardedfor",
        Security,
        Is("false"),
        Bool(|d, v| d.config.auth.ip_uses_x_forwarded_for = v),
        "Whether the scheme `ip` believes X-Forwarded-For in HTTP requests.",
    ),
    property(
        "X509AuthenticationProvider.superUser",
        Security,
        Unset,
        Text(|d, v| d.config.auth.x509_super_user = non_empty(v)),
        "Certificate subject that is above all ACLs.",
    ),
    property(
        "SASLAuthenticationProvider.superPassword",
        Security,
        Unset,
        Setter::Secret(|d, v| d.config.auth.sasl_super_password = secret(v)),
        "Password of the SASL user `super`, who is above all ACLs.",
    ),
    property(
        "superUser",
        Security,
        Unset,
        Text(|d, v| d.config.auth.sasl_super_users.extend(non_empty(v))),
        "SASL identity that is above all ACLs.",
    ),
    property(
        "superUser.*",
        Security,
        Unset,
        Family(|d, _, v| d.config.auth.sasl_super_users.extend(non_empty(v))),
        "Further ones: `superUser.1` and so on.",
    ),
    property(
        "letAnySaslUserDoX",
        Security,
        Unset,
        Text(|d, v| d.config.auth.let_any_sasl_user_do_x = non_empty(v)),
        "SASL id that, in an ACL, means anyone who has logged in.",
    ),
    property(
        "allowSaslFailedClients",
        Security,
        Is("false"),
        Bool(|d, v| d.config.auth.allow_sasl_failed_clients = v),
        "Whether a client whose SASL login fails stays connected.",
    ),
    property(
        "sessionRequireClientSASLAuth",
        Security,
        Is("false"),
        Bool(|d, v| d.config.auth.session_requires_sasl = v),
        "Whether a session needs a SASL login: enforce.auth with the scheme `sasl`.",
    ),
    property(
        "enforce.auth.enabled",
        Security,
        Is("false"),
        Bool(|d, v| d.config.auth.enforce_enabled = v),
        "Whether a session needs one of the next schemes.",
    ),
    property(
        "enforce.auth.schemes",
        Security,
        Unset,
        Text(|d, v| d.config.auth.enforce_schemes = comma_list(v)),
        "Those schemes, separated by commas.",
    ),
    property(
        "ensembleAuthName",
        Security,
        Unset,
        Text(|d, v| d.config.auth.ensemble_names = comma_list(v)),
        "Names of this ensemble, separated by commas, for clients of the scheme `ensemble`.",
    ),
];

pub(super) const SASL: &[Key] = &[
    command_line(
        "java.security.auth.login.config",
        Security,
        Unset,
        Text(|d, v| d.config.sasl.login_config = non_empty(v).map(PathBuf::from)),
        "JAAS file.",
    ),
    property(
        "sasl.serverconfig",
        Security,
        Is("Server"),
        Text(|d, v| v.clone_into(&mut d.config.sasl.server_section)),
        "Its section for client logins.",
    ),
    property(
        "server.realm",
        Security,
        Unset,
        Text(|d, v| d.config.sasl.server_realm = non_empty(v)),
        "Realm clients are told.",
    ),
    property(
        "security.auth_to_local",
        Security,
        Is("DEFAULT"),
        Text(|d, v| v.clone_into(&mut d.config.sasl.auth_to_local)),
        "Rules from Kerberos principals to short names.",
    ),
    property(
        "kerberos.removeHostFromPrincipal",
        Security,
        Is("false"),
        Bool(|d, v| d.config.sasl.remove_host_from_principal = v),
        "Whether identities lose their host.",
    ),
    property(
        "kerberos.removeRealmFromPrincipal",
        Security,
        Is("false"),
        Bool(|d, v| d.config.sasl.remove_realm_from_principal = v),
        "Whether identities lose their realm.",
    ),
    property(
        "kerberos.canonicalizeHostNames",
        Security,
        Is("false"),
        Bool(|d, v| d.config.sasl.canonicalize_host_names = v),
        "Whether the servers' host names are canonicalised.",
    ),
    property(
        "kerberos.minReLoginTimeMs",
        Security,
        Is("60000"),
        Long(Range::NATURAL, |d, v| {
            d.config.sasl.relogin_interval_ms_min = natural_long(v);
        }),
        "Milliseconds between Kerberos logins.",
    ),
    property(
        "requireKerberosConfig",
        Security,
        Is("false"),
        Bool(|d, v| d.config.sasl.require_kerberos_config = v),
        "Whether a Kerberos configuration must exist.",
    ),
];

pub(super) const TLS: &[Key] = &[
    property(
        "client.portUnification",
        Security,
        Is("false"),
        Bool(|d, v| d.config.tls.client_port_unification = v),
        "Whether the secure client port also takes plain connections.",
    ),
    property(
        "client.certReload",
        Security,
        Is("false"),
        Bool(|d, v| d.config.tls.client_cert_reload = v),
        "Whether key and trust stores for clients are read again when they change.",
    ),
    property(
        "ssl.authProvider",
        Security,
        Is("x509"),
        Text(|d, v| v.clone_into(&mut d.config.tls.auth_provider)),
        "Scheme that judges client certificates.",
    ),
    property(
        "fips-mode",
        Security,
        Is("true"),
        Bool(|d, v| d.config.tls.fips_mode = v),
        "Whether only FIPS 140 algorithms are used, which excludes DIGEST-MD5. ZooKeeper 3.8: false.",
    ),
    property(
        "ssl.sslProvider",
        Java,
        Is("JDK"),
        Unread("word"),
        "TLS library of Netty.",
    ),
];

/// The rows of one kind of connection: prefix, field, and the one default that differs.
macro_rules! endpoint_keys {
    ($prefix:literal, $field:ident, $client_hostname_verification:literal) => {
        &[
            property(
                concat!($prefix, "protocol"),
                Security,
                Follows("TLSv1.3"),
                Text(|d, v| d.config.$field.protocol = non_empty(v)),
                "Protocol version.",
            ),
            property(
                concat!($prefix, "enabledProtocols"),
                Security,
                Follows("protocol"),
                Text(|d, v| d.config.$field.enabled_protocols = comma_list(v)),
                "Protocol versions accepted, separated by commas.",
            ),
            property(
                concat!($prefix, "ciphersuites"),
                Security,
                Unset,
                Text(|d, v| d.config.$field.cipher_suites = comma_list(v)),
                "Cipher suites accepted, separated by commas.",
            ),
            property(
                concat!($prefix, "keyStore.location"),
                Security,
                Unset,
                Text(|d, v| d.config.$field.key_store = path(v)),
                "File with own key and certificate.",
            ),
            property(
                concat!($prefix, "keyStore.password"),
                Security,
                Unset,
                Setter::Secret(|d, v| d.config.$field.key_store_password = secret(v)),
                "Its password.",
            ),
            property(
                concat!($prefix, "keyStore.passwordPath"),
                Security,
                Unset,
                Text(|d, v| d.config.$field.key_store_password_path = path(v)),
                "File with its password, over which it wins.",
            ),
            property(
                concat!($prefix, "keyStore.type"),
                Security,
                Follows("the file's ending"),
                Choice(STORE_TYPES, |d, v| {
                    d.config.$field.key_store_type = store_type(v)
                }),
                "Its format.",
            ),
            property(
                concat!($prefix, "trustStore.location"),
                Security,
                Unset,
                Text(|d, v| d.config.$field.trust_store = path(v)),
                "File with trusted certificates.",
            ),
            property(
                concat!($prefix, "trustStore.password"),
                Security,
                Unset,
                Setter::Secret(|d, v| d.config.$field.trust_store_password = secret(v)),
                "Its password.",
            ),
            property(
                concat!($prefix, "trustStore.passwordPath"),
                Security,
                Unset,
                Text(|d, v| d.config.$field.trust_store_password_path = path(v)),
                "File with its password, over which it wins.",
            ),
            property(
                concat!($prefix, "trustStore.type"),
                Security,
                Follows("the file's ending"),
                Choice(STORE_TYPES, |d, v| {
                    d.config.$field.trust_store_type = store_type(v)
                }),
                "Its format.",
            ),
            property(
                concat!($prefix, "context.supplier.class"),
                Java,
                Unset,
                Unread("class"),
                "Java class that makes the TLS context.",
            ),
            property(
                concat!($prefix, "hostnameVerification"),
                Security,
                Is("true"),
                Bool(|d, v| d.config.$field.hostname_verification = v),
                "Whether a server's certificate must name its host.",
            ),
            property(
                concat!($prefix, "clientHostnameVerification"),
                Security,
                Is($client_hostname_verification),
                Bool(|d, v| d.config.$field.client_hostname_verification = v),
                "Whether a client's certificate must name its host.",
            ),
            property(
                concat!($prefix, "allowReverseDnsLookup"),
                Security,
                Is("false"),
                Bool(|d, v| d.config.$field.allow_reverse_dns_lookup = v),
                "Whether an address may be turned into a name for that.",
            ),
            property(
                concat!($prefix, "crl"),
                Security,
                Is("false"),
                Bool(|d, v| d.config.$field.crl = v),
                "Whether revocation lists are consulted.",
            ),
            property(
                concat!($prefix, "ocsp"),
                Security,
                Is("false"),
                Bool(|d, v| d.config.$field.ocsp = v),
                "Whether revocation is asked for online.",
            ),
            property(
                concat!($prefix, "clientAuth"),
                Security,
                Is("need"),
                Choice(&["need", "want", "none"], |d, v| {
                    d.config.$field.client_auth = client_auth(v);
                }),
                "Whether a client needs a certificate.",
            ),
            property(
                concat!($prefix, "handshakeDetectionTimeoutMillis"),
                Security,
                Is("5000"),
                Int(Range::POSITIVE, |d, v| {
                    d.config.$field.handshake_detection_timeout_ms = millis(v);
                }),
                "Milliseconds to tell a TLS connection from a plain one.",
            ),
        ]
    };
}

pub(super) const TLS_CLIENT: &[Key] = endpoint_keys!("ssl.", tls_client, "false");
pub(super) const TLS_QUORUM: &[Key] = endpoint_keys!("ssl.quorum.", tls_quorum, "true");

fn secret(text: &str) -> Option<Secret> {
    non_empty(text).map(Secret)
}

fn path(text: &str) -> Option<PathBuf> {
    non_empty(text).map(PathBuf::from)
}

fn client_auth(word: &str) -> ClientAuth {
    match word {
        "none" => ClientAuth::None,
        "want" => ClientAuth::Want,
        _ => ClientAuth::Need,
    }
}

fn store_type(word: &str) -> Option<StoreType> {
    match word {
        "JKS" => Some(StoreType::Jks),
        "PEM" => Some(StoreType::Pem),
        "PKCS12" => Some(StoreType::Pkcs12),
        "BCFKS" => Some(StoreType::Bcfks),
        _ => None,
    }
}

const STORE_TYPES: &[&str] = &["JKS", "PEM", "PKCS12", "BCFKS"];
