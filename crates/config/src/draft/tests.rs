use super::*;
use crate::{NamedText, parse_zoo_cfg};
use expect_test::{Expect, expect};
use proptest::prelude::*;

mod messages;

const MINIMAL: &str = "dataDir=/d\nclientPort=2181\n";
const ENSEMBLE: &str = "dataDir=/d\nclientPort=2181\ninitLimit=10\nsyncLimit=5\n\
                        server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n";

fn flags(args: &[&str]) -> Vec<Entry> {
    crate::parse_system_properties(&Location::source("command line"), args).unwrap()
}

fn companions(my_id: &str) -> Companions {
    let my_id = Some(NamedText {
        path: "/d/myid".into(),
        bytes: my_id.as_bytes().to_vec(),
    });
    Companions {
        my_id,
        ..Companions::default()
    }
}

fn load(text: &str, args: &[&str], companions: &Companions) -> Result<Loaded, ConfigError> {
    Draft::parse(&Location::source("zoo.cfg"), text.as_bytes(), &flags(args))?.finish(companions)
}

/// Loads an extension of the minimal configuration that must be without a remark.
fn config(text: &str, args: &[&str]) -> Config {
    let loaded = load(&format!("{MINIMAL}{text}"), args, &Companions::default()).unwrap();
    assert_eq!(loaded.warnings, []);
    loaded.config
}

#[test]
fn every_default_is_allowed_by_its_own_row() {
    let mut draft = Draft::with_defaults(&Location::source("defaults"));
    for key in key::all_keys() {
        if let Initial::Is(text) = key.initial {
            let outcome = draft.set(key, "", text);
            assert!(matches!(outcome, Outcome::Set), "{}={text}", key.name);
        }
    }
}

