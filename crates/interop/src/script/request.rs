//! The requests of a script:
//!
//! ```text
//! create|create2|container PATH DATA [mode=NAME|flags=N] [acl=LIST]
//! createttl PATH DATA TTL [mode|flags] [acl]
//! delete|check PATH [VERSION]          exists|get|ls|ls2 PATH [watch]
//! set PATH DATA [VERSION]              getacl|sync|countall|deletecontainer PATH
//! setacl PATH LIST [VERSION]           ephemerals PATH      whoami  ping  close
//! multi|multiread { REQUEST ; … }      auth SCHEME DATA     sasl DATA
//! addwatch|checkwatches|removewatches PATH KIND
//! setwatches|setwatches2 BEHIND [data=P,…] [exist=P,…] [child=P,…] [persistent=P,…] [recursive=P,…]
//! reconfig JOINING LEAVING MEMBERS VERSION
//! op NUMBER [0xBODY]
//! ```
//!
//! PATH and DATA may be `null`. LIST is `scheme:id:perms,…`, `none` for an empty one, `null`. BEHIND is
//! subtracted from the last zxid seen. After any request: `xid=N`, `cut=N` (bytes to leave out at the
//! end), `append=0xBYTES`.

use super::words::{Words, parse_hex};
use anyhow::{Context, Result, bail};
use zooid_jute::{Jute, put_buffer, put_str, put_vec_len};
use zooid_proto::{CreateMode, MultiHeader, OpCode, Zxid, perms, xid};

/// One request, ready to send but for its xid.
#[derive(Clone, Debug)]
pub struct Request {
    /// Operation, perhaps an unknown one.
    pub op: i32,
    /// In place of the one that the connection would take.
    pub xid: Option<i32>,
    /// How far behind the last zxid seen the one lies that the body starts with.
    pub zxid_behind: Option<i64>,
    /// Everything after the header, apart from that zxid.
    pub body: Vec<u8>,
}

impl Request {
    pub(super) fn parse(words: &mut Words) -> Result<Request> {
        let name = words.next("a request")?;
        let mut request = Request {
            op: 0,
            xid: None,
            zxid_behind: None,
            body: Vec::new(),
        };
        match name.as_str() {
            "op" => {
                request.op = words.number("an operation")?;
                if words.peek().starts_with("0x") {
                    request.body = words.hex("a body")?;
                }
            }
            "setwatches" | "setwatches2" => request.set_watches(&name, words)?,
            _ => request.op = operation(&name, words, &mut request.body)?.code(),
        }
        request.xid = special_xid(request.op);
        while let Some((key, value)) = words.option() {
            match key.as_str() {
                "xid" => request.xid = Some(value.parse()?),
                "cut" => {
                    let kept = request.body.len().checked_sub(value.parse()?);
                    request
                        .body
                        .truncate(kept.context("cut more than there is")?);
                }
                "append" => request.body.extend(parse_hex(&value)?),
                _ => bail!("{name} has no option {key}"),
            }
        }
        Ok(request)
    }

    /// The packet.
    #[must_use]
    pub fn encode(&self, next_xid: i32, last_zxid: Zxid) -> Vec<u8> {
        let mut packet = Vec::new();
        self.xid.unwrap_or(next_xid).encode(&mut packet);
        self.op.encode(&mut packet);
        if let Some(behind) = self.zxid_behind {
            (last_zxid.0 - behind).encode(&mut packet);
        }
        packet.extend_from_slice(&self.body);
        packet
    }

    fn set_watches(&mut self, name: &str, words: &mut Words) -> Result<()> {
        self.zxid_behind = Some(words.number("how far behind")?);
        let (op, kinds) = match name {
            "setwatches" => (OpCode::SetWatches, &WATCH_LISTS[..3]),
            _ => (OpCode::SetWatches2, &WATCH_LISTS[..]),
        };
        self.op = op.code();
        let mut lists = vec![Vec::new(); kinds.len()];
        while let Some((key, value)) = words.clone().option() {
            let Some(index) = kinds.iter().position(|kind| *kind == key) else {
                break;
            };
            words.option();
            lists[index].extend(value.split(',').map(str::to_owned));
        }
        for list in lists {
            list.encode(&mut self.body);
        }
        Ok(())
    }
}

