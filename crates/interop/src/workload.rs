//! Writes that leave every kind of transaction in a log and every kind of node in a tree.

use crate::{Server, Session};
use anyhow::{Result, ensure};
use bytes::Bytes;
use zooid_proto::request::{CreateRequest, CreateTtlRequest, PathVersion, SetDataRequest};
use zooid_proto::{
    Acl, CreateMode, Jute, Limit, MultiOp, MultiRequest, MultiResult, OpCode, Reader, perms,
};

/// A client that writes below one node, or below the root if the name is empty. It needs a server with
/// extended types and [`SUPER_DIGEST`](crate::SUPER_DIGEST).
#[derive(Debug)]
pub struct Workload<'a> {
    session: &'a mut Session,
    root: &'a str,
}

impl<'a> Workload<'a> {
    /// Writes below `root`, such as `/round-1`, which is created.
    ///
    /// # Errors
    /// When the connection ends or a write fails.
    pub fn new(session: &'a mut Session, root: &'a str) -> Result<Workload<'a>> {
        let mut workload = Workload { session, root };
        if !root.is_empty() {
            workload.create("", None)?;
        }
        Ok(workload)
    }

    /// Writes everything but what [`Workload::write_swept_nodes`] does.
    ///
    /// # Errors
    /// When the connection ends or a write has another result than it should.
    pub fn write_everything(&mut self, server: &Server) -> Result<()> {
        self.write_nodes()?;
        self.write_acls()?;
        self.write_multis()?;
        self.write_quota()?;
        self.fail_writes()?;
        self.write_closed_session(server)?;
        let mode = CreateMode::EphemeralSequential;
        self.create_as("/plain/lock-", Some(b"kept"), &anyone(), mode)?;
        self.create_as("/ephemeral", None, &anyone(), CreateMode::Ephemeral)?;
        Ok(())
    }

    /// A container whose children have gone and a node whose time is over, both of which the server
    /// deletes soon.
    ///
    /// # Errors
    /// When the connection ends or the server keeps them.
    pub fn write_swept_nodes(&mut self) -> Result<()> {
        self.create_as("/swept", None, &anyone(), CreateMode::Container)?;
        self.create("/swept/child", None)?;
        self.session.delete(&self.path("/swept/child"), -1)?;
        self.session.wait_until_gone(&self.path("/swept"))?;
        self.create_ttl("/expired", CreateMode::PersistentWithTtl, 1)?;
        self.session.wait_until_gone(&self.path("/expired"))
    }

    /// A node of some 36 KiB.
    ///
    /// # Errors
    /// When the connection ends or the write fails.
    pub fn write_large_node(&mut self) -> Result<()> {
        self.create("/large", Some(&all_bytes().repeat(144)))
    }

    fn write_nodes(&mut self) -> Result<()> {
        // create and create2 leave different transactions.
        let plain = self.create_request("/plain", CreateMode::Persistent);
        self.session.call(OpCode::Create, &plain.to_vec())?.done()?;
        self.create("/plain/empty", Some(b""))?;
        self.create("/plain/null", None)?;
        self.create("/plain/binary", Some(&all_bytes()))?;
        self.create(
            "/plain/zo\u{f6}id \u{6c34}\u{87c5}",
            Some("\u{3bb}".as_bytes()),
        )?;
        self.create("/plain/deep", None)?;
        self.create("/plain/deep/er", Some(b"1"))?;
        let deeper = self.path("/plain/deep/er");
        self.session.set_data(&deeper, Some(b"2"), 0)?;
        self.session.set_data(&deeper, None, 1)?;
        for is_kept in [true, false, true] {
            let mode = CreateMode::PersistentSequential;
            let path = self.create_as("/plain/seq-", None, &anyone(), mode)?;
            if !is_kept {
                self.session.delete(&path, -1)?;
            }
        }
        self.create_as("/container", None, &anyone(), CreateMode::Container)?;
        self.create("/container/child", None)?;
        let mode = CreateMode::Container;
        self.create_as("/container-unused", Some(b"c"), &anyone(), mode)?;
        self.create_ttl("/ttl", CreateMode::PersistentWithTtl, LONG_TTL_MS)?;
        self.create_ttl(
            "/ttl-",
            CreateMode::PersistentSequentialWithTtl,
            LONG_TTL_MS,
        )
    }

    fn write_acls(&mut self) -> Result<()> {
        let owner = [Acl::new(
            perms::ALL,
            "digest",
            "alice:3CbyyKgWdNCQuWwRVBAcbHOYZUM=",
        )];
        let local = Acl::new(perms::READ | perms::WRITE, "ip", "127.0.0.0/8");
        let mixed = [owner[0].clone(), Acl::anyone(perms::READ), local];
        let persistent = CreateMode::Persistent;
        self.create("/acl", None)?;
        self.create_as("/acl/mixed", Some(b"m"), &mixed, persistent)?;
        self.create_as("/acl/owned", Some(b"o"), &owner, persistent)?;
        self.create("/acl/changed", None)?;
        let changed = self.path("/acl/changed");
        self.session.set_acl(&changed, &owner, 0)?;
        let most = [Acl::anyone(perms::ALL & !perms::ADMIN)];
        self.session.set_acl(&changed, &most, 1)?;
        Ok(())
    }

    fn write_multis(&mut self) -> Result<()> {
        let persistent = CreateMode::Persistent;
        let succeeding = vec![
            MultiOp::Create(self.create_request("/multi", persistent)),
            MultiOp::Create2(self.create_request("/multi/a", persistent)),
            MultiOp::Create2(self.create_request("/multi/ephemeral", CreateMode::Ephemeral)),
            MultiOp::CreateContainer(
                self.create_request("/multi/container", CreateMode::Container),
            ),
            MultiOp::CreateTtl(CreateTtlRequest {
                path: self.path("/multi/ttl"),
                data: None,
                acl: anyone().into(),
                flags: CreateMode::PersistentWithTtl.flags(),
                ttl: LONG_TTL_MS,
            }),
            MultiOp::Check(self.at("/multi/a", 0)),
            MultiOp::SetData(SetDataRequest {
                path: self.path("/multi/a"),
                data: Some(Bytes::from_static(b"set")),
                version: 0,
            }),
            MultiOp::Create(self.create_request("/multi/gone", persistent)),
            MultiOp::Delete(self.at("/multi/gone", 0)),
        ];
        let failing = vec![
            MultiOp::Create(self.create_request("/multi/never", persistent)),
            MultiOp::Check(self.at("/multi/a", 7)),
            MultiOp::Delete(self.at("/multi", -1)),
        ];
        ensure!(
            self.multi_succeeds(succeeding)?,
            "the first multi should succeed"
        );
        ensure!(
            !self.multi_succeeds(failing)?,
            "the second multi should fail"
        );
        ensure!(self.multi_succeeds(vec![])?, "an empty multi is legal");
        Ok(())
    }

    fn multi_succeeds(&mut self, ops: Vec<MultiOp>) -> Result<bool> {
        let reply = self
            .session
            .call(OpCode::Multi, &MultiRequest(ops).to_vec())?;
        reply.done()?;
        let results = MultiResult::decode_all(&mut Reader::new(&reply.body, Limit::default()))?;
        let is_error = |result: &MultiResult| matches!(result, MultiResult::Error(_));
        Ok(!results.iter().any(is_error))
    }

    fn write_quota(&mut self) -> Result<()> {
        let persistent = CreateMode::Persistent;
        let limits = b"count=7,bytes=9000=;byteHardLimit=8000;countHardLimit=6";
        self.create("/quota", Some(b"four"))?;
        let mut quota_path = "/zookeeper/quota".to_owned();
        for name in self.path("/quota").split('/').skip(1) {
            quota_path = format!("{quota_path}/{name}");
            self.session
                .create(&quota_path, None, &anyone(), persistent)?;
        }
        let limits_path = format!("{quota_path}/zookeeper_limits");
        self.session
            .create(&limits_path, Some(limits), &anyone(), persistent)?;
        let stats_path = format!("{quota_path}/zookeeper_stats");
        let stats = b"count=0,bytes=0";
        self.session
            .create(&stats_path, Some(stats), &anyone(), persistent)?;
        self.create("/quota/child", Some(b"sixsix"))
    }

    /// Each leaves an error transaction.
    fn fail_writes(&mut self) -> Result<()> {
        let plain = self.path("/plain");
        let outcomes = [
            self.create("/plain", None).is_err(),
            self.session.delete(&plain, -1).is_err(),
            self.session.set_data(&plain, None, 99).is_err(),
        ];
        ensure!(outcomes == [true; 3], "a write succeeded that should fail");
        Ok(())
    }

    /// A session that ends, and its ephemerals with it.
    fn write_closed_session(&mut self, server: &Server) -> Result<()> {
        let mut session = Session::open_as_super(server)?;
        for name in ["/closed-1", "/plain/deep/closed-2"] {
            session.create(&self.path(name), None, &anyone(), CreateMode::Ephemeral)?;
        }
        session.close()
    }

    fn create(&mut self, name: &str, data: Option<&[u8]>) -> Result<()> {
        self.create_as(name, data, &anyone(), CreateMode::Persistent)?;
        Ok(())
    }

    fn create_as(
        &mut self,
        name: &str,
        data: Option<&[u8]>,
        acl: &[Acl],
        mode: CreateMode,
    ) -> Result<String> {
        self.session.create(&self.path(name), data, acl, mode)
    }

    fn create_ttl(&mut self, name: &str, mode: CreateMode, ttl_ms: i64) -> Result<()> {
        let path = self.path(name);
        self.session
            .create_ttl(&path, Some(b"t"), &anyone(), mode, ttl_ms)?;
        Ok(())
    }

    fn create_request(&self, name: &str, mode: CreateMode) -> CreateRequest {
        CreateRequest {
            path: self.path(name),
            data: Some(Bytes::from_static(b"data")),
            acl: anyone().into(),
            flags: mode.flags(),
        }
    }

    fn at(&self, name: &str, version: i32) -> PathVersion {
        let path = self.path(name);
        PathVersion { path, version }
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.root)
    }
}

/// Everyone may do everything.
#[must_use]
pub fn anyone() -> Vec<Acl> {
    vec![Acl::anyone(perms::ALL)]
}

fn all_bytes() -> Vec<u8> {
    (0..=u8::MAX).collect()
}

// Some thirty years: no reader of golden files shall see the node expire.
const LONG_TTL_MS: i64 = 1_000_000_000_000;
