//! What a server sent, as lines of text that two servers should agree on.
//!
//! A packet is decoded, and encoded again to prove that the text says all of it; a packet that does
//! not come out the same is shown as bytes. This is the one place where anything is masked:
//!
//! | masked | why | what is still checked |
//! |---|---|---|
//! | times of a stat | wall clock | zero, or within the script's own time |
//! | session ids | derived from the start time | which connection's session it is |
//! | session passwords | follow from the id | that they do |
//! | order of children, ephemerals, identities | Java lists them in the order of a hash table | the set |
//! | order of events from one closed session | its ephemerals go in the order of a hash table | the set |
//! | zxids taken by checks outside of a multi | ZooKeeper 3.8 carries them out, later versions and Zooid refuse them | all others, counted without them |
//! | zxids taken by a reconfig that cannot be decoded | Zooid takes one as for every such write, ZooKeeper logs an error under an old one | all others, counted without them |
//! | zxids of before the script, in an ensemble | it has a history, and the epoch is its own | that they are such; later ones count from there |
//! | ports in `/zookeeper/config` | each server has its own | that there are as many digits, by the length of the data |
//! | zxid of an event | -1 before ZooKeeper 3.9, whose way Zooid follows | see [`Renderer::event`] |

use crate::Kind;
use crate::driver::{Outcome, Received};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zooid_proto::response::{
    Create2Response, ErrorResponse, GetAclResponse, GetAllChildrenNumberResponse,
    GetChildren2Response, GetChildrenResponse, GetDataResponse, GetEphemeralsResponse,
    PathResponse, SetSaslResponse, WhoAmIResponse,
};
use zooid_proto::{
    Acl, ConnectResponse, DecodeError, ErrorCode, Jute, Limit, MultiResult, OpCode, Reader,
    ReplyHeader, SessionId, Stat, WatcherEvent, Zxid, session_password,
};

/// Renders what one server sent during one script, or several on end.
#[derive(Debug)]
pub(crate) struct Renderer {
    kind: Kind,
    /// Session ids by their first connection's name.
    sessions: BTreeMap<i64, String>,
    since_ms: i64,
    /// What zxids are counted from.
    base: Zxid,
    last_zxid: Zxid,
    /// Those that were taken on one side only.
    zxids_left_out: Vec<Zxid>,
}

impl Renderer {
    /// For a server with no history.
    pub(crate) fn new(kind: Kind) -> Renderer {
        Renderer::counting_from(kind, Zxid::ZERO)
    }

