//! `envi`: where the server runs (Java `Environment.list`), without the lines about a JVM.

use crate::version::FULL_VERSION;
use std::env;
use std::fs;

/// Names, as Java has them, and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Environment(Vec<(&'static str, String)>);

/// What Java says when it does not know.
const UNKNOWN: &str = "<NA>";

impl Environment {
    pub(crate) fn take() -> Environment {
        let system = rustix::system::uname();
        let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        let user = User::current();
        let directory = env::current_dir().map(|path| path.display().to_string());
        Environment(vec![
            ("zookeeper.version", FULL_VERSION.to_owned()),
            ("host.name", text(system.nodename())),
            ("os.name", text(system.sysname())),
            ("os.arch", java_architecture(env::consts::ARCH).to_owned()),
            ("os.version", text(system.release())),
            ("user.name", user.name),
            ("user.home", user.home),
            ("user.dir", directory.unwrap_or_else(|_| UNKNOWN.to_owned())),
        ])
    }

    pub(crate) fn text(&self) -> String {
        let lines = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"));
        std::iter::once("Environment:\n".to_owned())
            .chain(lines)
            .collect()
    }
}

/// Java's name of a processor.
fn java_architecture(name: &str) -> &str {
    match name {
        "x86_64" => "amd64",
        other => other,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct User {
    name: String,
    home: String,
}

impl User {
    /// From the table of users; a container may not have its own user there.
    fn current() -> User {
        let id = rustix::process::getuid().as_raw();
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let variable = |name| env::var(name).unwrap_or_else(|_| "?".to_owned());
        User::find(&users, id).unwrap_or_else(|| User {
            name: variable("USER"),
            home: variable("HOME"),
        })
    }

    fn find(users: &str, id: u32) -> Option<User> {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, number, _, _, home, ..] = fields[..] else {
                return None;
            };
            (number.parse() == Ok(id)).then(|| User {
                name: name.to_owned(),
                home: home.to_owned(),
            })
        })
    }
}

#[cfg(test)]
mod tests;
