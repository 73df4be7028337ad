//! Fresh trees, digests and counts.

use super::*;
use crate::tree::TreeOptions;
use zooid_proto::OwnerRules;

#[test]
fn a_fresh_tree_has_zookeepers_digest_and_counts() {
    let options = TreeOptions {
        digest: true,
        owner_rules: OwnerRules::default(),
    };
    let replica = Replica::new(options);
    assert_eq!(replica.digest(), 1_371_985_504);
    assert_eq!(replica.node_count(), 5);
    assert_eq!(replica.approximate_data_size(), 44);
    assert_eq!(replica.last_zxid(), Zxid::ZERO);
}
