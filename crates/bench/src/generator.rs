//! What one connection asks for: the choice of operation and node, and the encoding.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use zooid_proto::request::{CreateRequest, PathVersion, PathWatch, SetDataRequest};
use zooid_proto::{CreateMode, Jute, MultiHeader, OpCode, RequestHeader};

use crate::frame::put_frame;
use crate::nodes::{Nodes, create_request};
use crate::plan::Plan;
use crate::workload::{Mix, Operation, Random};

/// Produces one connection's requests. The same plan and connection give the same requests.
#[derive(Debug)]
pub(crate) struct Generator {
    nodes: Arc<Nodes>,
    mix: Mix,
    random: Random,
    /// The keys that this connection uses.
    keys: Range<usize>,
    /// Creates in one multi.
    batch: usize,
    nursery: usize,
    /// Nodes `deleted..created` of the nursery exist once all that was sent has been executed.
    created: u64,
    deleted: u64,
    /// Reused, so that encoding allocates nothing.
    read: String,
    create: CreateRequest,
    set: SetDataRequest,
    delete: PathVersion,
}

impl Generator {
    pub(crate) fn new(plan: &Plan, nodes: Arc<Nodes>, connection: usize) -> Generator {
        // Successive outputs of a seeded generator seed the connections' own.
        let mut seeds = Random::new(plan.seed);
        let seed = (0..connection).fold(seeds.next(), |_, _| seeds.next());
        let keys = if plan.own_keys {
            let share = |n: usize| nodes.keys.len() * n / plan.connections;
            share(connection)..share(connection + 1)
        } else {
            0..nodes.keys.len()
        };
        Generator {
            mix: plan.workload.mix.clone(),
            random: Random::new(seed),
            keys,
            batch: plan.batch,
            nursery: connection,
            created: 0,
            deleted: 0,
            read: String::new(),
            create: create_request("", &nodes.value, CreateMode::Persistent),
            set: SetDataRequest {
                path: String::new(),
                data: Some(nodes.value.clone()),
                version: -1,
            },
            delete: PathVersion {
                path: String::new(),
                version: -1,
            },
            nodes,
        }
    }

    /// Appends the next request and says what it is.
    pub(crate) fn put_next(&mut self, xid: i32, out: &mut Vec<u8>) -> Operation {
        let operation = match self.mix.pick(&mut self.random) {
            // Its session's order makes it safe to delete what was only just asked for, but
            // something must have been.
            Operation::Delete if self.deleted == self.created => Operation::Create,
            picked => picked,
        };
        let op = operation.op_code().code();
        put_frame(out, |out| {
            RequestHeader { xid, op }.encode(out);
            self.put_body(operation, out);
        });
        operation
    }

    fn put_body(&mut self, operation: Operation, out: &mut Vec<u8>) {
        match operation {
            Operation::Get => {
                let key = self.pick_key();
                self.nodes.keys.put_path(key, &mut self.read);
                put_read(&self.read, out);
            }
            Operation::GetChildren => put_read(&self.nodes.listed, out),
            Operation::Set => {
                let key = self.pick_key();
                self.nodes.keys.put_path(key, &mut self.set.path);
                self.set.encode(out);
            }
            Operation::Create => self.put_create(out),
            Operation::Multi => {
                for _ in 0..self.batch {
                    CREATE_IN_MULTI.encode(out);
                    self.put_create(out);
                }
                END_OF_MULTI.encode(out);
            }
            Operation::Delete => {
                let nursery = &self.nodes.nurseries[self.nursery];
                name_child(&mut self.delete.path, nursery, self.deleted);
                self.deleted += 1;
                self.delete.encode(out);
            }
        }
    }

    fn put_create(&mut self, out: &mut Vec<u8>) {
        let nursery = &self.nodes.nurseries[self.nursery];
        name_child(&mut self.create.path, nursery, self.created);
        self.created += 1;
        self.create.encode(out);
    }

    fn pick_key(&mut self) -> usize {
        let count = u64::try_from(self.keys.len()).expect("a count of nodes fits 64 bits");
        let offset = self.random.below(count);
        self.keys.start + usize::try_from(offset).expect("below a length")
    }
}

/// Precedes each create of a multi.
const CREATE_IN_MULTI: MultiHeader = MultiHeader {
    op: OpCode::Create.code(),
    done: false,
    err: -1,
};

const END_OF_MULTI: MultiHeader = MultiHeader {
    op: -1,
    done: true,
    err: -1,
};

fn put_read(path: &str, out: &mut Vec<u8>) {
    let request = PathWatch {
        path: path.into(),
        watch: false,
    };
    request.encode(out);
}

fn name_child(path: &mut String, parent: &str, number: u64) {
    path.clear();
    path.push_str(parent);
    write!(path, "/n{number}").expect("a String takes everything");
}
