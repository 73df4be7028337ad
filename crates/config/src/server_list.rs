//! The list of servers: `server.N`, `group.N` and `weight.N` lines, and the texts made from them.
//!
//! What a quorum is does not belong here; see the quorum views of the replication protocol.
//! Spec: `QuorumPeerConfig.parseDynamicConfig`, `QuorumMaj`, `QuorumHierarchical`.

use crate::{ConfigError, Entry, Location, PeerType, ServerSpec, parse_properties};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use zooid_proto::ServerId;

/// The servers of an ensemble, and how their votes are grouped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerList {
    servers: BTreeMap<ServerId, ServerSpec>,
    hierarchy: Option<Hierarchy>,
    /// The zxid of the transaction that made this list; 0 for one from a file without a version.
    pub version: i64,
}

/// Groups and weights (`QuorumHierarchical`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hierarchy {
    /// Group number to members; every participant is in exactly one.
    pub groups: BTreeMap<i64, Vec<ServerId>>,
    /// Weight by server: all participants, and whoever else was given one.
    pub weights: BTreeMap<ServerId, u64>,
}

impl ServerList {
    /// Reads config text as peers and clients exchange it (spec 6.13): only `server.`, `group`,
    /// `weight` and `version` keys.
    ///
    /// # Errors
    /// Any other key, a malformed value, or an inconsistent hierarchy.
    pub fn parse_config_text(
        text: &str,
        multi_address_enabled: bool,
    ) -> Result<ServerList, ConfigError> {
        let source = Location::source("config text");
        let entries = parse_properties(&source, text.as_bytes())?;
        ServerList::from_strict_entries(&entries, multi_address_enabled)
    }

    /// As [`ServerList::from_entries`], but any other key is an error.
    pub(crate) fn from_strict_entries(
        entries: &[Entry],
        multi_address_enabled: bool,
    ) -> Result<ServerList, ConfigError> {
        let stranger = entries
            .iter()
            .find(|e| !is_list_key(&e.key) && e.key != VERSION_KEY);
        if let Some(entry) = stranger {
            return Err(ConfigError::conflict(
                &entry.at,
                &entry.key,
                "only server., group. and weight. keys may stand here",
                "move it to zoo.cfg",
            ));
        }
        ServerList::from_entries(entries, multi_address_enabled)
    }

    /// Reads the list's keys among `entries`; the last of equal keys wins.
    pub(crate) fn from_entries(
        entries: &[Entry],
        multi_address_enabled: bool,
    ) -> Result<ServerList, ConfigError> {
        let latest: BTreeMap<&str, &Entry> = entries.iter().map(|e| (e.key.as_str(), e)).collect();
        let mut builder = Builder {
            multi_address_enabled,
            ..Builder::default()
        };
        let mut in_file_order: Vec<_> = latest.into_values().collect();
        in_file_order.sort_by_key(|entry| entry.at.line_number());
        for entry in in_file_order {
            builder.add(entry)?;
        }
        builder.finish()
    }

    /// Whether no server is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// One server.
    #[must_use]
    pub fn get(&self, id: ServerId) -> Option<&ServerSpec> {
        self.servers.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: ServerId) -> Option<&mut ServerSpec> {
        self.servers.get_mut(&id)
    }

    /// Every server, by id.
    pub fn iter(&self) -> impl Iterator<Item = &ServerSpec> {
        self.servers.values()
    }

