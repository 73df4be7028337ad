//! Flags for the JVM that stand where only ZooKeeper's scripts look.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use zooid_config::Config;
use zooid_server::check::Group;

/// Names properties that scripts beside `zoo.cfg` set and this configuration does not have.
pub(super) fn check(zoo_cfg: &Path, config: &Config, group: &mut Group) {
    let directory = zoo_cfg.parent().unwrap_or(Path::new(""));
    for name in SCRIPTS {
        let path = directory.join(name);
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let mut names = properties(&text);
        names.retain(|name| config.properties.get(name).is_none());
        if !names.is_empty() {
            let names: Vec<&str> = names.into_iter().collect();
            group.warn(format!(
                "{} sets {}, and zooid does not read that file: give them as -D flags, or in JVMFLAGS or \
                 SERVER_JVMFLAGS",
                path.display(),
                names.join(", ")
            ));
        }
    }
}

/// The names in `-Dname=value` of lines that are no comments, as far as ZooKeeper reads them.
fn properties(text: &str) -> BTreeSet<&str> {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let words = lines.flat_map(|line| line.split([' ', '\t', '"', '\'', '=']));
    let names = words.filter_map(|word| word.strip_prefix("-D"));
    names
        .filter(|name| name.starts_with("zookeeper.") || OTHERS.contains(name))
        .filter(|name| !name.starts_with("zookeeper.log") && !name.starts_with("zookeeper.root"))
        .collect()
}

/// Beside `zoo.cfg`: what `zkEnv.sh` reads, and Debian's init script.
const SCRIPTS: [&str; 3] = ["zookeeper-env.sh", "java.env", "environment"];
/// Properties that ZooKeeper reads and that have no prefix.
const OTHERS: [&str; 5] = [
    "jute.maxbuffer",
    "readonlymode.enabled",
    "java.security.auth.login.config",
    "znode.container.checkIntervalMs",
    "znode.container.maxPerMinute",
];

#[cfg(test)]
mod tests;
