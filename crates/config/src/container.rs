//! The variables of ZooKeeper's container image (`docker-entrypoint.sh`), which writes a `zoo.cfg`
//! from them when there is none. The same text is read here without being written.

use crate::{ConfigError, Entry, Location, parse_properties};
use std::collections::BTreeMap;

/// Environment variables by name.
pub type Environment = BTreeMap<String, String>;

/// Whether the environment is one the image's users made: any variable that ends up in a `zoo.cfg`.
pub(crate) fn is_configured(environment: &Environment) -> bool {
    let others = [
        "ZOO_MY_ID",
        "ZOO_SERVERS",
        "ZOO_4LW_COMMANDS_WHITELIST",
        "ZOO_CFG_EXTRA",
    ];
    let mut names = KEYS.iter().map(|(variable, _, _)| *variable).chain(others);
    names.any(|name| environment.contains_key(name))
}

/// The entries the image would have written.
pub(crate) fn entries(environment: &Environment) -> Result<Vec<Entry>, ConfigError> {
    let value_of = |name: &str| environment.get(name).map(String::as_str);
    let mut entries = Vec::new();
    for (variable, key, default) in KEYS {
        let value = value_of(variable).unwrap_or(default);
        entries.extend(read(variable, &format!("{key}={value}"))?);
    }
    let servers = value_of("ZOO_SERVERS").filter(|value| !value.is_empty());
    for server in servers.unwrap_or(DEFAULT_SERVERS).split_whitespace() {
        entries.extend(read("ZOO_SERVERS", server)?);
    }
    if let Some(words) = value_of("ZOO_4LW_COMMANDS_WHITELIST").filter(|v| !v.is_empty()) {
        let line = format!("4lw.commands.whitelist={words}");
        entries.extend(read("ZOO_4LW_COMMANDS_WHITELIST", &line)?);
    }
    for extra in value_of("ZOO_CFG_EXTRA")
        .unwrap_or_default()
        .split_whitespace()
    {
        entries.extend(read("ZOO_CFG_EXTRA", extra)?);
    }
    Ok(entries)
}

/// What the image writes into a missing `myid`.
pub(crate) fn my_id(environment: &Environment) -> &str {
    let value = environment.get("ZOO_MY_ID").map(String::as_str);
    value.filter(|value| !value.is_empty()).unwrap_or("1")
}

fn read(variable: &str, line: &str) -> Result<Vec<Entry>, ConfigError> {
    let source = Location::source(variable);
    let mut entries = parse_properties(&source, line.as_bytes())?;
    for entry in &mut entries {
        entry.at = source.clone();
    }
    Ok(entries)
}

/// Variable, key, and the image's default.
const KEYS: &[(&str, &str, &str)] = &[
    ("ZOO_DATA_DIR", "dataDir", "/data"),
    ("ZOO_DATA_LOG_DIR", "dataLogDir", "/datalog"),
    ("ZOO_TICK_TIME", "tickTime", "2000"),
    ("ZOO_INIT_LIMIT", "initLimit", "5"),
    ("ZOO_SYNC_LIMIT", "syncLimit", "2"),
    (
        "ZOO_AUTOPURGE_SNAPRETAINCOUNT",
        "autopurge.snapRetainCount",
        "3",
    ),
    (
        "ZOO_AUTOPURGE_PURGEINTERVAL",
        "autopurge.purgeInterval",
        "0",
    ),
    ("ZOO_MAX_CLIENT_CNXNS", "maxClientCnxns", "60"),
    ("ZOO_STANDALONE_ENABLED", "standaloneEnabled", "true"),
    ("ZOO_ADMINSERVER_ENABLED", "admin.enableServer", "true"),
];
const DEFAULT_SERVERS: &str = "server.1=localhost:2888:3888;2181";

#[cfg(test)]
mod tests;
