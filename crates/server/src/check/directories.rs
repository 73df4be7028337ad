//! Whether the data directories can be used: there, ours, with room, not from the future.

use super::Group;
use rustix::fs::{Access, access, statvfs};
use rustix::process::geteuid;
use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};
use zooid_config::Config;
use zooid_config::load::check_data_dirs;

pub(super) fn check(config: &Config) -> Group {
    let mut group = Group::new("directories");
    if let Err(error) = check_data_dirs(config) {
        group.fault(error.to_string());
        return group;
    }
    let directories: BTreeSet<&Path> = [&*config.data_dir, &*config.data_log_dir].into();
    for directory in directories {
        check_directory(directory, config, &mut group);
    }
    if geteuid().is_root() {
        group.note(
            "this check runs as root, who may do everything; run it as the user that will run zooid",
        );
    }
    group
}

fn check_directory(directory: &Path, config: &Config, group: &mut Group) {
    let shown = directory.display();
    if !directory.exists() {
        group.warn(format!(
            "{shown} does not exist: zooid would create it, and start without any data"
        ));
        return;
    }
    let files = files(&directory.join("version-2"));
    check_rights(directory, &files, group);
    check_room(directory, &files, config, group);
    check_clock(directory, &files, group);
}

fn check_rights(directory: &Path, files: &[Metadata], group: &mut Group) {
    let shown = directory.display();
    let version_2 = directory.join("version-2");
    for place in [directory, &version_2] {
        if place.exists() && access(place, Access::READ_OK | Access::WRITE_OK).is_err() {
            group.fault(format!(
                "{} is not readable and writable for this user; give it to the user that runs zooid",
                place.display()
            ));
        }
    }
    let own = geteuid().as_raw();
    let owners: BTreeSet<u32> = files.iter().map(Metadata::uid).collect();
    if !files.is_empty() && owners != BTreeSet::from([own]) {
        let owners: Vec<String> = owners.iter().map(u32::to_string).collect();
        group.note(format!(
            "{shown}: files belong to user id {}, this check runs as {own}; zooid should run as the user \
             who owns them",
            owners.join(", ")
        ));
    }
}

/// A snapshot is complete before an older one goes.
fn check_room(directory: &Path, files: &[Metadata], config: &Config, group: &mut Group) {
    let Ok(space) = statvfs(directory) else {
        return;
    };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let largest = files.iter().map(Metadata::len).max().unwrap_or_default();
    let wanted = largest
        .saturating_mul(2)
        .max(config.storage.pre_alloc_bytes.saturating_mul(2));
    let shown = directory.display();
    if free < wanted {
        group.warn(format!(
            "{shown}: {} free, twice the largest file is {}; make room",
            mebibytes(free),
            mebibytes(wanted)
        ));
    } else {
        group.ok(format!("{shown}: writable, {} free", mebibytes(free)));
    }
}

fn check_clock(directory: &Path, files: &[Metadata], group: &mut Group) {
    let newest = files.iter().filter_map(|file| file.modified().ok()).max();
    let ahead = newest.and_then(|newest| newest.duration_since(SystemTime::now()).ok());
    if let Some(ahead) = ahead.filter(|ahead| *ahead > CLOCK_TOLERANCE) {
        group.warn(format!(
            "{}: the newest file is from {} s in the future; the clock of this machine is behind, or was: \
             set it",
            directory.display(),
            ahead.as_secs()
        ));
    }
}

fn files(directory: &Path) -> Vec<Metadata> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let all = entries.filter_map(|entry| entry.metadata().ok());
    all.filter(Metadata::is_file).collect()
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);
