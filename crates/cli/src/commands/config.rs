//! The ensemble, the session and the tool: `config`, `reconfig`, `close`, `version`.

use std::fs;

use zooid_proto::request::ReconfigRequest;

use super::{Context, print_stat};
use crate::error::CliError;
use crate::flags::Args;

/// The release of ZooKeeper whose commands and texts these are.
const ZOOKEEPER_RELEASE: &str = "3.9.5";

pub(super) fn close(context: &Context<'_>, _: &Args) -> Result<(), CliError> {
    context.client.close();
    Ok(())
}

pub(super) fn version(context: &Context<'_>, _: &Args) -> Result<(), CliError> {
    let own = env!("CARGO_PKG_VERSION");
    let text = format!("ZooKeeper CLI version: {ZOOKEEPER_RELEASE}-zooid-{own}");
    Ok(context.console.line(&text)?)
}

pub(super) fn config(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let reply = context.client.get_config(args.has("w"))?;
    let data = reply.data.as_deref().unwrap_or(b"null");
    let text = String::from_utf8_lossy(data);
    if args.has("c") {
        context.console.line(&client_string(&text))?;
    } else {
        context.console.line(&text)?;
    }
    if args.has("s") {
        print_stat(context, &reply.stat)?;
    }
    Ok(())
}

/// Version and the servers' client addresses (Java `ConfigUtils.getClientConfigStr`). A server
/// without one leaves an empty place. Java's order is a hash map's; this is the configuration's.
fn client_string(config: &str) -> String {
    let mut version = "";
    let mut clients = Vec::new();
    for (key, value) in config.lines().filter_map(|line| line.split_once('=')) {
        let (key, value) = (key.trim(), value.trim());
        if key == "version" {
            version = value;
        } else if key.starts_with("server.") {
            clients.push(client_address(value));
        }
    }
    format!("{version} {}", clients.join(","))
}

/// The part after the semicolon, where a bare port means every address.
fn client_address(server: &str) -> String {
    match server.split(';').nth(1) {
        None => String::new(),
        Some(port) if !port.contains(':') => format!("0.0.0.0:{port}"),
        Some(address) => address.replace(['[', ']'], ""),
    }
}

pub(super) fn reconfig(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let request = reconfig_request(args)?;
    let reply = context.client.reconfig(&request)?;
    let text = String::from_utf8_lossy(reply.data.as_deref().unwrap_or_default()).into_owned();
    context
        .console
        .line(&format!("Committed new configuration:\n{text}"))?;
    if args.has("s") {
        print_stat(context, &reply.stat)?;
    }
    Ok(())
}

fn reconfig_request(args: &Args) -> Result<ReconfigRequest, CliError> {
    let whole = args.has("file") || args.has("members");
    let incremental = args.has("add") || args.has("remove");
    let refused = match (whole, incremental) {
        (false, false) => {
            let usage = super::Command::find("reconfig").map(super::Command::syntax);
            return Err(CliError::failed(usage.unwrap_or_default()));
        }
        (true, true) => Some(
            "Can't use -file or -members together with -add or -remove (mixing incremental and \
             non-incremental modes is not allowed)",
        ),
        _ if args.has("file") && args.has("members") => {
            Some("Can't use -file and -members together (conflicting non-incremental modes)")
        }
        _ => None,
    };
    let version = match args.value("v") {
        None => -1,
        Some(hex) => i64::from_str_radix(hex, 16).map_err(|_| {
            CliError::failed("-v must be followed by a long (configuration version)")
        })?,
    };
    if let Some(refused) = refused {
        return Err(CliError::failed(refused));
    }
    let lower = |flag| args.value(flag).map(str::to_lowercase);
    let new_members = match args.value("file") {
        Some(file) => Some(members_of(file)?),
        None => lower("members"),
    };
    Ok(ReconfigRequest {
        joining_servers: lower("add"),
        leaving_servers: lower("remove"),
        new_members,
        cur_config_id: version,
    })
}

/// A dynamic configuration file without comments; the leader judges the rest.
fn members_of(file: &str) -> Result<String, CliError> {
    let text = fs::read_to_string(file)
        .map_err(|e| CliError::failed(format!("Error processing {file}: {e}")))?;
    let lines = text.lines().map(str::trim);
    let kept: Vec<_> = lines
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .collect();
    Ok(kept.join("\n"))
}

#[cfg(test)]
mod tests;
