//! The table against a list of triples.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
enum Op {
    Add(usize, u64, u8),
    Remove(usize, u64, u8),
    Drop(u64),
    Fire(usize),
}

const PATHS: [&str; 6] = ["/", "/a", "/a/b", "/a/b/c", "/ab", "/d"];

fn op() -> impl Strategy<Value = Op> {
    let (path, watcher, mode) = (0..PATHS.len(), 0..4_u64, 0..3_u8);
    prop_oneof![
        4 => (path.clone(), watcher.clone(), mode).prop_map(|(p, w, m)| Op::Add(p, w, m)),
        1 => (0..PATHS.len(), 0..4_u64, 0..4_u8).prop_map(|(p, w, m)| Op::Remove(p, w, m)),
        1 => watcher.prop_map(Op::Drop),
        2 => path.prop_map(Op::Fire),
    ]
}

fn mode(choice: u8) -> Modes {
    [
        Modes::STANDARD,
        Modes::PERSISTENT,
        Modes::RECURSIVE,
        Modes::ALL,
    ][usize::from(choice)]
}

/// Path, watcher, single mode.
type Triples = BTreeSet<(usize, u64, u8)>;

fn model_fire(triples: &mut Triples, fired: usize) -> Vec<WatcherId> {
    let is_hit = |(path, _, mode): &(usize, u64, u8)| {
        let above = format!("{}/", PATHS[*path].trim_end_matches('/'));
        *path == fired || (*mode == 2 && PATHS[fired].starts_with(&above))
    };
    let hits: BTreeSet<u64> = triples.iter().filter(|t| is_hit(t)).map(|t| t.1).collect();
    triples.retain(|(path, _, mode)| *path != fired || *mode != 0);
    hits.into_iter().map(WatcherId).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_use_of_the_table_is_as_in_a_list(ops in prop::collection::vec(op(), 0..80)) {
        let mut table = WatchTable::default();
        let mut triples = Triples::new();
        for op in ops {
            match op {
                Op::Add(path, watcher, choice) => {
                    let hash = PathHash::of(PATHS[path]);
                    table.add(hash, PATHS[path], WatcherId(watcher), mode(choice));
                    triples.insert((path, watcher, choice));
                }
                Op::Remove(path, watcher, choice) => {
                    let before = triples.len();
                    triples.retain(|t| {
                        t.0 != path || t.1 != watcher || (choice != 3 && t.2 != choice)
                    });
                    let removed = table.remove(PATHS[path], WatcherId(watcher), mode(choice));
                    prop_assert_eq!(removed, triples.len() < before);
                }
                Op::Drop(watcher) => {
                    table.drop_watcher(WatcherId(watcher));
                    triples.retain(|t| t.1 != watcher);
                }
                Op::Fire(path) => {
                    let mut hits = Vec::new();
                    table.fire(PATHS[path], &mut hits);
                    prop_assert_eq!(hits, model_fire(&mut triples, path));
                }
            }
            let pairs: BTreeSet<(usize, u64)> = triples.iter().map(|t| (t.0, t.1)).collect();
            prop_assert_eq!(table.total(), pairs.len());
            prop_assert_eq!(table.recount(), pairs.len());
            let recursive = triples.iter().filter(|t| t.2 == 2).count();
            prop_assert_eq!(table.recursive.load(Relaxed), recursive);
            let by_watcher = table.by_watcher();
            prop_assert_eq!(by_watcher.iter().map(|(_, p)| p.len()).sum::<usize>(), pairs.len());
            for (path, watcher, choice) in &triples {
                prop_assert!(table.has(PATHS[*path], WatcherId(*watcher), mode(*choice)));
            }
        }
    }
}

#[test]
fn ancestors_end_at_the_root() {
    let check = |path: &str, expected: &[&str]| {
        assert_eq!(ancestors(path).collect::<Vec<_>>(), expected);
    };
    check("/a/b/c", &["/a/b", "/a", "/"]);
    check("/a", &["/"]);
    check("/", &[]);
    check("", &[]);
}
