//! `dataDir/myid`: this server's number.

use crate::{Config, ConfigError, NamedText};
use std::path::{Path, PathBuf};
use zooid_proto::ServerId;

/// The file's place.
#[must_use]
pub fn my_id_path(data_dir: &Path) -> PathBuf {
    data_dir.join("myid")
}

/// Reads the first line (`QuorumPeerConfig.setupMyId`); blanks around the number are tolerated.
pub(crate) fn parse_my_id(file: &NamedText) -> Result<ServerId, ConfigError> {
    let text = String::from_utf8_lossy(&file.bytes);
    let line = text.lines().next().unwrap_or_default().trim();
    line.parse().map(ServerId).map_err(|_| ConfigError::MyId {
        path: file.path.clone(),
        reason: format!(
            "serverid {:?} is not a number",
            crate::error::shortened(line)
        ),
        remedy: "write this server's N of server.N into the file, and nothing else".to_owned(),
    })
}

/// A server of an ensemble has a number, is listed under it, and it fits where it is packed.
pub(crate) fn check_my_id(config: &Config) -> Result<(), ConfigError> {
    let error = |reason: String, remedy: String| {
        Err(ConfigError::MyId {
            path: my_id_path(&config.data_dir),
            reason,
            remedy,
        })
    };
    let listed: Vec<_> = config
        .servers
        .iter()
        .map(|server| server.id.to_string())
        .collect();
    let listed = listed.join(", ");
    let Some(id) = config.my_id else {
        return error(
            "the file is missing, and this server is to be part of an ensemble".to_owned(),
            format!("write this server's number into it, one of {listed}"),
        );
    };
    if config.servers.get(id).is_none() {
        return error(
            format!("my id {id} is not in the list of servers"),
            format!("write one of {listed} into the file, or add a server.{id} line everywhere"),
        );
    }
    if config.tree.extended_types_enabled && id.0 > EXTENDED_SERVER_ID_MAX {
        return error(
            format!("extendedTypesEnabled is true but the server id {id} is larger than 254"),
            "give the server a smaller number, everywhere".to_owned(),
        );
    }
    Ok(())
}

/// With extended types, 0xff in a session id's top byte means something else (`EphemeralType`).
const EXTENDED_SERVER_ID_MAX: i64 = 254;
