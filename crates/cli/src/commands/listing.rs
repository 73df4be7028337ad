//! Many nodes at once: `ls`, `getAllChildrenNumber`, `getEphemerals`; and `sync`.

use super::recursion::walk;
use super::{Context, print_stat, watch_wanted};
use crate::client::ClientError;
use crate::error::CliError;
use crate::flags::Args;
use crate::format;

const LS_HELP: &str =
    "usage: ls [options] path\n -?   help\n -R   recurse\n -s   stat\n -w   watch\n";

pub(super) fn ls(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    if args.has("?") {
        context.console.text(LS_HELP)?;
    }
    let Some(path) = args.words.first() else {
        return Err(CliError::failed("ls [-s] [-w] [-R] path"));
    };
    let watch = watch_wanted(context, args, "ls", "[-w]");
    if args.has("R") {
        let console = context.console;
        return walk(context.client, path, watch, &mut |node| {
            Ok(console.line(node)?)
        });
    }
    let mut reply = context.client.get_children(path, watch)?;
    reply.children.sort();
    context.console.text(&format::name_list(&reply.children))?;
    if args.has("s") {
        print_stat(context, &reply.stat)?;
    }
    Ok(())
}

pub(super) fn get_all_children_number(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let number = context.client.get_all_children_number(&args.words[0])?;
    Ok(context.console.line(&number.to_string())?)
}

pub(super) fn get_ephemerals(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let prefix = args.words.first().map_or("/", String::as_str);
    let paths = context.client.get_ephemerals(prefix)?;
    Ok(context.console.text(&format::name_list(&paths))?)
}

pub(super) fn sync(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    match context.client.sync(&args.words[0]) {
        Ok(()) => Ok(context.console.line("Sync is OK")?),
        Err(refusal) => {
            if let ClientError::Keeper { code, .. } = &refusal {
                let text = format!("Sync has failed. rc={}", code.code());
                context.console.line(&text)?;
            }
            Err(refusal.into())
        }
    }
}