    /// The servers that vote, by id.
    pub fn voters(&self) -> impl Iterator<Item = ServerId> + '_ {
        self.ids_of(PeerType::Participant)
    }

    /// The servers that only learn, by id.
    pub fn observers(&self) -> impl Iterator<Item = ServerId> + '_ {
        self.ids_of(PeerType::Observer)
    }

    fn ids_of(&self, peer_type: PeerType) -> impl Iterator<Item = ServerId> + '_ {
        self.servers
            .values()
            .filter(move |s| s.peer_type == peer_type)
            .map(|s| s.id)
    }

    /// Groups and weights, unless every vote counts the same.
    #[must_use]
    pub fn hierarchy(&self) -> Option<&Hierarchy> {
        self.hierarchy.as_ref()
    }

    /// The text kept in `/zookeeper/config`, sent in NEWLEADER and printed by `conf`: no newline at
    /// its end. Java orders by hash, which is ascending for small ids; every reader takes any order.
    #[must_use]
    pub fn config_text(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            text.push_str(&line);
            text.push('\n');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{VERSION_KEY}={:x}", self.version);
        text
    }

    /// The content of a dynamic configuration file (`QuorumPeerConfig.writeDynamicConfig`): sorted
    /// lines, the version only in the file's name, no newline at its end.
    #[must_use]
    pub fn dynamic_file_text(&self) -> String {
        let mut lines: Vec<_> = self.lines().collect();
        lines.sort();
        lines.join("\n")
    }

    /// The content of a `.dynamic.next` file: as the dynamic file, with the version.
    #[must_use]
    pub fn next_dynamic_file_text(&self) -> String {
        let version = format!("{VERSION_KEY}={:x}", self.version);
        let mut lines: Vec<_> = self.lines().chain([version]).collect();
        lines.sort();
        lines.join("\n")
    }

    fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let servers = self
            .servers
            .values()
            .map(|s| format!("server.{}={s}", s.id));
        let hierarchy = self.hierarchy.iter();
        servers.chain(hierarchy.flat_map(Hierarchy::lines))
    }
}

impl Hierarchy {
    fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let groups = self.groups.iter().map(|(group, members)| {
            let members: Vec<_> = members.iter().map(ToString::to_string).collect();
            format!("group.{group}={}", members.join(":"))
        });
        groups.chain(
            self.weights
                .iter()
                .map(|(id, weight)| format!("weight.{id}={weight}")),
        )
    }
}

/// Whether a key belongs to the list. Java looks at the bare prefixes `group` and `weight`.
pub(crate) fn is_list_key(key: &str) -> bool {
    key.starts_with("server.") || key.starts_with("group") || key.starts_with("weight")
}

/// The version in a dynamic file's name, `zoo.cfg.dynamic.<hex>`
/// (`QuorumPeerConfig.getVersionFromFilename`); 0 when there is none.
pub(crate) fn version_of_file_name(name: &str) -> i64 {
    let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix);
    suffix
        .and_then(|hex| i64::from_str_radix(hex, 16).ok())
        .unwrap_or(0)
}

/// Where a line stands and its key.
type Place = (Location, String);

/// Collects the lines of a list.
#[derive(Default)]
struct Builder {
    multi_address_enabled: bool,
    servers: BTreeMap<ServerId, ServerSpec>,
    server_at: BTreeMap<ServerId, Place>,
    groups: BTreeMap<i64, Vec<ServerId>>,
    group_of: BTreeMap<ServerId, Place>,
    weights: BTreeMap<ServerId, u64>,
    version: i64,
}

impl Builder {
    fn add(&mut self, entry: &Entry) -> Result<(), ConfigError> {
        if entry.key.starts_with("server.") {
            self.add_server(entry)
        } else if entry.key.starts_with("group") {
            self.add_group(entry)
        } else if entry.key.starts_with("weight") {
            self.add_weight(entry)
        } else if entry.key == VERSION_KEY {
            self.set_version(entry)
        } else {
            Ok(())
        }
    }

    fn add_server(&mut self, entry: &Entry) -> Result<(), ConfigError> {
        let id = ServerId(number_after_dot(entry)?);
        let spec = ServerSpec::parse(id, entry, self.multi_address_enabled)?;
        if self.servers.insert(id, spec).is_some() {
            return Err(ConfigError::conflict(
                &entry.at,
                &entry.key,
                "the same server is listed under another spelling of its number",
                "remove one of the two lines",
            ));
        }
        self.server_at.insert(id, place(entry));
        Ok(())
    }