#[test]
fn no_name_stands_twice_in_the_table() {
    let mut names: Vec<_> = key::all_keys()
        .map(|key| (key.scope as u8, key.name))
        .collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn every_row_is_found_by_its_name() {
    for key in key::all_keys() {
        let name = key.name.replace('*', "x");
        let found = match key.scope {
            Scope::File => key::file_key(&name).map(|(key, _)| key.name),
            Scope::Property => key::property_key(&format!("zookeeper.{name}")).map(|(k, _)| k.name),
            Scope::CommandLine => key::property_key(&name).map(|(key, _)| key.name),
        };
        assert_eq!(found, Some(key.name));
    }
}

#[test]
fn the_embedded_default_is_standalone_on_the_loopback() {
    let config = Config::default();
    assert!(!config.is_distributed());
    assert_eq!(config.data_dir, Path::new("./zooid-data"));
    assert_eq!(config.data_log_dir, config.data_dir);
    assert_eq!(config.client.address.unwrap().to_string(), "127.0.0.1:2181");
    assert_eq!(config.tick_time_ms, 3000);
    assert_eq!(
        (config.session.timeout_ms_min, config.session.timeout_ms_max),
        (6000, 60000)
    );
    assert_eq!(config.client.cnxns_per_ip_max, Some(60));
    assert_eq!(config.client.jute_buffer_bytes_max, 1_048_575);
    assert_eq!(config.client.jute_extra_bytes, 1_048_575);
    assert_eq!(config.storage.pre_alloc_bytes, 64 << 20);
    assert_eq!(config.storage.snap_size_bytes_max, Some(4 << 30));
    assert!(config.storage.force_sync);
    assert!(config.quorum.leader_serves);
    assert!(!config.tree.skip_acl);
    assert!(config.four_letter_words.allows("srvr"));
    assert!(!config.four_letter_words.allows("stat"));
}

#[test]
fn a_line_of_zoo_cfg_wins_over_the_flag_of_the_same_property() {
    let config = config(
        "snapCount=5\n",
        &["-Dzookeeper.snapCount=7", "-Dzookeeper.maxCnxns=9"],
    );
    assert_eq!(config.storage.snap_count, 5);
    assert_eq!(config.client.cnxns_max, Some(9));
    assert_eq!(config.properties.get("zookeeper.snapCount"), Some("5"));
}

#[test]
fn the_later_of_two_flags_wins() {
    let config = config("", &["-Djute.maxbuffer=1", "-Djute.maxbuffer=0x400000"]);
    assert_eq!(config.client.jute_buffer_bytes_max, 4 << 20);
    assert_eq!(config.client.jute_extra_bytes, 4 << 20);
}

#[test]
fn foreign_flags_are_kept_without_a_word() {
    let config = config(
        "",
        &["-Dcom.sun.management.jmxremote", "-Djava.io.tmpdir=/t"],
    );
    assert_eq!(config.properties.get("java.io.tmpdir"), Some("/t"));
}

#[test]
fn switches_follow_java_s_own_notion_of_true() {
    let config = config(
        "localSessionsEnabled=TRUE\nforceSync=no\nleaderServes=no\nskipACL=yes\n\
         digest.enabled=TRUE\nenforceQuota=True\n",
        &[],
    );
    assert!(config.session.local_enabled);
    assert!(!config.storage.force_sync);
    assert!(!config.quorum.leader_serves);
    assert!(config.tree.skip_acl);
    assert!(config.tree.digest_enabled);
    assert!(config.tree.enforce_quota);
}

#[test]
fn read_only_mode_opens_isro() {
    let config = config(
        "4lw.commands.whitelist=mntr , ruok\n",
        &["-Dreadonlymode.enabled=true"],
    );
    let allowed: Vec<_> = config.four_letter_words.allowed.into_iter().collect();
    assert_eq!(allowed, ["isro", "mntr", "ruok", "srvr"]);
}

#[test]
fn a_star_opens_every_word() {
    assert!(
        config("4lw.commands.whitelist=*\n", &[])
            .four_letter_words
            .allows("wchp")
    );
}

#[test]
fn secrets_are_not_printed() {
    let flag = "-Dzookeeper.DigestAuthenticationProvider.superDigest=super:hush";
    let config = config("ssl.keyStore.password=hush\n", &[flag]);
    assert_eq!(config.auth.super_digest.as_ref().unwrap().0, "super:hush");
    assert!(!format!("{config:?}").contains("hush"));
    assert!(
        config
            .properties
            .shown()
            .all(|(_, value)| !value.contains("hush"))
    );
}

#[test]
fn a_secure_port_brings_the_x509_scheme() {
    let config = config("secureClientPort=2281\n", &[]);
    assert!(config.auth.providers.contains_key("x509"));
    assert!(
        config
            .properties
            .get("zookeeper.authProvider.x509")
            .is_some()
    );
}

#[test]
fn families_keep_what_stands_for_the_star() {
    let config = config(
        "authProvider.1=a.B\nsuperUser=x\nsuperUser.2=y\nmetricsProvider.httpPort=7000\n\
         metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider\n",
        &[],
    );
    assert_eq!(
        config.auth.providers.get("1").map(String::as_str),
        Some("a.B")
    );
    assert_eq!(config.auth.sasl_super_users.len(), 2);
    assert_eq!(config.metrics.provider, crate::MetricsProvider::Prometheus);
    assert_eq!(
        config
            .metrics
            .provider_options
            .get("httpPort")
            .map(String::as_str),
        Some("7000")
    );
}

#[test]
fn limits_that_are_off_are_none() {
    let config = config(
        "maxClientCnxns=0\nclientPortListenBacklog=-1\nautopurge.purgeInterval=0\n\
         snapSizeLimitInKb=0\nlargeRequestThreshold=-1\npreAllocSize=0\nobserverMasterPort=-1\n\
         autopurge.snapRetainCount=4\n",
        &["-Dznode.container.maxNeverUsedIntervalMs=0"],
    );
    assert_eq!(config.client.cnxns_per_ip_max, None);
    assert_eq!(config.client.listen_backlog, None);
    assert_eq!(config.purge.interval_ms, None);
    assert_eq!(config.purge.snap_retain_count, 4);
    assert_eq!(config.storage.snap_size_bytes_max, None);
    assert_eq!(config.throttle.large_request_bytes_min, None);
    assert_eq!(config.storage.pre_alloc_bytes, 0);
    assert_eq!(config.quorum.observer_master_port, None);
    assert_eq!(config.tree.container_never_used_interval_ms_max, None);
}

#[test]
fn several_addresses_need_the_key_of_zoo_cfg_only() {
    let text = ENSEMBLE.replace("a:1:2", "a:1:2|b:3:4");
    assert!(load(&text, &[], &companions("1")).is_err());
    let text = format!("multiAddress.enabled=true\n{text}");
    let config = load(&text, &[], &companions("1")).unwrap().config;
    let first = config.servers.get(zooid_proto::ServerId(1)).unwrap();
    assert_eq!(first.addresses.len(), 2);
}

#[test]
fn derived_values_follow_their_sources() {
    let config = config(
        "flushDelay=30\nsyncEnabled=true\nobserver.syncEnabled=false\n",
        &[],
    );
    assert_eq!(config.storage.write_queue_poll_ms_max, 10);
    assert!(!config.quorum.observer_sync_enabled);
}

#[test]
fn one_participant_is_standalone_unless_told_otherwise() {
    let one = "server.1=a:1:2\ninitLimit=10\nsyncLimit=5\n";
    assert!(
        !load(&format!("{MINIMAL}{one}"), &[], &companions("1"))
            .unwrap()
            .config
            .is_distributed()
    );
    let text = format!("{MINIMAL}{one}standaloneEnabled=false\n");
    assert!(
        load(&text, &[], &companions("1"))
            .unwrap()
            .config
            .is_distributed()
    );
    let ensemble = load(ENSEMBLE, &[], &companions("2")).unwrap();
    assert!(ensemble.config.is_distributed());
    assert_eq!(ensemble.warnings, []);
    let voters: Vec<_> = ensemble.config.voters().map(|id| id.0).collect();
    assert_eq!(voters, [1, 2, 3]);
}

#[test]
fn the_client_address_of_the_own_spec_is_used() {
    let text = "dataDir=/d\nserver.1=a:1:2;5\n";
    let config = load(text, &[], &companions(" 1 \nrest")).unwrap().config;
    assert_eq!(config.client.address.unwrap().to_string(), "0.0.0.0:5");
    let agreeing = [
        "clientPort=5\n",
        "clientPort=5\nclientPortAddress=localhost\n",
    ];
    for line in agreeing {
        load(&format!("{text}{line}"), &[], &companions("1")).unwrap();
    }
}

#[test]
fn the_static_client_port_serves_the_own_spec_without_being_printed() {
    let config = load(ENSEMBLE, &[], &companions("1")).unwrap().config;
    let own = config.servers.get(config.my_id.unwrap()).unwrap();
    assert!(own.client.as_ref().unwrap().is_from_static);
    assert!(
        config
            .servers
            .config_text()
            .starts_with("server.1=a:1:2:participant\n")
    );
}

#[test]
fn a_dynamic_file_brings_the_list_and_its_version() {
    let text = "dataDir=/d\nclientPort=1\ninitLimit=1\nsyncLimit=1\ndynamicConfigFile=/c/zoo.cfg.dynamic.1f\n";
    let servers = b"server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2:observer";
    let dynamic = NamedText {
        path: "/c/zoo.cfg.dynamic.1f".into(),
        bytes: servers.to_vec(),
    };
    let next = b"server.1=a:1:2\nversion=2f";
    let next = NamedText {
        path: "/c/zoo.cfg.dynamic.next".into(),
        bytes: next.to_vec(),
    };
    let files = Companions {
        dynamic: Some(dynamic),
        next: Some(next),
        ..companions("3")
    };
    let config = load(text, &[], &files).unwrap().config;
    assert_eq!(config.servers.version, 0x1f);
    assert_eq!(config.peer_type(), PeerType::Observer);
    assert_eq!(config.last_seen_servers.unwrap().version, 0x2f);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_zoo_cfg(&bytes);
    }

    #[test]
    fn any_value_of_any_key_is_read_or_refused(
        index in 0..key::all_keys().count(),
        value in r"[-+0-9a-z.:;,|*#\[\]]{0,20}|[0-9]{1,20}|0x[0-9a-f]{1,17}",
    ) {
        let key = key::all_keys().nth(index).unwrap();
        let name = key.name.replace('*', ".1");
        let _ = parse_zoo_cfg(format!("{MINIMAL}{name}={value}\n").as_bytes());
        let _ = load(MINIMAL, &[&format!("-D{name}={value}")], &Companions::default());
    }
}
