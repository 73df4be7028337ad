//! How the two servers are started: command lines and `zoo.cfg`. Starts nothing but Java's tools.

use anyhow::{Context, Result, ensure};
use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whose server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Debian's ZooKeeper 3.8.0.
    Java,
    /// This project's.
    Zooid,
}

impl Kind {
    /// The server under test: Zooid, unless `INTEROP_SERVER=java` asks for Java on both sides, which
    /// tests the tests.
    #[must_use]
    pub fn under_test() -> Kind {
        match env::var("INTEROP_SERVER").as_deref() {
            Ok("java") => Kind::Java,
            _ => Kind::Zooid,
        }
    }

    /// The command that serves the given `zoo.cfg`.
    ///
    /// # Errors
    /// When the server is not installed or not built.
    pub fn command(self, config: &Path, options: &Options) -> Result<Command> {
        let mut command = match self {
            Kind::Java => java(),
            Kind::Zooid => {
                let mut zooid = Command::new(zooid_binary()?);
                zooid.arg("serve");
                zooid
            }
        };
        for (key, value) in &options.properties {
            command.arg(format!("-D{key}={value}"));
        }
        if self == Kind::Java {
            command.arg("org.apache.zookeeper.server.quorum.QuorumPeerMain");
        }
        command.arg(config);
        Ok(command)
    }
}

/// What a server is told besides its directory and port.
#[derive(Clone, Debug, Default)]
pub struct Options {
    properties: Vec<(String, String)>,
    config: Vec<(String, String)>,
}

impl Options {
    /// Adds a system property, `-Dkey=value`.
    #[must_use]
    pub fn property(mut self, key: &str, value: &str) -> Options {
        self.properties.push((key.into(), value.into()));
        self
    }

    /// Adds a line of `zoo.cfg`; the last of equal keys wins.
    #[must_use]
    pub fn config(mut self, key: &str, value: &str) -> Options {
        self.config.push((key.into(), value.into()));
        self
    }

    /// Adds another's properties and lines after these.
    #[must_use]
    pub(crate) fn and(mut self, other: &Options) -> Options {
        self.properties.extend(other.properties.iter().cloned());
        self.config.extend(other.config.iter().cloned());
        self
    }

    /// The text of `zoo.cfg`.
    pub(crate) fn zoo_cfg(&self, data_dir: &Path, port: u16) -> String {
        let own = [
            ("dataDir", data_dir.display().to_string()),
            ("clientPort", port.to_string()),
            ("clientPortAddress", "127.0.0.1".into()),
            ("tickTime", "2000".into()),
            ("maxClientCnxns", "0".into()),
            ("maxSessionTimeout", "600000".into()),
            ("4lw.commands.whitelist", "*".into()),
            ("admin.enableServer", "false".into()),
            ("nio.numWorkerThreads", "2".into()),
        ];
        let own = own.iter().map(|(key, value)| (*key, value.as_str()));
        let asked = self.config.iter();
        let lines = own.chain(asked.map(|(key, value)| (key.as_str(), value.as_str())));
        let lines: Vec<(&str, &str)> = lines.collect();
        let mut text = String::new();
        for (index, (key, value)) in lines.iter().enumerate() {
            if lines[index + 1..].iter().all(|(later, _)| later != key) {
                let _ = writeln!(text, "{key}={value}");
            }
        }
        text
    }
}

/// Runs one of ZooKeeper's own command line tools, by its class, and returns what it prints.
///
/// # Errors
/// When the tool fails.
pub fn java_tool(class: &str, arguments: &[OsString]) -> Result<String> {
    let output = java().arg(class).args(arguments).output()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{class} {arguments:?}: {}\n{printed}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(printed)
}

/// Runs a Java program of one source file with ZooKeeper's classes, and returns what it prints.
///
/// # Errors
/// When it does not compile, or fails.
pub fn java_program(source: &Path, arguments: &[OsString]) -> Result<String> {
    let output = java().arg(source).args(arguments).output()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{}: {}\n{printed}{}",
        source.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(printed)
}

/// A small, quickly starting JVM with ZooKeeper and a logger on its class path.
fn java() -> Command {
    let mut java = Command::new("java");
    java.args(["-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .args(["-cp", JAVA_CLASS_PATH]);
    java
}

/// `ZOOID_BIN`, or the binary that cargo put beside the directory of this test's own.
///
/// # Errors
/// When there is none.
pub fn zooid_binary() -> Result<PathBuf> {
    if let Some(named) = env::var_os("ZOOID_BIN") {
        return Ok(PathBuf::from(named));
    }
    let test = env::current_exe()?;
    let built = test
        .ancestors()
        .skip(1)
        .map(|directory| directory.join("zooid"))
        .find(|candidate| candidate.is_file());
    built.context("no zooid binary: build it (cargo build -p zooid), or name one in ZOOID_BIN")
}

// The manifest of zookeeper.jar names all the rest.
const JAVA_CLASS_PATH: &str = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";

/// The property that makes `super:admin` a digest for which no ACL counts, and its value.
pub const SUPER_DIGEST: (&str, &str) = (
    "zookeeper.DigestAuthenticationProvider.superDigest",
    "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=",
);
