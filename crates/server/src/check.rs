//! What an operator should know before a server of Zooid takes the place of another one, or starts at all.
//!
//! Looks and changes nothing: no file is written, no port is kept. What the data directory would become is
//! found out by recovering it on a [`zooid_storage::disk::DryDisk`], so the answer is the server's own.

mod data;
mod directories;
mod findings;
mod network;

pub use findings::{Finding, Group, Level, Report};

use crate::settings::settings;
use crate::unsupported::unsupported;
use zooid_config::Config;

/// Everything but the reading of the configuration itself: features, network, directories, data.
#[must_use]
pub fn check(config: &Config) -> Vec<Group> {
    vec![
        features(config),
        network::check(config),
        directories::check(config),
        data::check(config),
    ]
}

/// What the configuration asks for and would not get.
fn features(config: &Config) -> Group {
    let mut group = Group::new("features");
    for line in unsupported(config) {
        group.fault(line);
    }
    if let Err(error) = settings(config) {
        group.fault(error.to_string());
    }
    if group.findings.is_empty() {
        group.ok("everything that the configuration asks for is there");
    }
    if !config.admin.enabled {
        group.note(
            "there is no AdminServer; ZooKeeper has one on port 8080 unless admin.enableServer is false. \
             Whoever asks it should ask by four-letter words",
        );
    }
    group
}
