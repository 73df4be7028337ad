//! ZooKeeper's configuration as a typed value.
//!
//! Owns every way a server can be told something before it starts: `zoo.cfg`, the dynamic
//! configuration file, system properties, the container image's variables and the old positional
//! command line; and the texts made from the list of servers. It never opens a socket, resolves a
//! name, prints or decides what a quorum is. Only [`mod@load`] touches files and the environment; all
//! else is functions over text.
//!
//! The way through: text → [`parse_properties`] → entries → [`Draft`] (each key by its row of the
//! table) → [`Draft::finish`] (rules over several keys, companion files) → [`Config`] and
//! [`Warning`]s. Spec: `QuorumPeerConfig`, `ServerConfig` and the readers of each property.

mod address;
mod conf;
mod config;
mod container;
mod draft;
mod error;
mod key;
mod legacy;
pub mod load;
mod location;
mod my_id;
mod properties;
mod reference;
mod server_list;
mod server_spec;
mod system_properties;
mod table;
mod value;
mod warning;

pub use address::HostPort;
pub use conf::DirectoryReport;
pub use config::*;
pub use container::Environment;
pub use draft::{Companions, Draft, Loaded, NamedText};
pub use error::ConfigError;
pub use key::{Initial, Key, Mark, Scope, all_keys};
pub use location::{Entry, Location};
pub use my_id::my_id_path;
pub use properties::parse_properties;
pub use reference::reference_page;
pub use server_list::{Hierarchy, ServerList};
pub use server_spec::{ClientAddress, PeerAddress, PeerType, ServerSpec};
pub use system_properties::{parse_jvm_flags, parse_system_properties};
pub use warning::{Warning, WarningKind};

/// Reads `zoo.cfg` text alone: no companion file is consulted, so a list of servers that lives in
/// another file is empty, and an ensemble lacks its `myid`.
///
/// # Errors
/// Whatever is wrong with it.
pub fn parse_zoo_cfg(bytes: &[u8]) -> Result<Loaded, ConfigError> {
    Draft::parse(&Location::source("zoo.cfg"), bytes, &[])?.finish(&Companions::default())
}
