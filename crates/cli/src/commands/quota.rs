//! Quotas (spec §2.15): `setquota`, `listquota`, `delquota`. A quota is a pair of ordinary nodes
//! that the client writes; the server only reads them.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use zooid_proto::path::{QUOTA, parent};
use zooid_proto::{Acl, CreateMode, ErrorCode, perms};

use super::Context;
use super::recursion::walk;
use crate::client::{Client, ClientError, NewNode};
use crate::error::CliError;
use crate::flags::Args;

const LIMITS: &str = "zookeeper_limits";
const STATS: &str = "zookeeper_stats";

const COUNT: &str = "count";
const BYTES: &str = "bytes";
const COUNT_HARD: &str = "countHardLimit";
const BYTES_HARD: &str = "byteHardLimit";

/// Each flag's limit, and the least value that it takes.
const LIMIT_FLAGS: [(&str, &str, i64); 4] = [
    ("n", COUNT, 1),
    ("b", BYTES, 0),
    ("N", COUNT_HARD, 1),
    ("B", BYTES_HARD, 0),
];

/// The text of a limits or stats node (Java `StatsTrack`). Absent numbers count as -1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Track(BTreeMap<String, i64>);

impl Track {
    fn parse(data: &[u8]) -> Result<Track, CliError> {
        let text = String::from_utf8_lossy(data);
        let pairs = text.split([',', ';']).filter(|pair| !pair.is_empty());
        let number = |pair: &str| {
            let mut parts = pair.split('=');
            let name = parts.next().unwrap_or_default().to_owned();
            match parts.next() {
                Some("") => Some((name, -1)),
                Some(value) => Some((name, value.parse().ok()?)),
                None => None,
            }
        };
        let numbers: Option<_> = pairs.map(number).collect();
        let bad = || CliError::failed(format!("not the text of a quota: {text}"));
        Ok(Track(numbers.ok_or_else(bad)?))
    }

    fn get(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(-1)
    }

    fn set(&mut self, name: &str, value: i64) {
        self.0.insert(name.to_owned(), value);
    }
}

impl fmt::Display for Track {
    /// Count and bytes first; the stray `=` hides all further numbers from servers before 3.7.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "count={},bytes={}", self.get(COUNT), self.get(BYTES))?;
        let further = self
            .0
            .iter()
            .filter(|(name, _)| *name != COUNT && *name != BYTES);
        for (index, (name, value)) in further.enumerate() {
            write!(f, "{};{name}={value}", if index == 0 { "=" } else { "" })?;
        }
        Ok(())
    }
}

