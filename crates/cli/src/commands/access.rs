//! Who may do what: `addauth`, `whoami`, `getAcl`, `setAcl`.

use bytes::Bytes;

use super::recursion::walk;
use super::{Context, number, print_stat};
use crate::error::CliError;
use crate::flags::Args;
use crate::format;

pub(super) fn add_auth(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let auth = args.words.get(1).map(|auth| Bytes::from(auth.clone()));
    Ok(context.client.add_auth(&args.words[0], auth)?)
}

pub(super) fn whoami(context: &Context<'_>, _: &Args) -> Result<(), CliError> {
    let mut text = String::from("Auth scheme: User\n");
    for info in context.client.whoami()? {
        text.push_str(&format!("{}: {}\n", info.auth_scheme, info.user));
    }
    Ok(context.console.text(&text)?)
}

pub(super) fn get_acl(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let reply = context.client.get_acl(&args.words[0])?;
    context.console.text(&format::acl(&reply.acl))?;
    if args.has("s") {
        print_stat(context, &reply.stat)?;
    }
    Ok(())
}

pub(super) fn set_acl(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let path = &args.words[0];
    let acl = format::parse_acl(&args.words[1], |remark| context.console.remark(remark));
    let version = number(args, "v", -1)?;
    if args.has("R") {
        // A node that refuses does not keep the others from being changed.
        return walk(context.client, path, false, &mut |node| {
            if let Err(refusal) = context.client.set_acl(node, &acl, version) {
                context.console.text(&refusal.to_string())?;
            }
            Ok(())
        });
    }
    let stat = context.client.set_acl(path, &acl, version)?;
    if args.has("s") {
        print_stat(context, &stat)?;
    }
    Ok(())
}
