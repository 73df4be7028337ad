//! How values are printed: stats, dates, ACLs, dumps. All texts are zkCli's, byte for byte.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use zooid_proto::{Acl, EventType, KeeperState, Stat, perms};

use crate::client::Event;

/// A stat, eleven lines (Java `StatPrinter`).
#[must_use]
pub(crate) fn stat(stat: &Stat, zone: &TimeZone) -> String {
    let (ctime, mtime) = (date(stat.ctime, zone), date(stat.mtime, zone));
    format!(
        "cZxid = {}\nctime = {ctime}\nmZxid = {}\nmtime = {mtime}\npZxid = {}\ncversion = {}\n\
         dataVersion = {}\naclVersion = {}\nephemeralOwner = 0x{:x}\ndataLength = {}\n\
         numChildren = {}\n",
        stat.czxid,
        stat.mzxid,
        stat.pzxid,
        stat.cversion,
        stat.version,
        stat.aversion,
        stat.ephemeral_owner,
        stat.data_length,
        stat.num_children,
    )
}

/// Milliseconds since 1970 as Java's `Date.toString` shows them. Zone abbreviations are the time
/// zone database's; Java has names of its own for a few zones that have none there.
#[must_use]
pub(crate) fn date(ms: i64, zone: &TimeZone) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(time) => {
            let time = time.to_zoned(zone.clone());
            time.strftime("%a %b %d %H:%M:%S %Z %Y").to_string()
        }
        Err(_) => format!("{ms} ms"),
    }
}

/// The zone of this machine; UTC if it has none.
#[must_use]
pub(crate) fn local_zone() -> TimeZone {
    TimeZone::try_system().unwrap_or(TimeZone::UTC)
}

/// Sorted names in brackets.
#[must_use]
pub(crate) fn name_list(names: &[String]) -> String {
    format!("[{}]\n", names.join(", "))
}

/// An ACL, two lines an entry: Java's `Id.toString` ends with a line feed.
#[must_use]
pub(crate) fn acl(acl: &[Acl]) -> String {
    let mut text = String::new();
    for entry in acl {
        let (scheme, id) = (entry.id.scheme(), entry.id.id());
        let permissions = permissions(entry.perms);
        let _ = writeln!(text, "'{scheme},'{id}\n: {permissions}");
    }
    text
}

fn permissions(bits: i32) -> String {
    PERMISSION_LETTERS
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, letter)| letter)
        .collect()
}

/// Parses `scheme:id:perms[,…]`; the id may hold colons. Bad entries and letters are left out, with
/// a remark each (Java `AclParser`).
pub(crate) fn parse_acl(text: &str, mut remark: impl FnMut(&str)) -> Vec<Acl> {
    // Java's split drops empty pieces at the end.
    let mut acl = Vec::new();
    for entry in text.trim_end_matches(',').split(',') {
        let parts = entry
            .split_once(':')
            .and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once(':')?)));
        let Some((scheme, (id, letters))) = parts else {
            remark(&format!("{entry} does not have the form scheme:id:perm"));
            continue;
        };
        let mut bits = 0;
        for letter in letters.chars() {
            match PERMISSION_LETTERS.iter().find(|(_, l)| *l == letter) {
                Some((bit, _)) => bits |= bit,
                None => remark(&format!("Unknown perm type: {letter}")),
            }
        }
        acl.push(Acl::new(bits, scheme, id));
    }
    acl
}

const PERMISSION_LETTERS: [(i32, char); 5] = [
    (perms::CREATE, 'c'),
    (perms::DELETE, 'd'),
    (perms::READ, 'r'),
    (perms::WRITE, 'w'),
    (perms::ADMIN, 'a'),
];

/// An event (Java `WatchedEvent.toString`). The zxid, which 3.9 prints, only when there is one.
#[must_use]
pub(crate) fn event(event: &Event) -> String {
    let state = match event.state {
        KeeperState::Disconnected => "Disconnected",
        KeeperState::SyncConnected => "SyncConnected",
        KeeperState::AuthFailed => "AuthFailed",
        KeeperState::ConnectedReadOnly => "ConnectedReadOnly",
        KeeperState::SaslAuthenticated => "SaslAuthenticated",
        KeeperState::Expired => "Expired",
        KeeperState::Closed => "Closed",
    };
    let kind = match event.kind {
        EventType::None => "None",
        EventType::NodeCreated => "NodeCreated",
        EventType::NodeDeleted => "NodeDeleted",
        EventType::NodeDataChanged => "NodeDataChanged",
        EventType::NodeChildrenChanged => "NodeChildrenChanged",
        EventType::DataWatchRemoved => "DataWatchRemoved",
        EventType::ChildWatchRemoved => "ChildWatchRemoved",
        EventType::PersistentWatchRemoved => "PersistentWatchRemoved",
    };
    let path = event.path.as_deref().unwrap_or("null");
    let mut text = format!("WatchedEvent state:{state} type:{kind} path:{path}");
    if let Some(zxid) = event.zxid {
        let _ = write!(text, " zxid: {}", zxid.0);
    }
    text
}

/// Bytes as a table of hexadecimal numbers and characters, sixteen a line (Java: netty's
/// `ByteBufUtil.prettyHexDump`). Nothing for no bytes.
#[must_use]
pub(crate) fn hex_dump(data: &[u8]) -> String {
    const EDGE: &str =
        "+--------+-------------------------------------------------+----------------+";
    if data.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "         +-------------------------------------------------+\n         \
         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n",
    );
    text.push_str(EDGE);
    for (row, bytes) in data.chunks(16).enumerate() {
        let hex: String = bytes.iter().map(|b| format!(" {b:02x}")).collect();
        let show = |b: &u8| {
            if (0x20..0x7f).contains(b) {
                char::from(*b)
            } else {
                '.'
            }
        };
        let shown: String = bytes.iter().map(show).collect();
        let _ = write!(text, "\n|{:08x}|{hex:<48} |{shown:<16}|", row * 16);
    }
    text.push('\n');
    text.push_str(EDGE);
    text
}

#[cfg(test)]
mod tests;
