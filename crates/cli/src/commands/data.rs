//! Single nodes: `create`, `delete`, `get`, `set`, `stat`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use zooid_proto::{Acl, CreateMode, ErrorCode, MAX_TTL_MS, perms};

use super::{Context, number, print_stat, watch_wanted};
use crate::client::{ClientError, NewNode};
use crate::error::CliError;
use crate::flags::Args;
use crate::format;

pub(super) fn create(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let (mode, ttl_ms) = create_mode(args)?;
    let acl = match args.words.get(2) {
        Some(text) => format::parse_acl(text, |remark| context.console.remark(remark)),
        None => vec![Acl::anyone(perms::ALL)],
    };
    let node = NewNode {
        data: args.words.get(1).map(|data| Bytes::from(data.clone())),
        acl,
        mode,
        ttl_ms,
    };
    let path = context
        .client
        .create(&args.words[0], node)
        .inspect_err(|refusal| explain(context, refusal))?;
    context.console.remark(&format!("Created {path}"));
    Ok(())
}

/// Two refusals get an extra line before the usual one.
fn explain(context: &Context<'_>, refusal: &ClientError) {
    match refusal.code() {
        Some(ErrorCode::InvalidAcl) => context.console.remark(&refusal.to_string()),
        Some(ErrorCode::EphemeralOnLocalSession) => context
            .console
            .remark("Unable to create ephemeral node on a local session"),
        _ => {}
    }
}

fn create_mode(args: &Args) -> Result<(CreateMode, i64), CliError> {
    let (ephemeral, sequential) = (args.has("e"), args.has("s"));
    let (container, has_ttl) = (args.has("c"), args.has("t"));
    if container && (ephemeral || sequential) {
        return Err(CliError::failed(
            "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.",
        ));
    }
    let ttl_ms = number(args, "t", 0)?;
    if has_ttl && ephemeral {
        return Err(CliError::failed(
            "TTLs cannot be used with Ephemeral znodes",
        ));
    }
    if has_ttl && container {
        return Err(CliError::failed(
            "TTLs cannot be used with Container znodes",
        ));
    }
    if has_ttl && !(1..=MAX_TTL_MS).contains(&ttl_ms) {
        return Err(CliError::failed(format!(
            "ttl must be positive and cannot be larger than: {MAX_TTL_MS}"
        )));
    }
    let mode = match (ephemeral, sequential, container, has_ttl) {
        (true, true, ..) => CreateMode::EphemeralSequential,
        (true, false, ..) => CreateMode::Ephemeral,
        (false, _, true, _) => CreateMode::Container,
        (false, true, false, true) => CreateMode::PersistentSequentialWithTtl,
        (false, true, false, false) => CreateMode::PersistentSequential,
        (false, false, false, true) => CreateMode::PersistentWithTtl,
        (false, false, false, false) => CreateMode::Persistent,
    };
    Ok((mode, ttl_ms))
}

pub(super) fn delete(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    // The old form's version is ignored, not checked: zkCli has done so since 3.5 (Java
    // `DeleteCommand.retainCompatibility`).
    if args.words.len() > 1 {
        context.console.remark(
            "'delete path [version]' has been deprecated. Please use 'delete [-v version] path' \
             instead.",
        );
    }
    let version = number(args, "v", -1)?;
    Ok(context.client.delete(&args.words[0], version)?)
}

pub(super) fn get(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let watch = watch_wanted(context, args, "get", "[-s] [-w]");
    let reply = context.client.get_data(&args.words[0], watch)?;
    let data = reply.data.as_deref().unwrap_or(b"null");
    let text = if args.has("x") {
        format::hex_dump(data)
    } else if args.has("b") {
        BASE64.encode(data)
    } else {
        String::from_utf8_lossy(data).into_owned()
    };
    context.console.line(&text)?;
    if args.has("s") {
        print_stat(context, &reply.stat)?;
    }
    Ok(())
}

pub(super) fn set(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let text = &args.words[1];
    let data = if args.has("b") {
        BASE64
            .decode(text)
            .map_err(|fault| CliError::failed(format!("data is not base64: {fault}")))?
    } else {
        text.clone().into_bytes()
    };
    let version = number(args, "v", -1)?;
    let stat = context
        .client
        .set_data(&args.words[0], data.into(), version)?;
    if args.has("s") {
        print_stat(context, &stat)?;
    }
    Ok(())
}

pub(super) fn stat(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let watch = watch_wanted(context, args, "stat", "[-w]");
    let path = &args.words[0];
    match context.client.exists(path, watch)? {
        Some(stat) => print_stat(context, &stat),
        None => Err(CliError::failed(format!("Node does not exist: {path}"))),
    }
}