/// Encodes the body and says what the operation is.
fn operation(name: &str, words: &mut Words, body: &mut Vec<u8>) -> Result<OpCode> {
    let op = op_named(name).with_context(|| format!("no request {name}"))?;
    match op {
        OpCode::Create | OpCode::Create2 | OpCode::CreateContainer | OpCode::CreateTtl => {
            create(op, words, body)?;
        }
        OpCode::Delete | OpCode::Check => {
            put_path(words, body)?;
            words.number_or(-1_i32).encode(body);
        }
        OpCode::Exists | OpCode::GetData | OpCode::GetChildren | OpCode::GetChildren2 => {
            put_path(words, body)?;
            words.take("watch").encode(body);
        }
        OpCode::SetData => {
            put_path(words, body)?;
            put_buffer(body, words.nullable("data")?.as_deref());
            words.number_or(-1_i32).encode(body);
        }
        OpCode::SetAcl => {
            put_path(words, body)?;
            put_acl(&words.next("an ACL")?, body)?;
            words.number_or(-1_i32).encode(body);
        }
        OpCode::GetAcl
        | OpCode::Sync
        | OpCode::GetAllChildrenNumber
        | OpCode::DeleteContainer
        | OpCode::GetEphemerals => put_path(words, body)?,
        OpCode::AddWatch | OpCode::CheckWatches | OpCode::RemoveWatches => {
            put_path(words, body)?;
            words.number::<i32>("a kind")?.encode(body);
        }
        OpCode::Multi | OpCode::MultiRead => multi(words, body)?,
        OpCode::Auth => {
            0_i32.encode(body);
            put_buffer(body, words.nullable("a scheme")?.as_deref());
            put_buffer(body, words.nullable("data")?.as_deref());
        }
        OpCode::Sasl => put_buffer(body, words.nullable("a token")?.as_deref()),
        OpCode::Reconfig => {
            for what in ["joining servers", "leaving servers", "members"] {
                put_buffer(body, words.nullable(what)?.as_deref());
            }
            words.number::<i64>("a version")?.encode(body);
        }
        OpCode::WhoAmI | OpCode::Ping | OpCode::CloseSession => {}
        OpCode::Notification
        | OpCode::CreateSession
        | OpCode::Error
        | OpCode::SetWatches
        | OpCode::SetWatches2 => bail!("{name} is not written like this"),
    }
    Ok(op)
}

fn op_named(name: &str) -> Option<OpCode> {
    Some(match name {
        "create" => OpCode::Create,
        "create2" => OpCode::Create2,
        "container" => OpCode::CreateContainer,
        "createttl" => OpCode::CreateTtl,
        "delete" => OpCode::Delete,
        "check" => OpCode::Check,
        "exists" => OpCode::Exists,
        "get" => OpCode::GetData,
        "set" => OpCode::SetData,
        "getacl" => OpCode::GetAcl,
        "setacl" => OpCode::SetAcl,
        "ls" => OpCode::GetChildren,
        "ls2" => OpCode::GetChildren2,
        "sync" => OpCode::Sync,
        "countall" => OpCode::GetAllChildrenNumber,
        "deletecontainer" => OpCode::DeleteContainer,
        "ephemerals" => OpCode::GetEphemerals,
        "addwatch" => OpCode::AddWatch,
        "checkwatches" => OpCode::CheckWatches,
        "removewatches" => OpCode::RemoveWatches,
        "multi" => OpCode::Multi,
        "multiread" => OpCode::MultiRead,
        "auth" => OpCode::Auth,
        "sasl" => OpCode::Sasl,
        "reconfig" => OpCode::Reconfig,
        "whoami" => OpCode::WhoAmI,
        "ping" => OpCode::Ping,
        "close" => OpCode::CloseSession,
        _ => return None,
    })
}

