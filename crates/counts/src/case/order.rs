//! Writes that a standalone server takes in, gives their place and applies: everything but the network, the
//! disk and the replies.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use zooid_node::{
    Authenticator, ClientRequest, ConnId, ContainerSettings, Input, LocalSessions, Node, Now,
    OpenSession, Output, Settings,
};
use zooid_proto::request::{CreateRequest, SetDataRequest};
use zooid_proto::{
    AclList, ErrorCode, Jute, Limit, MultiOp, MultiRequest, OpCode, ServerId, SessionId, Zxid,
};
use zooid_tree::Replica;

use super::tree::{Forest, MULTI_LEN, new_path, options, path};
use super::{Case, VALUE};

pub(crate) const SET: Case = Case {
    name: "order-set",
    what: "order and apply a set of one of 10,000 nodes, 64 at a time",
    times: 10_000,
    run: |times| {
        let request = |number| set_request(number).to_vec();
        order(times, 2 * SET.times, OpCode::SetData, request)
    },
};

pub(crate) const CREATE: Case = Case {
    name: "order-create",
    what: "order and apply a create beside 10,000 nodes, 64 at a time",
    times: 10_000,
    run: |times| {
        let request = |number| create_request(new_path(number)).to_vec();
        order(times, 2 * CREATE.times, OpCode::Create2, request)
    },
};

pub(crate) const MULTI: Case = Case {
    name: "order-multi",
    what: "order and apply one create of the 1000 in a multi",
    times: 10_000,
    run: |times| {
        let made = 2 * MULTI.times / MULTI_LEN;
        order(times / MULTI_LEN, made, OpCode::Multi, multi_request)
    },
};

/// How many are proposed before the first is durable.
const BATCH_LEN: usize = 64;
const CONN: ConnId = ConnId(1);

fn set_request(number: u32) -> SetDataRequest {
    SetDataRequest {
        path: path(number),
        data: Some(Bytes::from_static(VALUE)),
        version: -1,
    }
}

fn create_request(path: String) -> CreateRequest {
    CreateRequest {
        path,
        data: Some(Bytes::from_static(VALUE)),
        acl: AclList::OPEN,
        flags: 0,
    }
}

fn multi_request(number: u32) -> Vec<u8> {
    let paths = (0..MULTI_LEN).map(|op| format!("/d{}/new{number}-{op}", number % 100));
    let creates = paths.map(|path| MultiOp::Create(create_request(path)));
    MultiRequest(creates.collect()).to_vec()
}

/// Making the requests is not what is counted, so as many are made whatever the number of times.
fn order(times: u32, made: u32, op: OpCode, body: impl Fn(u32) -> Vec<u8>) -> anyhow::Result<()> {
    let mut server = Server::new()?;
    let ids = Arc::from([]);
    let requests: Vec<ClientRequest> = (0..made)
        .map(|number| ClientRequest {
            conn: CONN,
            session: server.session,
            cxid: 1,
            op,
            body: Bytes::from(body(number)),
            ids: Arc::clone(&ids),
        })
        .collect();
    let mut requests = requests.into_iter().take(usize::try_from(times)?);
    loop {
        let mut count = 0;
        for request in requests.by_ref().take(BATCH_LEN) {
            server.step(Input::Request(request))?;
            count += 1;
        }
        if count == 0 {
            return Ok(());
        }
        server.sync()?;
    }
}

struct Server {
    node: Node,
    replica: Replica,
    session: SessionId,
    proposed: Zxid,
    generation: u64,
    out: Vec<Output>,
}

impl Server {
    fn new() -> anyhow::Result<Server> {
        let replica = Forest::grown()?.replica;
        let mut server = Server {
            node: Node::standalone(settings(), &replica, Now::default()),
            replica,
            session: SessionId(0),
            proposed: Zxid(0),
            generation: 0,
            out: Vec::new(),
        };
        let open = OpenSession {
            session: SessionId(0),
            password_matches: false,
            timeout_ms: 20_000,
            read_only: false,
        };
        server.step(Input::Open(CONN, open))?;
        server.sync()?;
        let opened = server.replica.sessions().next();
        (server.session, _) = opened.context("no session was opened")?;
        Ok(server)
    }

    fn step(&mut self, input: Input) -> anyhow::Result<()> {
        let mut out = std::mem::take(&mut self.out);
        self.node
            .step(Now::default(), input, &self.replica, &mut out);
        for output in out.drain(..) {
            match output {
                Output::Append {
                    generation,
                    zxid,
                    record,
                } => {
                    (self.generation, self.proposed) = (generation, zxid);
                    black_box(record);
                }
                Output::Commit { record, .. } => {
                    let mut fired = Vec::new();
                    let applied = self.replica.apply(
                        &record.header,
                        &record.txn,
                        record.digest.as_ref(),
                        &mut fired,
                    );
                    ensure!(applied.err == ErrorCode::Ok, "{:?}", applied.err);
                    black_box((applied, fired));
                }
                other => anyhow::bail!("{other:?}"),
            }
        }
        self.out = out;
        Ok(())
    }

    /// What has been proposed becomes durable.
    fn sync(&mut self) -> anyhow::Result<()> {
        self.step(Input::Persisted {
            generation: self.generation,
            upto: self.proposed,
        })?;
        ensure!(self.replica.last_zxid() == self.proposed, "not committed");
        ensure!(self.replica.digest_mismatches() == 0, "wrong digest");
        Ok(())
    }
}

fn settings() -> Settings {
    Settings {
        server_id: ServerId(1),
        tick_ms: 2000,
        min_session_timeout_ms: 4000,
        max_session_timeout_ms: 40_000,
        limit: Limit::default(),
        owner_rules: options().owner_rules,
        digest: true,
        close_session_txn: true,
        enforce_quota: false,
        skip_acl: false,
        reconfig_enabled: false,
        local_sessions: LocalSessions::default(),
        containers: ContainerSettings::default(),
        authenticator: Authenticator::default(),
        required_schemes: Vec::new(),
    }
}