pub(super) fn list(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let path = &args.words[0];
    let limits_path = format!("{QUOTA}{path}/{LIMITS}");
    context
        .console
        .remark(&format!("absolute path is {limits_path}"));
    let found = read(context.client, &limits_path).and_then(|limits| {
        Ok((
            limits,
            read(context.client, &format!("{QUOTA}{path}/{STATS}"))?,
        ))
    });
    let (limits, stats) = match found {
        Ok(both) => both,
        Err(refusal) if refusal.code() == Some(ErrorCode::NoNode) => {
            context
                .console
                .remark(&format!("quota for {path} does not exist."));
            return Ok(());
        }
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(context.console.text(&format!(
        "Output quota for {path} {}\nOutput stat for {path} {}\n",
        Track::parse(&limits)?,
        Track::parse(&stats)?
    ))?)
}

pub(super) fn set(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let path = &args.words[0];
    if path.starts_with(QUOTA) {
        context
            .console
            .remark(&format!("cannot set a quota under the path: {QUOTA}"));
        return Ok(());
    }
    let (name, value) = match wished_limit(args) {
        Ok(limit) => limit,
        Err(fault) => {
            context.console.remark(fault);
            return Ok(());
        }
    };
    if context.client.exists(path, false)?.is_none() {
        return Err(CliError::failed(format!("{path} does not exist.")));
    }
    refuse_nested(context.client, path)?;
    create_ancestors(context.client, path)?;
    let limits_path = format!("{QUOTA}{path}/{LIMITS}");
    let stats_path = format!("{QUOTA}{path}/{STATS}");
    if context.client.exists(&limits_path, false)?.is_none() {
        let mut limits = Track::default();
        for (_, limit, _) in LIMIT_FLAGS {
            limits.set(limit, -1);
        }
        limits.set(name, value);
        create(context.client, &limits_path, Some(limits.to_string()))?;
        let nothing = "count=0,bytes=0".to_owned();
        create(context.client, &stats_path, Some(nothing))?;
        let stats = Track::parse(&read(context.client, &stats_path)?)?;
        warn_if_exceeded(context, &limits, &stats)
    } else {
        let mut limits = Track::parse(&read(context.client, &limits_path)?)?;
        limits.set(name, value);
        let stats = Track::parse(&read(context.client, &stats_path)?)?;
        warn_if_exceeded(context, &limits, &stats)?;
        let text = Bytes::from(limits.to_string());
        context.client.set_data(&limits_path, text, -1)?;
        Ok(())
    }
}

/// The one limit that the flags ask for.
fn wished_limit(args: &Args) -> Result<(&'static str, i64), &'static str> {
    let given = |(flag, name, least)| args.value(flag).map(|text| (name, least, text));
    let Some((name, least, text)) = LIMIT_FLAGS.into_iter().find_map(given) else {
        return Err("no quota given");
    };
    let counts = least > 0;
    let value = if counts {
        text.parse::<i32>().map(i64::from)
    } else {
        text.parse()
    };
    match value {
        Err(_) => Err("NumberFormatException happens when parsing the option value"),
        Ok(value) if value >= least => Ok((name, value)),
        Ok(_) if counts => Err("the num quota must be greater than zero"),
        Ok(_) => Err("the bytes quota must be greater than or equal to zero"),
    }
}

/// A quota inside another's subtree is not allowed.
fn refuse_nested(client: &Client, path: &str) -> Result<(), CliError> {
    let own = format!("{QUOTA}{path}");
    let mut inner = None;
    if client.exists(&own, false)?.is_some() {
        walk(client, &own, false, &mut |node| {
            if let Some(holder) = node.strip_suffix(LIMITS).and_then(|h| h.strip_suffix('/'))
                && holder != own
            {
                inner.get_or_insert_with(|| holder[QUOTA.len()..].to_owned());
            }
            Ok(())
        })?;
    }
    if let Some(inner) = inner {
        return Err(CliError::failed(format!(
            "{path} has a child {inner} which has a quota"
        )));
    }
    let mut outer = parent(path);
    while let Some(ancestor) = outer.filter(|a| *a != "/") {
        if client
            .exists(&format!("{QUOTA}{ancestor}/{LIMITS}"), false)?
            .is_some()
        {
            return Err(CliError::failed(format!(
                "{path} has a parent {ancestor} which has a quota"
            )));
        }
        outer = parent(ancestor);
    }
    Ok(())
}

/// Every node above the limits, those of `/zookeeper` included: below a chroot there are none.
fn create_ancestors(client: &Client, path: &str) -> Result<(), ClientError> {
    let holder = format!("{QUOTA}{path}");
    let ends = holder.match_indices('/').map(|(at, _)| at).skip(1);
    for end in ends.chain([holder.len()]) {
        let node = &holder[..end];
        if client.exists(node, false)?.is_none() {
            create(client, node, None)?;
        }
    }
    Ok(())
}

fn create(client: &Client, path: &str, data: Option<String>) -> Result<(), ClientError> {
    let node = NewNode {
        data: data.map(Bytes::from),
        acl: vec![Acl::anyone(perms::ALL)],
        mode: CreateMode::Persistent,
        ttl_ms: 0,
    };
    client.create(path, node).map(drop)
}

fn warn_if_exceeded(context: &Context<'_>, limits: &Track, stats: &Track) -> Result<(), CliError> {
    let pairs = [(COUNT, COUNT, COUNT_HARD), (BYTES, BYTES, BYTES_HARD)];
    for (what, soft, hard) in pairs {
        let used = stats.get(what);
        let exceeded = |limit: &str| limits.get(limit) > -1 && limits.get(limit) < used;
        if exceeded(soft) || exceeded(hard) {
            context.console.line(&format!(
                "[Warning]: the {what} quota you create is less than the existing {what}:{used}"
            ))?;
        }
    }
    Ok(())
}

pub(super) fn delete(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let path = &args.words[0];
    match remove(context, path, args) {
        Err(refusal) if refusal.code() == Some(ErrorCode::NoNode) => {
            context
                .console
                .remark(&format!("quota for {path} does not exist."));
            Ok(())
        }
        Err(refusal) => Err(refusal.into()),
        Ok(outcome) => outcome,
    }
}

/// Unsets the limits that the flags name; without flags removes the quota and whatever ancestors
/// then are empty.
fn remove(
    context: &Context<'_>,
    path: &str,
    args: &Args,
) -> Result<Result<(), CliError>, ClientError> {
    let client = context.client;
    let holder = format!("{QUOTA}{path}");
    let limits_path = format!("{holder}/{LIMITS}");
    if client.exists(&limits_path, false)?.is_none() {
        let text = format!("Quota does not exist for {path}");
        return Ok(context.console.line(&text).map_err(CliError::from));
    }
    let limits = read(client, &limits_path)?;
    let unset: Vec<_> = LIMIT_FLAGS
        .iter()
        .filter(|(flag, ..)| args.has(flag))
        .collect();
    if unset.is_empty() {
        for child in client.get_children(&holder, false)?.children {
            client.delete(&format!("{holder}/{child}"), -1)?;
        }
        trim_empty(client, &holder)?;
        return Ok(Ok(()));
    }
    let mut limits = match Track::parse(&limits) {
        Ok(limits) => limits,
        Err(fault) => return Ok(Err(fault)),
    };
    for (_, name, _) in unset {
        limits.set(name, -1);
    }
    client.set_data(&limits_path, Bytes::from(limits.to_string()), -1)?;
    Ok(Ok(()))
}

fn trim_empty(client: &Client, lowest: &str) -> Result<(), ClientError> {
    let mut node = lowest;
    while node != QUOTA && client.get_children(node, false)?.children.is_empty() {
        client.delete(node, -1)?;
        node = parent(node).unwrap_or(QUOTA);
    }
    Ok(())
}

fn read(client: &Client, path: &str) -> Result<Bytes, ClientError> {
    Ok(client.get_data(path, false)?.data.unwrap_or_default())
}

#[cfg(test)]
mod tests;
