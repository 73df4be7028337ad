//! A node before it is in the tree.

use super::{Shape, concat};
use crate::path_hash::PathHash;
use zooid_proto::StatPersisted;

/// What of a new node can be made without the tree, which is most of the work.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(super) hash: PathHash,
    pub(super) name_len: usize,
    pub(super) name_and_data: Box<[u8]>,
    has_data: bool,
    pub(super) stat: StatPersisted,
    pub(super) digest: Option<u32>,
}

impl Draft {
    /// Of the path's hash, the name at its end, and what the node counts for in the tree's digest, if it is
    /// part of that.
    pub(crate) fn new(
        hash: PathHash,
        name: &str,
        data: Option<&[u8]>,
        stat: StatPersisted,
        digest: Option<u32>,
    ) -> Draft {
        Draft {
            hash,
            name_len: name.len(),
            name_and_data: concat(name.as_bytes(), data.unwrap_or_default()),
            has_data: data.is_some(),
            stat,
            digest,
        }
    }

    pub(crate) fn data_len(&self) -> usize {
        self.name_and_data.len() - self.name_len
    }

    pub(crate) fn stat(&self) -> &StatPersisted {
        &self.stat
    }

    pub(crate) fn digest(&self) -> Option<u32> {
        self.digest
    }

    pub(super) fn shape(&self) -> Shape {
        let name_len = u32::try_from(self.name_len).ok();
        let name_len = name_len.filter(|len| *len <= Shape::NAME_LEN);
        let mut shape = Shape(name_len.expect("names are checked before insertion"));
        shape.set(Shape::NULL_DATA, !self.has_data);
        shape.set(Shape::COUNTED, self.digest.is_some());
        shape
    }
}
