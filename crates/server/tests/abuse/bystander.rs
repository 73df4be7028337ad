//! A client that has done nothing wrong, and must not notice what others do.

use crate::zooid::Zooid;
use std::collections::BTreeMap;
use zooid_interop::{Session, anyone};
use zooid_proto::CreateMode;

const TIMEOUT_MS: i32 = 40_000;

/// Writes values and remembers which were acknowledged.
pub(crate) struct Bystander {
    session: Session,
    prefix: &'static str,
    acknowledged: BTreeMap<String, Vec<u8>>,
}

impl Bystander {
    pub(crate) fn arrive(zooid: &Zooid) -> Bystander {
        Bystander::arrive_with(zooid, "/kept")
    }

    /// Another one, on a server that has had one.
    pub(crate) fn arrive_again(zooid: &Zooid) -> Bystander {
        Bystander::arrive_with(zooid, "/again")
    }

    fn arrive_with(zooid: &Zooid, prefix: &'static str) -> Bystander {
        let session = Session::open(zooid.address, TIMEOUT_MS).expect("a session");
        let mut bystander = Bystander {
            session,
            prefix,
            acknowledged: BTreeMap::new(),
        };
        bystander.write();
        bystander
    }

    /// Creates one more node.
    pub(crate) fn write(&mut self) {
        let value = format!("value {}", self.acknowledged.len()).into_bytes();
        self.write_value(value).expect("the server goes on serving");
    }

    /// Creates one more node, if the server is still there to acknowledge it.
    pub(crate) fn write_value(&mut self, value: Vec<u8>) -> anyhow::Result<()> {
        let path = format!("{}-{:05}", self.prefix, self.acknowledged.len());
        self.session
            .create(&path, Some(&value), &anyone(), CreateMode::Persistent)?;
        self.acknowledged.insert(path, value);
        Ok(())
    }

    /// Goes to the server and back.
    pub(crate) fn ping(&mut self) {
        self.session.ping().expect("the server goes on serving");
    }

    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Checks that the server still takes writes and has lost none.
    pub(crate) fn assert_unharmed(&mut self) {
        self.write();
        Acknowledged(self.acknowledged.clone()).assert_in(&mut self.session);
    }

    /// What must be there from now on.
    pub(crate) fn leave(self) -> Acknowledged {
        Acknowledged(self.acknowledged)
    }
}

/// Writes that were acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged(BTreeMap<String, Vec<u8>>);

impl Acknowledged {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Checks that a server has all of them.
    pub(crate) fn assert_on(&self, zooid: &Zooid) {
        self.assert_in(&mut Session::open(zooid.address, TIMEOUT_MS).expect("a session"));
    }

    fn assert_in(&self, session: &mut Session) {
        for (path, value) in &self.0 {
            let found = session.get_data(path).expect("an acknowledged node");
            assert_eq!(found.data.as_deref(), Some(&value[..]), "{path}");
        }
    }
}
