//! Whole subtrees (Java `ZKUtil`): the walk of `ls -R` and `setAcl -R`, and `deleteall`.
//!
//! Neither sees one moment of the tree: each step asks the server anew.

use std::collections::VecDeque;

use zooid_proto::ErrorCode;

use super::{Context, number};
use crate::client::{Client, ClientError};
use crate::error::CliError;
use crate::flags::Args;

/// What a walk does at each node.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&str) -> Result<(), CliError>;

/// Visits a node, then level by level of each branch: all children of a node in order, before the
/// children of the first of them. Nodes that vanish meanwhile are passed over.
pub(super) fn walk(
    client: &Client,
    path: &str,
    watch: bool,
    visit: Visit<'_>,
) -> Result<(), CliError> {
    client.get_data(path, watch)?;
    visit(path)?;
    walk_children(client, path, watch, visit)
}

fn walk_children(
    client: &Client,
    path: &str,
    watch: bool,
    visit: Visit<'_>,
) -> Result<(), CliError> {
    let mut names = match client.get_children(path, watch) {
        Ok(reply) => reply.children,
        Err(refusal) if refusal.code() == Some(ErrorCode::NoNode) => return Ok(()),
        Err(refusal) => return Err(refusal.into()),
    };
    names.sort();
    let paths: Vec<_> = names.iter().map(|name| child(path, name)).collect();
    for path in &paths {
        visit(path)?;
    }
    for path in &paths {
        walk_children(client, path, watch, visit)?;
    }
    Ok(())
}

fn child(parent: &str, name: &str) -> String {
    format!("{}/{name}", parent.trim_end_matches('/'))
}

/// Deletes leaves first, in batches that happen whole or not at all.
pub(super) fn delete_all(context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let batch_size: i32 = number(args, "b", 1000)?;
    let mut paths = subtree(context.client, &args.words[0])?;
    paths.reverse();
    let Ok(batch_size @ 1..) = usize::try_from(batch_size) else {
        for path in &paths {
            context.client.delete(path, -1)?;
        }
        return Ok(());
    };
    let mut batches = paths.chunks(batch_size);
    if batches.any(|batch| context.client.delete_all_of(batch).is_err()) {
        context
            .console
            .remark("Failed to delete some node(s) in the subtree!");
    }
    Ok(())
}

/// A node and all below it, breadth first.
fn subtree(client: &Client, root: &str) -> Result<Vec<String>, ClientError> {
    let mut found = vec![root.to_owned()];
    let mut to_list = VecDeque::from([root.to_owned()]);
    while let Some(path) = to_list.pop_front() {
        for name in client.get_children(&path, false)?.children {
            found.push(child(&path, &name));
            to_list.push_back(child(&path, &name));
        }
    }
    Ok(found)
}
