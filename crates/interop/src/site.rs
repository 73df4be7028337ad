//! Where a script runs: one server, or an ensemble of which one member is meant if none is named.

use crate::{Ensemble, Mode, Server, Session};
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};
use zooid_proto::Zxid;

/// The servers that a script's connections may go to.
#[derive(Debug)]
pub(crate) struct Site<'a> {
    home: &'a Server,
    members: Vec<Member<'a>>,
}

#[derive(Debug)]
struct Member<'a> {
    mode: Mode,
    server: &'a Server,
    /// Of nobody's business but this file's.
    session: Session,
}

impl<'a> Site<'a> {
    /// A server on its own.
    pub(crate) fn alone(home: &'a Server) -> Site<'a> {
        let members = Vec::new();
        Site { home, members }
    }

    /// An ensemble's leader, one follower and one observer, with everything cleared away that earlier
    /// scripts have left. One of them is at home.
    pub(crate) fn cleared(ensemble: &'a Ensemble, home: Mode) -> Result<Site<'a>> {
        let mut members = Vec::new();
        for mode in [Mode::Leader, Mode::Follower, Mode::Observer] {
            let id = ensemble.one_in_mode(mode)?;
            let session = Session::open_as_super(ensemble.server(id))?;
            let [server_byte, ..] = session.id().0.to_be_bytes();
            let given = session.id();
            ensure!(
                i64::from(server_byte) == id.0,
                "server {id} gave the id {given}"
            );
            let server = ensemble.server(id);
            members.push(Member {
                mode,
                server,
                session,
            });
        }
        let at_home = members.iter_mut().find(|member| member.mode == home);
        let at_home = at_home.context("one is at home")?;
        clear(&mut at_home.session)?;
        let home = at_home.server;
        Ok(Site { home, members })
    }

    /// The member of this mode, or the one at home.
    pub(crate) fn server(&self, at: Option<Mode>) -> Result<&'a Server> {
        let Some(mode) = at else {
            return Ok(self.home);
        };
        let member = self.members.iter().find(|member| member.mode == mode);
        Ok(member.context("this server is alone")?.server)
    }

    /// The newest zxid of any member: each has applied what its own clients have seen.
    pub(crate) fn newest(&mut self) -> Result<Zxid> {
        let mut newest = Zxid::ZERO;
        for member in &mut self.members {
            member.session.ping()?;
            newest = newest.max(member.session.last_zxid());
        }
        Ok(newest)
    }

    /// Whether it is an ensemble, whose members may be behind each other.
    pub(crate) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    /// Waits until every member has applied this. A sync would do that too, but an ensemble of ZooKeeper
    /// 3.8.0 that is asked for many of them forgets to answer one after a while.
    pub(crate) fn catch_up(&mut self, zxid: Zxid) -> Result<()> {
        let started = Instant::now();
        for member in &mut self.members {
            while member.session.last_zxid() < zxid {
                ensure!(
                    started.elapsed() < PATIENCE,
                    "{:?} lacks {zxid}",
                    member.mode
                );
                member.session.ping()?;
            }
        }
        Ok(())
    }

    /// Ends the sessions that looked after the members.
    pub(crate) fn leave(self) -> Result<()> {
        let mut sessions = self.members.into_iter().map(|member| member.session);
        sessions.try_for_each(Session::close)
    }
}

/// Deletes all nodes but those that are always there.
fn clear(session: &mut Session) -> Result<()> {
    for child in session.get_children("/")?.children {
        if child != "zookeeper" {
            delete_all(session, &format!("/{child}"))?;
        }
    }
    let quotas = "/zookeeper/quota";
    for child in session.get_children(quotas)?.children {
        delete_all(session, &format!("{quotas}/{child}"))?;
    }
    Ok(())
}

fn delete_all(session: &mut Session, path: &str) -> Result<()> {
    for child in session.get_children(path)?.children {
        delete_all(session, &format!("{path}/{child}"))?;
    }
    session.delete(path, -1)
}

const PATIENCE: Duration = Duration::from_secs(30);