    fn add_group(&mut self, entry: &Entry) -> Result<(), ConfigError> {
        let group = number_after_dot(entry)?;
        let invalid = || {
            let remedy = format!("write for example {}=1:2:3", entry.key);
            let allowed = "server numbers joined by ':'";
            ConfigError::invalid(&entry.at, &entry.key, &entry.value, allowed, &remedy)
        };
        for member in entry.value.trim_end_matches(':').split(':') {
            let id = ServerId(member.parse().map_err(|_| invalid())?);
            if self.group_of.insert(id, place(entry)).is_some() {
                return Err(ConfigError::conflict(
                    &entry.at,
                    &entry.key,
                    &format!("server {id} is in two groups"),
                    "keep it in one",
                ));
            }
            self.groups.entry(group).or_default().push(id);
        }
        Ok(())
    }

    fn add_weight(&mut self, entry: &Entry) -> Result<(), ConfigError> {
        let id = ServerId(number_after_dot(entry)?);
        let weight = entry.value.parse::<u32>().map_err(|_| {
            let remedy = format!("write for example {}=1", entry.key);
            let allowed = "a whole number from 0 up";
            ConfigError::invalid(&entry.at, &entry.key, &entry.value, allowed, &remedy)
        })?;
        self.weights.insert(id, u64::from(weight));
        Ok(())
    }

    fn set_version(&mut self, entry: &Entry) -> Result<(), ConfigError> {
        self.version = i64::from_str_radix(&entry.value, 16).map_err(|_| {
            let (allowed, remedy) = (
                "a hexadecimal number",
                "restore the line or remove the file",
            );
            ConfigError::invalid(&entry.at, &entry.key, &entry.value, allowed, remedy)
        })?;
        Ok(())
    }

    fn finish(mut self) -> Result<ServerList, ConfigError> {
        let is_hierarchical = !self.groups.is_empty() || !self.weights.is_empty();
        if is_hierarchical {
            self.complete_hierarchy()?;
        }
        let hierarchy = Hierarchy {
            groups: self.groups,
            weights: self.weights,
        };
        Ok(ServerList {
            servers: self.servers,
            hierarchy: is_hierarchical.then_some(hierarchy),
            version: self.version,
        })
    }

    /// Participants weigh 1 unless told otherwise and need a group; anything else in a group needs
    /// a weight, without which ZooKeeper dies of a null pointer.
    fn complete_hierarchy(&mut self) -> Result<(), ConfigError> {
        let participants = self
            .servers
            .values()
            .filter(|server| server.peer_type == PeerType::Participant);
        for id in participants.map(|server| server.id) {
            if let (None, Some((at, key))) = (self.group_of.get(&id), self.server_at.get(&id)) {
                let reason =
                    "with group or weight lines, every participant is in exactly one group";
                return Err(ConfigError::conflict(
                    at,
                    key,
                    reason,
                    "add it to a group.N line",
                ));
            }
            self.weights.entry(id).or_insert(1);
        }
        let weightless = self
            .group_of
            .iter()
            .find(|(id, _)| !self.weights.contains_key(id));
        let Some((id, (at, key))) = weightless else {
            return Ok(());
        };
        let reason = format!("server {id} is no participant and has no weight");
        let remedy = "take it out of the group or list it as a participant";
        Err(ConfigError::conflict(at, key, &reason, remedy))
    }
}

fn place(entry: &Entry) -> Place {
    (entry.at.clone(), entry.key.clone())
}

fn number_after_dot(entry: &Entry) -> Result<i64, ConfigError> {
    let number = entry.key.split_once('.').map(|(_, number)| number.trim());
    number.and_then(|n| n.parse().ok()).ok_or_else(|| {
        ConfigError::conflict(
            &entry.at,
            &entry.key,
            "a whole number must follow the dot",
            "write for example server.1, group.1 or weight.1",
        )
    })
}

const VERSION_KEY: &str = "version";

#[cfg(test)]
mod tests;
