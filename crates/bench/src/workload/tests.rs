use super::{Mix, MixError, Operation, Random};

/// Picks per operation, in the order of [`Operation::ALL`].
fn picks(mix: &Mix, seed: u64, count: usize) -> [usize; 5] {
    let mut random = Random::new(seed);
    let mut picked = [0; 5];
    for _ in 0..count {
        picked[mix.pick(&mut random).index()] += 1;
    }
    picked
}

#[test]
fn the_mix_comes_in_its_proportions() {
    const COUNT: usize = 100_000;
    for seed in 0..20 {
        let picked = picks(&Mix::mostly_reads(), seed, COUNT);
        for (operation, percent) in Operation::ALL.into_iter().zip([45, 8, 1, 45, 1]) {
            let wanted = COUNT / 100 * percent;
            let off = picked[operation.index()].abs_diff(wanted);
            // Six standard deviations of the widest of the five binomials.
            assert!(
                off < 950,
                "seed {seed}: {} came {off} off",
                operation.name()
            );
        }
    }
}

#[test]
fn a_seed_gives_the_same_picks_again_and_another_seed_others() {
    let sequence = |seed| {
        let mut random = Random::new(seed);
        (0..64)
            .map(|_| Mix::mostly_reads().pick(&mut random))
            .collect::<Vec<_>>()
    };
    assert_eq!(sequence(1), sequence(1));
    assert_ne!(sequence(1), sequence(2));
}

#[test]
fn an_operation_of_weight_zero_never_comes() {
    assert_eq!(
        picks(&Mix::only(Operation::Create), 7, 1000),
        [0, 0, 1000, 0, 0]
    );
    let custom = "set=1,getChildren=3".parse::<Mix>().unwrap();
    let [get, set, create, children, delete] = picks(&custom, 7, 1000);
    assert_eq!([get, create, delete], [0; 3]);
    assert!(set > 150 && children > 600);
}

#[test]
fn what_is_no_mix_is_refused_with_its_reason() {
    let refused = |text: &str| text.parse::<Mix>().unwrap_err();
    assert_eq!(refused("get"), MixError::NoWeight("get".into()));
    assert_eq!(
        refused("exists=1"),
        MixError::UnknownOperation("exists".into())
    );
    assert_eq!(refused("get=x"), MixError::BadWeight("x".into()));
    assert_eq!(refused("get=-1"), MixError::BadWeight("-1".into()));
    assert_eq!(refused("get=0,set=0"), MixError::AllZero);
}
