//! The whole tree, as a client sees it.

use crate::Session;
use anyhow::{Context, Result};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;
use zooid_proto::{Acl, Stat};

/// Every node of a tree, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeDump {
    /// The nodes; the root is "/".
    pub nodes: BTreeMap<String, NodeDump>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeDump {
    /// Null and empty are different.
    pub data: Option<Bytes>,
    /// As clients see it: nothing tells a container or a TTL node from a plain one.
    pub stat: Stat,
    /// Unmasked only if the session may administer the node.
    pub acl: Vec<Acl>,
}

impl TreeDump {
    /// Reads the tree. The session should be allowed everything, see [`crate::SUPER_DIGEST`].
    ///
    /// # Errors
    /// When a node cannot be read.
    pub fn read(session: &mut Session) -> Result<TreeDump> {
        let mut dump = TreeDump::default();
        dump.read_below(session, "/")?;
        Ok(dump)
    }

    fn read_below(&mut self, session: &mut Session, path: &str) -> Result<()> {
        let node = read_node(session, path).with_context(|| format!("read {path}"))?;
        self.nodes.insert(path.into(), node);
        let mut children = session.get_children(path)?.children;
        children.sort_unstable();
        for child in children {
            let parent = path.trim_end_matches('/');
            self.read_below(session, &format!("{parent}/{child}"))?;
        }
        Ok(())
    }

    /// The lines in which another dump differs, each marked `-` (only here) or `+` (only there).
    #[must_use]
    pub fn difference(&self, other: &TreeDump) -> String {
        let marked = |mark: char, these: &TreeDump, those: &TreeDump| {
            let only_here = these
                .nodes
                .iter()
                .filter(|(path, node)| those.nodes.get(*path) != Some(node));
            let lines =
                only_here.map(|(path, node)| (path.clone(), format!("{mark} {path} {node}\n")));
            lines.collect::<Vec<_>>()
        };
        let mut lines = marked('-', self, other);
        lines.extend(marked('+', other, self));
        // Both versions of a node one below the other.
        lines.sort_by(|(a, _), (b, _)| a.cmp(b));
        lines.into_iter().map(|(_, line)| line).collect()
    }
}

impl fmt::Display for NodeDump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.data {
            Some(data) => write!(f, "\"{}\"", data.escape_ascii())?,
            None => f.write_str("null")?,
        }
        let stat = &self.stat;
        write!(
            f,
            " c={} m={} p={} ctime={} mtime={} version={} cversion={} aversion={} owner=0x{:x} \
             children={}",
            stat.czxid,
            stat.mzxid,
            stat.pzxid,
            stat.ctime,
            stat.mtime,
            stat.version,
            stat.cversion,
            stat.aversion,
            stat.ephemeral_owner,
            stat.num_children,
        )?;
        for acl in &self.acl {
            write!(f, " {}={}", acl.id, acl.perms)?;
        }
        Ok(())
    }
}

fn read_node(session: &mut Session, path: &str) -> Result<NodeDump> {
    let read = session.get_data(path)?;
    Ok(NodeDump {
        data: read.data,
        stat: read.stat,
        acl: session.get_acl(path)?.acl,
    })
}