    /// For a server whose newest transaction was this one.
    pub(crate) fn counting_from(kind: Kind, base: Zxid) -> Renderer {
        Renderer {
            kind,
            base,
            sessions: BTreeMap::new(),
            since_ms: now_ms() - SCRIPT_DURATION_MAX_MS,
            last_zxid: Zxid::ZERO,
            zxids_left_out: Vec::new(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// One line for everything that came, connection after connection.
    pub(crate) fn lines(&mut self, outcome: &Outcome) -> Vec<String> {
        self.last_zxid = outcome.zxids.0;
        let mut lines: Vec<(bool, &str, String)> = Vec::new();
        for (name, received) in &outcome.received {
            let text = self.received(name, received, outcome);
            let is_event = matches!(received, Received::Event(_));
            lines.push((is_event, name, text));
        }
        if outcome.has_close {
            let same_run =
                |a: &(bool, &str, String), b: &(bool, &str, String)| a.0 && b.0 && a.1 == b.1;
            lines.chunk_by_mut(same_run).for_each(<[_]>::sort);
        }
        lines
            .into_iter()
            .map(|(_, name, text)| format!("{name} <- {}", mask_peer_ports(&text)))
            .collect()
    }

    fn received(&mut self, name: &str, received: &Received, outcome: &Outcome) -> String {
        match received {
            Received::Connected(packet) => self.connected(name, packet),
            Received::Reply(op, packet) => self.reply(*op, packet),
            Received::Event(packet) => self.event(packet, outcome),
            Received::Text(text) => text.escape_debug().to_string(),
            Received::Closed => "closed".into(),
            Received::StillOpen => "still open".into(),
            Received::NoConnection => "no connection".into(),
            Received::NoEvent => "no event".into(),
        }
    }

    fn connected(&mut self, name: &str, packet: &[u8]) -> String {
        whole::<ConnectResponse>(packet, |response| {
            let id = response.session_id;
            if id != SessionId(0) {
                self.sessions.entry(id.0).or_insert_with(|| name.into());
            }
            let password = match response.password.as_deref() {
                Some(password) if password == session_password(id) => "derived".into(),
                other => format!("{other:?}"),
            };
            format!(
                "connected version={} timeout={} session={} password={password} readonly={:?}",
                response.protocol_version,
                response.timeout_ms,
                self.session(id.0),
                response.read_only,
            )
        })
    }

    fn reply(&mut self, op: i32, packet: &[u8]) -> String {
        let Some((header, body)) = packet.split_at_checked(REPLY_HEADER_LEN) else {
            return bytes(packet);
        };
        let header = whole::<ReplyHeader>(header, |header| {
            self.leave_out(op, &header);
            format!(
                "xid={} zxid={} err={}",
                header.xid,
                self.zxid(header.zxid),
                header.err.code()
            )
        });
        match self.body(op, body) {
            body if body.is_empty() => header,
            body => format!("{header} {body}"),
        }
    }

    /// Notes a zxid that not every version takes.
    fn leave_out(&mut self, op: i32, header: &ReplyHeader) {
        let is_check = op == OpCode::Check.code();
        let is_undecoded = header.err == ErrorCode::MarshallingError;
        let is_undecoded_reconfig = is_undecoded && op == OpCode::Reconfig.code();
        if header.zxid > self.last_zxid && (is_check || is_undecoded_reconfig) {
            self.zxids_left_out.push(header.zxid);
        }
        self.last_zxid = self.last_zxid.max(header.zxid);
    }

    fn zxid(&self, zxid: Zxid) -> String {
        if zxid <= Zxid::ZERO {
            return zxid.to_string();
        }
        if zxid <= self.base {
            return "before".into();
        }
        let left_out = self.zxids_left_out.iter().filter(|one| **one <= zxid);
        let counted = left_out.fold(zxid.0 - self.base.0, |shifted, _| shifted - 1);
        Zxid(counted).to_string()
    }

    /// ZooKeeper 3.8 sends -1 as an event's zxid. From 3.9 on, and from Zooid, it is the transaction's,
    /// which is one of this step; events made by setWatches still carry -1. Where the zxid is what
    /// the server's version makes it, it is shown as `_`.
    fn event(&self, packet: &[u8], outcome: &Outcome) -> String {
        let Some((header, body)) = packet.split_at_checked(REPLY_HEADER_LEN) else {
            return bytes(packet);
        };
        let header = whole::<ReplyHeader>(header, |header| {
            let belongs_to_step = outcome.zxids.0 < header.zxid && header.zxid <= outcome.zxids.1;
            let is_right = match self.kind {
                Kind::Java => header.zxid == Zxid::NONE,
                Kind::Zooid if header.zxid == Zxid::NONE => outcome.has_set_watches,
                Kind::Zooid => belongs_to_step,
            };
            let zxid = if is_right {
                "_".into()
            } else {
                header.zxid.to_string()
            };
            format!("event zxid={zxid} err={}", header.err.code())
        });
        let body = whole::<WatcherEvent>(body, |event| {
            format!(
                "type={} state={} path={:?}",
                event.event_type, event.state, event.path
            )
        });
        format!("{header} {body}")
    }

    fn body(&self, op: i32, body: &[u8]) -> String {
        if body.is_empty() {
            return String::new();
        }
        let Some(op) = OpCode::from_code(op) else {
            return bytes(body);
        };
        match op {
            OpCode::Create | OpCode::Sync => {
                whole::<PathResponse>(body, |r| format!("path={:?}", r.path))
            }
            OpCode::Create2 | OpCode::CreateContainer | OpCode::CreateTtl => {
                whole::<Create2Response>(body, |r| {
                    format!("path={:?} {}", r.path, self.stat(&r.stat))
                })
            }
            OpCode::Exists | OpCode::SetData | OpCode::SetAcl => {
                whole::<Stat>(body, |stat| self.stat(&stat))
            }
            OpCode::GetData | OpCode::Reconfig => whole::<GetDataResponse>(body, |r| {
                format!("{} {}", data(r.data.as_deref()), self.stat(&r.stat))
            }),
            OpCode::GetAcl => {
                whole::<GetAclResponse>(body, |r| format!("{} {}", acl(&r.acl), self.stat(&r.stat)))
            }
            OpCode::GetChildren => whole::<GetChildrenResponse>(body, |r| set(r.children)),
            OpCode::GetChildren2 => whole::<GetChildren2Response>(body, |r| {
                format!("{} {}", set(r.children), self.stat(&r.stat))
            }),
            OpCode::GetEphemerals => whole::<GetEphemeralsResponse>(body, |r| set(r.ephemerals)),
            OpCode::GetAllChildrenNumber => {
                whole::<GetAllChildrenNumberResponse>(body, |r| format!("total={}", r.total_number))
            }
            OpCode::WhoAmI => whole::<WhoAmIResponse>(body, |r| {
                let name = |info: zooid_proto::response::ClientInfo| {
                    format!("{}:{}", info.auth_scheme, info.user)
                };
                set(r.client_info.into_iter().map(name).collect())
            }),
            OpCode::AddWatch => {
                whole::<ErrorResponse>(body, |r| format!("result={}", r.err.code()))
            }
            OpCode::Sasl => {
                whole::<SetSaslResponse>(body, |r| format!("token={}", data(r.token.as_deref())))
            }
            OpCode::Multi | OpCode::MultiRead => whole::<MultiResults>(body, |r| self.multi(r.0)),
            OpCode::Notification
            | OpCode::Delete
            | OpCode::Ping
            | OpCode::Check
            | OpCode::CheckWatches
            | OpCode::RemoveWatches
            | OpCode::DeleteContainer
            | OpCode::Auth
            | OpCode::SetWatches
            | OpCode::SetWatches2
            | OpCode::CreateSession
            | OpCode::CloseSession
            | OpCode::Error => bytes(body),
        }
    }

    fn multi(&self, results: Vec<MultiResult>) -> String {
        let result = |result| match result {
            MultiResult::Create(path) => format!("create {path:?}"),
            MultiResult::Create2(path, stat) => format!("create2 {path:?} {}", self.stat(&stat)),
            MultiResult::Delete => "delete".into(),
            MultiResult::SetData(stat) => format!("set {}", self.stat(&stat)),
            MultiResult::Check => "check".into(),
            MultiResult::GetData(bytes, stat) => {
                format!("get {} {}", data(bytes.as_deref()), self.stat(&stat))
            }
            MultiResult::GetChildren(children) => format!("ls {}", set(children)),
            MultiResult::Error(err) => format!("err={}", err.code()),
        };
        let results: Vec<String> = results.into_iter().map(result).collect();
        format!("{{ {} }}", results.join(" ; "))
    }

    fn stat(&self, stat: &Stat) -> String {
        format!(
            "[c={} m={} p={} ctime={} mtime={} version={} cversion={} aversion={} owner={} \
             length={} children={}]",
            self.zxid(stat.czxid),
            self.zxid(stat.mzxid),
            self.zxid(stat.pzxid),
            self.time(stat.ctime),
            self.time(stat.mtime),
            stat.version,
            stat.cversion,
            stat.aversion,
            self.session(stat.ephemeral_owner),
            stat.data_length,
            stat.num_children,
        )
    }

    fn session(&self, id: i64) -> String {
        match self.sessions.get(&id) {
            Some(name) => format!("<{name}>"),
            None => format!("0x{id:x}"),
        }
    }

    fn time(&self, time_ms: i64) -> String {
        if self.since_ms <= time_ms && time_ms <= now_ms() {
            return "now".into();
        }
        time_ms.to_string()
    }
}

/// The record's text if the bytes are exactly this record's, else the bytes.
fn whole<T: Jute>(raw: &[u8], text: impl FnOnce(T) -> String) -> String {
    let mut reader = Reader::new(raw, Limit::default());
    match T::decode(&mut reader) {
        Ok(record) if reader.is_empty() && record.to_vec() == raw => text(record),
        _ => bytes(raw),
    }
}

/// Masks the two ports after each address of a server in `/zookeeper/config`.
fn mask_peer_ports(text: &str) -> String {
    let mut parts = text.split(PEER_ADDRESS);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_port = |c: char| c.is_ascii_digit() || c == ':';
        masked.push_str(PEER_ADDRESS);
        masked.push_str(":_:");
        masked.push_str(part.trim_start_matches(is_port));
    }
    masked
}

fn bytes(raw: &[u8]) -> String {
    let mut text = "bytes=0x".to_owned();
    for byte in raw {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn data(bytes: Option<&[u8]>) -> String {
    match bytes {
        Some(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        None => "null".into(),
    }
}

fn acl(list: &[Acl]) -> String {
    let entry = |acl: &Acl| {
        let (scheme, id) = (acl.id.scheme.as_deref(), acl.id.id.as_deref());
        format!(
            "{}:{}={}",
            scheme.unwrap_or("null"),
            id.unwrap_or("null"),
            acl.perms
        )
    };
    let entries: Vec<String> = list.iter().map(entry).collect();
    format!("acl={entries:?}")
}

fn set(mut members: Vec<String>) -> String {
    members.sort_unstable();
    format!("{members:?}")
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or(Duration::ZERO).as_millis()).unwrap_or(i64::MAX)
}

/// The body of a multi's reply as a record.
struct MultiResults(Vec<MultiResult>);

impl Jute for MultiResults {
    fn decode(reader: &mut Reader<'_>) -> Result<MultiResults, DecodeError> {
        MultiResult::decode_all(reader).map(MultiResults)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        MultiResult::encode_all(&self.0, out);
    }
}

const PEER_ADDRESS: &str = "=127.0.0.1";
const REPLY_HEADER_LEN: usize = 16;
// Rendering happens after the script has run.
const SCRIPT_DURATION_MAX_MS: i64 = 600_000;
