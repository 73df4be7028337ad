//! What a server refuses to start from, and how it says so.

use crate::bystander::Bystander;
use crate::zooid::{Setup, Zooid, binary};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

#[test]
fn bad_value_names_file_line_key_and_remedy() {
    for (key, value) in [
        ("tickTime", "soon"),
        ("maxClientCnxns", "many"),
        ("autopurge.snapRetainCount", "3.5"),
        ("minSessionTimeout", "99999999999999"),
    ] {
        let directory = directory();
        let ended = Setup::on(directory.path()).config(key, &value).refuse();
        ended.assert_exit_code(2);
        let path = directory.path().join("zoo.cfg");
        ended.assert_says(&format!("{}:6: {key}={value}: expected a ", path.display()));
        ended.assert_says("; remove the line to use ");
    }
}

#[test]
fn missing_configuration_file_is_a_bad_invocation() {
    let mut command = Command::new(binary());
    command.args(["serve", "/nonexistent/zoo.cfg"]);
    let Err(ended) = Zooid::run(command, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))) else {
        panic!("there is no such file")
    };
    ended.assert_exit_code(2);
    ended.assert_says("cannot read the configuration file /nonexistent/zoo.cfg");
}

#[test]
fn too_many_arguments_are_a_bad_invocation() {
    let mut command = Command::new(binary());
    command.args(["serve", "2181", "/tmp/data", "2000", "60", "extra"]);
    let Err(ended) = Zooid::run(command, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))) else {
        panic!("that makes no sense")
    };
    ended.assert_exit_code(2);
    ended.assert_says("port dataDir [tickTime] [maxcnxns]");
}

#[test]
fn missing_data_directory_that_must_not_be_created_is_refused() {
    let directory = directory();
    let setup = Setup::on(directory.path()).property("zookeeper.datadir.autocreate", &false);
    let ended = setup.refuse();
    ended.assert_exit_code(3);
    ended.assert_says(&setup.data_dir().display().to_string());
    assert!(!setup.data_dir().exists());
}

#[test]
fn missing_data_directory_is_refused_on_the_word_of_the_scripts_too() {
    let directory = directory();
    let setup = Setup::on(directory.path()).environment("ZOO_DATADIR_AUTOCREATE_DISABLE", &1);
    setup.refuse().assert_exit_code(3);
    assert!(!setup.data_dir().exists());
}

#[test]
fn data_directory_that_is_a_file_is_refused() {
    let directory = directory();
    let setup = Setup::on(directory.path());
    fs::write(setup.data_dir(), "not a directory").expect("written");
    let ended = setup.refuse();
    ended.assert_exit_code(3);
    ended.assert_says("not a directory");
}

#[test]
fn files_in_the_wrong_one_of_two_directories_are_refused() {
    let directory = directory();
    let logs = directory.path().join("logs");
    let setup = Setup::on(directory.path()).config("dataLogDir", &logs.display());
    setup.start().stop();
    let snapshot = logs.join("version-2/snapshot.0");
    fs::write(&snapshot, "").expect("written");
    let ended = setup.refuse();
    ended.assert_exit_code(3);
    ended.assert_says(&format!("{} does not belong there", snapshot.display()));

    fs::remove_file(&snapshot).expect("there");
    let log = setup.data_dir().join("version-2/log.1");
    fs::write(&log, "").expect("written");
    let ended = setup.refuse();
    ended.assert_exit_code(3);
    ended.assert_says(&format!("{} does not belong there", log.display()));
}

#[test]
fn port_in_use_is_said_before_anything_is_touched() {
    let directory = directory();
    let data = directory.path().join("data");
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = taken.local_addr().expect("bound");
    let config = directory.path().join("zoo.cfg");
    let text = format!(
        "dataDir={}\nclientPort={}\nclientPortAddress=127.0.0.1\n",
        data.display(),
        address.port()
    );
    fs::write(&config, text).expect("written");
    let mut command = Command::new(binary());
    command.arg("serve").arg(config);
    let Err(ended) = Zooid::run(command, address) else {
        panic!("the port is taken")
    };
    ended.assert_exit_code(1);
    ended.assert_says(&format!(
        "cannot listen on {address}: Address already in use"
    ));
    // Whoever has the port may be a server that works on this very directory.
    assert!(!data.exists());
}

#[test]
fn second_server_on_the_same_data_is_refused() {
    let directory = directory();
    let setup = Setup::on(directory.path());
    let zooid = setup.start();
    let mut bystander = Bystander::arrive(&zooid);
    let ended = setup.refuse();
    ended.assert_exit_code(3);
    ended.assert_says(&setup.data_dir().display().to_string());
    ended.assert_says("another server");
    bystander.assert_unharmed();

    let acknowledged = bystander.leave();
    zooid.kill();
    acknowledged.assert_on(&setup.start());
}
