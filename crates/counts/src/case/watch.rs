//! Leaving watches, and telling those who have left one.

use anyhow::ensure;
use zooid_tree::{Access, WatcherId};

use super::Case;
use super::tree::{Forest, path, set_txn};

pub(crate) const LEAVE: Case = Case {
    name: "watch-leave",
    what: "read a node and leave a watch, each time by another client",
    times: 10_000,
    run: leave,
};

pub(crate) const FIRE: Case = Case {
    name: "watch-fire",
    what: "one event, of a set that 1000 clients watch",
    times: 20_000,
    run: fire,
};

const WATCHERS: u32 = 1000;

const ANYONE: Access<'static> = Access {
    ids: &[],
    skip_acl: false,
};

fn leave(times: u32) -> anyhow::Result<()> {
    let forest = Forest::grown()?;
    let paths: Vec<String> = (0..100).map(path).collect();
    for (watcher, path) in (0..u64::from(times)).zip(paths.iter().cycle()) {
        leave_one(&forest, path, watcher)?;
    }
    Ok(())
}

/// Watches are left whatever the number of times, and fired only so often.
fn fire(times: u32) -> anyhow::Result<()> {
    let mut forest = Forest::grown()?;
    for number in 0..2 * FIRE.times / WATCHERS {
        for watcher in 0..WATCHERS {
            leave_one(&forest, &path(number), u64::from(watcher))?;
        }
    }
    let mut events = 0;
    for number in 0..times / WATCHERS {
        events += forest.apply(&set_txn(path(number)))?;
    }
    ensure!(events == usize::try_from(times / WATCHERS * WATCHERS)?);
    Ok(())
}

fn leave_one(forest: &Forest, path: &str, watcher: u64) -> anyhow::Result<()> {
    forest
        .replica
        .get_data(path, &ANYONE, Some(WatcherId(watcher)))
        .map_err(|err| anyhow::anyhow!("{err}"))?;
    Ok(())
}
