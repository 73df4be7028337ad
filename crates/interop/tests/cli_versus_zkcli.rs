//! `zooid cli` beside Debian's `zkCli.sh` (ZooKeeper 3.8.0): the same commands, the same output.
//!
//! `data/cli/*.commands` are what both were given; `data/cli/*.recorded` is what zkCli printed, talking to
//! ZooKeeper. `UPDATE_EXPECT=1` records anew. Left out are commands whose usage text changed in 3.9, which
//! `zooid cli` follows, and those that end zkCli with a stack trace.
#![cfg(feature = "peers")]

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use zooid_interop::{Kind, Options, Server};

#[test]
fn a_session_of_many_commands_prints_what_zkcli_prints() {
    let commands = read("session.commands");
    check("session.recorded", |client, address| {
        let output = client.run(address, &[], &commands);
        render(&output, address)
    });
}

#[test]
fn single_commands_print_and_exit_as_zkcli_does() {
    let commands = read("single.commands");
    check("single.recorded", |client, address| {
        let run = |line: &str| {
            let output = client.run(address, &words(line), "");
            let rendered = render(&output, address).replace(CONNECTED, "");
            format!("$ {line}\n{rendered}")
        };
        commands.lines().map(run).collect()
    });
}

#[test]
fn the_version_is_the_release_that_is_followed_and_the_program_s_own() {
    let server = Server::start(Kind::under_test(), options()).expect("a server");
    let output = Client::Zooid.run(server.address(), &words("version"), "");
    let printed = String::from_utf8_lossy(&output.stdout);
    let expected = format!(
        "ZooKeeper CLI version: 3.9.5-zooid-{}",
        env!("CARGO_PKG_VERSION")
    );
    assert!(printed.lines().any(|line| line == expected), "{printed}");
}

/// How zkCli tells of the connection. A single command may be over before.
const CONNECTED: &str = "\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n";

#[derive(Clone, Copy)]
enum Client {
    ZkCli,
    Zooid,
}

impl Client {
    fn run(self, address: SocketAddr, arguments: &[String], input: &str) -> Output {
        let mut command = match self {
            Client::ZkCli => {
                let mut java = Command::new("java");
                java.args(["-XX:TieredStopAtLevel=1", "-cp", ZOOKEEPER_JAR]);
                java.arg("org.apache.zookeeper.ZooKeeperMain");
                java
            }
            Client::Zooid => {
                let mut zooid = Command::new(zooid_binary());
                zooid.arg("cli");
                zooid
            }
        };
        let mut child = command
            .args(["-server", &address.to_string()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the client starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // Far less than a pipe holds, so this cannot wait for the client's output to be read.
        stdin.write_all(input.as_bytes()).expect("the client reads");
        drop(stdin);
        child.wait_with_output().expect("the client ends")
    }
}

fn check(recording: &str, play: impl Fn(Client, SocketAddr) -> String) {
    let start = |kind| Server::start(kind, options()).expect("a server");
    if env::var_os("UPDATE_EXPECT").is_some() {
        let recorded = play(Client::ZkCli, start(Kind::Java).address());
        fs::write(data(recording), recorded).expect("the recording is written");
    }
    let printed = play(Client::Zooid, start(Kind::under_test()).address());
    let recorded = read(recording);
    for (number, (ours, theirs)) in printed.lines().zip(recorded.lines()).enumerate() {
        assert_eq!(
            ours,
            theirs,
            "line {} of {recording}\n{printed}",
            number + 1
        );
    }
    assert_eq!(printed, recorded);
}

fn options() -> Options {
    Options::default().property("zookeeper.extendedTypesEnabled", "true")
}

/// Both streams and the exit code, with what differs from run to run masked.
fn render(output: &Output, address: SocketAddr) -> String {
    let text =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&address.to_string(), "SERVER");
    let out: String = text(&output.stdout).lines().map(mask).collect();
    let err = text(&output.stderr);
    let err = err.lines().filter(|line| !line.starts_with("SLF4J: "));
    let err: String = err.map(without_exception).collect();
    let code = output.status.code().expect("the client was not killed");
    format!("{out}--- stderr\n{err}--- exit code {code}\n")
}

fn mask(line: &str) -> String {
    // Servers since 3.9 send the zxid of an event, and clients since 3.9 print it.
    if let Some((event, _)) = line.split_once(" zxid: ")
        && event.starts_with("WatchedEvent ")
    {
        return format!("{event}\n");
    }
    let masked = match line.split_once(" = ") {
        Some(("ctime" | "mtime", date)) if !date.ends_with(" 1970") => "DATE",
        Some(("ephemeralOwner", owner)) if owner != "0x0" => "SESSION",
        // Unlike zkCli, a single command of `zooid cli` closes its session, which takes a zxid.
        Some(("cZxid" | "mZxid" | "pZxid", zxid)) if zxid != "0x0" => "ZXID",
        _ => return format!("{line}\n"),
    };
    let (name, _) = line.split_once(" = ").expect("just found");
    format!("{name} = {masked}\n")
}

/// zkCli names the Java class of a parser's exception; `zooid cli` does not.
fn without_exception(line: &str) -> String {
    let message = line
        .strip_prefix("org.apache.commons.cli.")
        .and_then(|rest| rest.split_once(": "))
        .map_or(line, |(_, message)| message);
    format!("{message}\n")
}

/// Splits at spaces, except between double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/cli")
        .join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(data(name)).expect("a file of this test's data")
}

/// `ZOOID_BIN`, or the binary that cargo put beside the directory of this test's own.
fn zooid_binary() -> OsString {
    env::var_os("ZOOID_BIN").unwrap_or_else(|| {
        let test = env::current_exe().expect("this test's path");
        let mut candidates = test
            .ancestors()
            .skip(1)
            .map(|directory| directory.join("zooid"));
        let built = candidates.find(|candidate| candidate.is_file());
        built.expect("a zooid binary: cargo build -p zooid").into()
    })
}

const ZOOKEEPER_JAR: &str = "/usr/share/java/zookeeper.jar";
