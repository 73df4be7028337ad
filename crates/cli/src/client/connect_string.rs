//! `host:port[,host:port…][/chroot]` (Java `ConnectStringParser`).

use crate::path::{PathError, check_path};

const DEFAULT_PORT: u16 = 2181;

/// Where an ensemble is and which of its nodes to take for the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConnectString {
    /// Host and port of every server, in the order given.
    pub servers: Vec<(String, u16)>,
    /// The node that paths are relative to.
    pub chroot: Chroot,
}

/// Why a connect string is not one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectStringError {
    /// No server is named.
    #[error("no server in connect string \"{0}\"")]
    NoServer(String),
    /// A port is not a number up to 65535.
    #[error("bad port \"{port}\" in \"{server}\"")]
    Port {
        /// The part between commas.
        server: String,
        /// What follows its last colon.
        port: String,
    },
    /// An IPv6 address without its closing bracket.
    #[error("\"{0}\" starts with '[' but has no matching ']'")]
    Bracket(String),
    /// The chroot is no path.
    #[error("chroot: {0}")]
    Chroot(#[from] PathError),
}

impl ConnectString {
    /// Parses; the port defaults to 2181, a chroot of "/" is none.
    ///
    /// # Errors
    /// [`ConnectStringError`].
    pub(crate) fn parse(text: &str) -> Result<ConnectString, ConnectStringError> {
        let (servers, chroot) = match text.find('/') {
            Some(slash) => text.split_at(slash),
            None => (text, "/"),
        };
        check_path(chroot)?;
        let servers: Vec<_> = servers
            .split(',')
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(parse_server)
            .collect::<Result<_, _>>()?;
        if servers.is_empty() {
            return Err(ConnectStringError::NoServer(text.to_owned()));
        }
        let chroot = Chroot(if chroot == "/" { "" } else { chroot }.to_owned());
        Ok(ConnectString { servers, chroot })
    }
}

fn parse_server(server: &str) -> Result<(String, u16), ConnectStringError> {
    let (host, port) = match server.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest
                .split_once(']')
                .ok_or_else(|| ConnectStringError::Bracket(server.to_owned()))?;
            (host, after.strip_prefix(':').unwrap_or(after))
        }
        None => server.rsplit_once(':').unwrap_or((server, "")),
    };
    if port.is_empty() {
        return Ok((host.to_owned(), DEFAULT_PORT));
    }
    match port.parse() {
        Ok(port) => Ok((host.to_owned(), port)),
        Err(_) => Err(ConnectStringError::Port {
            server: server.to_owned(),
            port: port.to_owned(),
        }),
    }
}

/// Translates between the paths that users type and those that servers see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chroot(String);

impl Chroot {
    /// The server's path.
    #[must_use]
    pub(crate) fn prepend(&self, path: &str) -> String {
        match (self.0.as_str(), path) {
            ("", path) => path.to_owned(),
            (chroot, "/") => chroot.to_owned(),
            (chroot, path) => format!("{chroot}{path}"),
        }
    }

    /// The user's path. A path outside the chroot, such as that of `/zookeeper/config`, stays.
    #[must_use]
    pub(crate) fn strip(&self, path: &str) -> String {
        match path.strip_prefix(&self.0) {
            Some("") => "/".to_owned(),
            Some(rest) if rest.starts_with('/') => rest.to_owned(),
            _ => path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
