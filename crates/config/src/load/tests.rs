use super::*;
use expect_test::expect;

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn bare(variables: &[(&str, &str)]) -> Request {
    Request {
        environment: environment(variables),
        ..Request::default()
    }
}

#[test]
fn nothing_at_all_is_the_embedded_default() {
    let (loaded, provenance) = load(&bare(&[])).unwrap();
    assert_eq!(provenance, Provenance::Embedded);
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.warnings, []);
}

#[test]
fn flags_win_over_jvmflags_over_server_jvmflags() {
    let mut request = bare(&[
        (
            "SERVER_JVMFLAGS",
            "-Dzookeeper.snapCount=11 -Dzookeeper.maxCnxns=12 -Dzookeeper.flushDelay=13",
        ),
        (
            "JVMFLAGS",
            "-Dzookeeper.snapCount=21 -Dzookeeper.maxCnxns=22",
        ),
        ("ZOO_DATADIR_AUTOCREATE_DISABLE", "1"),
    ]);
    let source = Location::source("command line");
    request.properties =
        crate::parse_system_properties(&source, &["-Dzookeeper.snapCount=31"]).unwrap();
    let config = load(&request).unwrap().0.config;
    assert_eq!(config.storage.snap_count, 31);
    assert_eq!(config.client.cnxns_max, Some(22));
    assert_eq!(config.storage.flush_delay_ms, 13);
    assert!(!config.storage.data_dir_auto_create);
}

#[test]
fn positional_arguments_leave_connections_unlimited() {
    let arguments = |args: &[&str]| {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        load(&Request {
            invocation: Invocation::Arguments(args),
            ..Request::default()
        })
    };
    let (loaded, provenance) = arguments(&["2181", "/nowhere/data"]).unwrap();
    assert_eq!(provenance, Provenance::Arguments);
    assert_eq!(loaded.config.client.cnxns_per_ip_max, None);
    assert_eq!(
        loaded.config.client.address.unwrap().to_string(),
        "0.0.0.0:2181"
    );
    let config = arguments(&["2181", "/nowhere/data", "500", "7"])
        .unwrap()
        .0
        .config;
    assert_eq!(
        (config.tick_time_ms, config.client.cnxns_per_ip_max),
        (500, Some(7))
    );
    let errors = [
        arguments(&["2181"]),
        arguments(&["x", "d"]),
        arguments(&["1", "d", "3", "4", "5"]),
    ];
    let shown: String = errors.map(|e| format!("{}\n", e.unwrap_err())).concat();
    expect![[r#"
        expected 2 to 4 arguments without a file, not 1; give a configuration file, or: port dataDir [tickTime] [maxcnxns]
        command line: clientPort=x: expected a whole number from 0 to 65535; correct the value
        expected 2 to 4 arguments without a file, not 5; give a configuration file, or: port dataDir [tickTime] [maxcnxns]
    "#]].assert_eq(&shown);
}

#[test]
fn a_file_is_read_with_its_companions() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("zoo.cfg");
    let dynamic = dir.path().join("zoo.cfg.dynamic.a");
    let text = format!(
        "dataDir={0}\nclientPort=2181\ninitLimit=10\nsyncLimit=5\ndynamicConfigFile={1}\n",
        dir.path().display(),
        dynamic.display()
    );
    std::fs::write(&file, text).unwrap();
    std::fs::write(&dynamic, "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2").unwrap();
    std::fs::write(
        dir.path().join("zoo.cfg.dynamic.next"),
        "server.1=a:1:2\nversion=b",
    )
    .unwrap();
    std::fs::write(dir.path().join("myid"), "3\n").unwrap();
    let request = Request {
        invocation: Invocation::File(file.clone()),
        ..Request::default()
    };
    let (loaded, provenance) = load(&request).unwrap();
    assert_eq!(provenance, Provenance::File(file.clone()));
    assert_eq!(loaded.config.my_id.unwrap().0, 3);
    assert_eq!(loaded.config.servers.version, 10);
    assert_eq!(loaded.config.last_seen_servers.unwrap().version, 11);
    assert_eq!(loaded.config.config_file, Some(file.clone()));

    let by_environment = bare(&[
        ("ZOOCFGDIR", dir.path().to_str().unwrap()),
        ("ZOO_MY_ID", "1"),
    ]);
    assert_eq!(load(&by_environment).unwrap().1, Provenance::File(file));

    std::fs::remove_file(dynamic).unwrap();
    let error = load(&request).unwrap_err();
    assert!(matches!(
        error,
        ConfigError::Unreadable {
            what: "dynamic configuration file",
            ..
        }
    ));
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let path = PathBuf::from("/nowhere/zoo.cfg");
    let request = Request {
        invocation: Invocation::File(path),
        ..Request::default()
    };
    let error = load(&request).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    expect!["cannot read the configuration file /nowhere/zoo.cfg: No such file or directory (os error 2); name an existing file, or none for a standalone server on the built-in default"].assert_eq(&error.to_string());
}

#[test]
fn container_variables_serve_where_there_is_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let servers = "server.1=a:2888:3888;2181 server.2=b:2888:3888;2182 server.3=c:2888:3888;2183";
    let request = bare(&[
        ("ZOO_CONF_DIR", data),
        ("ZOO_DATA_DIR", data),
        ("ZOO_DATA_LOG_DIR", data),
        ("ZOO_MY_ID", "2"),
        ("ZOO_SERVERS", servers),
    ]);
    let (loaded, provenance) = load(&request).unwrap();
    assert_eq!(loaded.config.my_id.unwrap().0, 2);
    assert_eq!(
        loaded.config.client.address.unwrap().to_string(),
        "0.0.0.0:2182"
    );
    assert!(loaded.config.admin.enabled);
    let my_id = Some((dir.path().join("myid"), "2\n".to_owned()));
    assert_eq!(
        provenance,
        Provenance::Container {
            my_id_to_create: my_id
        }
    );

    std::fs::write(dir.path().join("myid"), "3\n").unwrap();
    let (loaded, provenance) = load(&request).unwrap();
    assert_eq!(loaded.config.my_id.unwrap().0, 3);
    assert_eq!(
        provenance,
        Provenance::Container {
            my_id_to_create: None
        }
    );
}

#[test]
fn a_wrong_variable_is_named() {
    let error = load(&bare(&[("ZOO_TICK_TIME", "fast")])).unwrap_err();
    expect!["ZOO_TICK_TIME: tickTime=fast: expected a whole number from 1 to 107374182; correct the value"].assert_eq(&error.to_string());
}

#[test]
fn data_directories_that_cannot_be_used_have_their_own_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config {
        data_log_dir: dir.path().to_owned(),
        ..Config::default()
    };
    config.data_dir = dir.path().join("missing");
    assert_eq!(check_data_dirs(&config), Ok(()));
    config.storage.data_dir_auto_create = false;
    let error = check_data_dirs(&config).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    config.data_dir = dir.path().join("file");
    std::fs::write(&config.data_dir, "").unwrap();
    let shown = check_data_dirs(&config).unwrap_err().to_string();
    assert!(
        shown.ends_with("file: not a directory; correct dataDir or dataLogDir"),
        "{shown}"
    );
}