fn create(op: OpCode, words: &mut Words, body: &mut Vec<u8>) -> Result<()> {
    put_path(words, body)?;
    put_buffer(body, words.nullable("data")?.as_deref());
    let ttl: Option<i64> = match op {
        OpCode::CreateTtl => Some(words.number("a time to live")?),
        _ => None,
    };
    let mut flags = match op {
        OpCode::CreateContainer => CreateMode::Container.flags(),
        OpCode::CreateTtl => CreateMode::PersistentWithTtl.flags(),
        _ => CreateMode::Persistent.flags(),
    };
    let mut acl = "world:anyone:cdrwa".to_owned();
    while let Some((key, value)) = words.clone().option() {
        match key.as_str() {
            "mode" => flags = mode_named(&value)?.flags(),
            "flags" => flags = value.parse()?,
            "acl" => acl = value,
            _ => break,
        }
        words.option();
    }
    put_acl(&acl, body)?;
    flags.encode(body);
    if let Some(ttl) = ttl {
        ttl.encode(body);
    }
    Ok(())
}

fn mode_named(name: &str) -> Result<CreateMode> {
    Ok(match name {
        "persistent" => CreateMode::Persistent,
        "ephemeral" => CreateMode::Ephemeral,
        "sequential" => CreateMode::PersistentSequential,
        "ephemeral-sequential" => CreateMode::EphemeralSequential,
        "container" => CreateMode::Container,
        "ttl" => CreateMode::PersistentWithTtl,
        "ttl-sequential" => CreateMode::PersistentSequentialWithTtl,
        _ => bail!("no mode {name}"),
    })
}

/// `{ REQUEST ; REQUEST … }`; an operation's number may stand for its name.
fn multi(words: &mut Words, body: &mut Vec<u8>) -> Result<()> {
    let header = |op: i32, done: bool| MultiHeader { op, done, err: -1 };
    if !words.take("{") {
        bail!("a multi starts with {{");
    }
    while !words.take("}") {
        let request = Request::parse(words)?;
        header(request.op, false).encode(body);
        body.extend_from_slice(&request.body);
        words.take(";");
    }
    header(-1, true).encode(body);
    Ok(())
}

fn put_path(words: &mut Words, body: &mut Vec<u8>) -> Result<()> {
    put_buffer(body, words.nullable("a path")?.as_deref());
    Ok(())
}

fn put_acl(list: &str, body: &mut Vec<u8>) -> Result<()> {
    let entries: Vec<&str> = match list {
        "null" => {
            put_buffer(body, None);
            return Ok(());
        }
        "none" => Vec::new(),
        _ => list.split(',').collect(),
    };
    put_vec_len(body, entries.len());
    for entry in entries {
        let (scheme, rest) = entry.split_once(':').context("an ACL is scheme:id:perms")?;
        let (id, letters) = rest.rsplit_once(':').context("an ACL is scheme:id:perms")?;
        permissions(letters)?.encode(body);
        for part in [scheme, id] {
            match part {
                "null" => put_buffer(body, None),
                _ => put_str(body, part),
            }
        }
    }
    Ok(())
}

fn permissions(letters: &str) -> Result<i32> {
    if let Ok(number) = letters.parse() {
        return Ok(number);
    }
    let bit = |letter| match letter {
        'c' => Ok(perms::CREATE),
        'd' => Ok(perms::DELETE),
        'r' => Ok(perms::READ),
        'w' => Ok(perms::WRITE),
        'a' => Ok(perms::ADMIN),
        _ => bail!("no permission {letter}"),
    };
    letters
        .chars()
        .map(bit)
        .try_fold(0, |all, one| Ok(all | one?))
}

/// What clients send with these operations in place of a counter.
fn special_xid(op: i32) -> Option<i32> {
    match OpCode::from_code(op)? {
        OpCode::Ping => Some(xid::PING),
        OpCode::Auth => Some(xid::AUTH),
        OpCode::SetWatches | OpCode::SetWatches2 => Some(xid::SET_WATCHES),
        _ => None,
    }
}

const WATCH_LISTS: [&str; 5] = ["data", "exist", "child", "persistent", "recursive"];
