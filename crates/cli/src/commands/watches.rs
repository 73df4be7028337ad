//! Watches that stay, and their removal: `addWatch`, `removewatches`.

use zooid_proto::{AddWatchMode, WatcherType};

use super::{Command, Context};
use crate::error::CliError;
use crate::flags::Args;

pub(super) fn add_watch(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let name = args.value("m").map(str::to_uppercase);
    let mode = match name.as_deref() {
        Some("PERSISTENT") => AddWatchMode::Persistent,
        Some("PERSISTENT_RECURSIVE") | None => AddWatchMode::PersistentRecursive,
        Some(_) => {
            let usage = Command::find("addWatch").map(Command::syntax);
            return Err(CliError::failed(usage.unwrap_or_default()));
        }
    };
    Ok(context.client.add_watch(&args.words[0], mode)?)
}

pub(super) fn remove_watches(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let kinds = [
        ("c", WatcherType::Children),
        ("d", WatcherType::Data),
        ("p", WatcherType::Persistent),
        ("r", WatcherType::PersistentRecursive),
    ];
    let kind = kinds.iter().find(|(flag, _)| args.has(flag));
    let what = kind.map_or(WatcherType::Any, |(_, what)| *what);
    let local = args.has("l");
    Ok(context.client.remove_watches(&args.words[0], what, local)?)
}
