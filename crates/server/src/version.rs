//! Which version the server says it is.

/// Shown by `srvr`, `stat`, `envi` and `mntr`, in ZooKeeper's form
/// `<x.y.z>-<what>, built on <yyyy-MM-dd HH:mm> UTC` (Java `Version.getFullVersion`).
///
/// Clients read the three numbers to learn what the server can do (kazoo's `server_version`,
/// Curator's compatibility checks), so they are those of the release whose protocol and files this
/// server has. The date is the release's, not the build's: equal sources make equal binaries.
pub const FULL_VERSION: &str = concat!(
    "3.9.5-zooid-",
    env!("CARGO_PKG_VERSION"),
    ", built on 2026-11-22 00:00 UTC"
);
