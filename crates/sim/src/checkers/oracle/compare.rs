//! A server's state and replies beside the model's.

use crate::checkers::each_node;
use crate::model::{Answer, Model, Tree};
use crate::packet::Reply;
use crate::request::Request;
use std::collections::BTreeMap;
use zooid_proto::response::{GetChildren2Response, GetChildrenResponse};
use zooid_proto::{DecodeError, Jute, Limit, MultiResult, Reader, SessionId};
use zooid_tree::Replica;

/// Whether a replica is where the model is, and holds what it holds.
pub(super) fn same(model: &Model, replica: &Replica) -> Result<(), String> {
    let zxid = replica.last_zxid();
    if zxid != model.zxid {
        return Err(format!(
            "the server is at {zxid}, the model at {}",
            model.zxid
        ));
    }
    same_state(&model.tree, model.sessions.live(), replica)
}

/// Whether a replica holds this: nodes with everything in them, and sessions.
pub(crate) fn same_state(
    tree: &Tree,
    live: &BTreeMap<SessionId, i32>,
    replica: &Replica,
) -> Result<(), String> {
    let mut found = 0;
    let mut wrong = Vec::new();
    each_node(replica, &mut |path, node| {
        found += 1;
        let Some(expected) = tree.nodes.get(path) else {
            wrong.push(format!("{path} should not be there"));
            return;
        };
        let stat = node.stat_persisted();
        if stat != expected.stat {
            wrong.push(format!("{path} is {stat:?} instead of {:?}", expected.stat));
        }
        if node.data() != expected.data.as_deref() && !tree.is_frozen(path) {
            let text = |data: Option<&[u8]>| {
                String::from_utf8_lossy(data.unwrap_or_default()).into_owned()
            };
            let (got, expected) = (text(node.data()), text(expected.data.as_deref()));
            wrong.push(format!("{path} holds {got:?} instead of {expected:?}"));
        }
        if **node.acl() != *expected.acl {
            wrong.push(format!(
                "{path} has {:?} instead of {:?}",
                node.acl(),
                expected.acl
            ));
        }
    });
    if found < tree.nodes.len() {
        let missing = tree
            .nodes
            .iter()
            .find(|(path, _)| replica.node(path).is_none());
        let missing = missing.map(|(path, node)| (path, node.stat));
        wrong.push(format!("{missing:?} is missing"));
    }
    let sessions: BTreeMap<SessionId, i32> = replica.sessions().collect();
    if sessions != *live {
        wrong.push(format!("sessions are {sessions:?} instead of {live:?}"));
    }
    if replica.digest() != tree.digest() {
        wrong.push("the digest is another".to_owned());
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        let zxid = replica.last_zxid();
        Err(format!("at {zxid}: {}", wrong.join("; ")))
    }
}

pub(crate) fn same_answer(request: &Request, reply: &Reply, answer: &Answer) -> Result<(), String> {
    let malformed = |err: DecodeError| format!("{request:?} was answered with garbage: {err}");
    let is_same = reply.err == answer.err
        && (reply.body == answer.body
            || sorted(request, &reply.body).map_err(malformed)?
                == sorted(request, &answer.body).map_err(malformed)?);
    if is_same {
        return Ok(());
    }
    let (got, expected) = (&reply.body, &answer.body);
    Err(format!(
        "{request:?} at {} was answered {:?} {got:?} instead of {:?} {expected:?}",
        reply.zxid, reply.err, answer.err
    ))
}

/// Children come in any order.
fn sorted(request: &Request, body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut r = Reader::new(body, Limit(usize::MAX));
    match request {
        _ if body.is_empty() => Ok(Vec::new()),
        Request::GetChildren {
            with_stat: true, ..
        } => {
            let mut response = GetChildren2Response::decode(&mut r)?;
            response.children.sort_unstable();
            Ok(response.to_vec())
        }
        Request::GetChildren { .. } => {
            let mut response = GetChildrenResponse::decode(&mut r)?;
            response.children.sort_unstable();
            Ok(response.to_vec())
        }
        Request::MultiRead(_) => {
            let mut results = MultiResult::decode_all(&mut r)?;
            for result in &mut results {
                if let MultiResult::GetChildren(children) = result {
                    children.sort_unstable();
                }
            }
            let mut body = Vec::new();
            MultiResult::encode_all(&results, &mut body);
            Ok(body)
        }
        _ => Ok(body.to_vec()),
    }
}
