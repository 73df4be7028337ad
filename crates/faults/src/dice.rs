//! Everything that is drawn in a run, from one seed.

/// A generator of numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Other dice, whose throws change nothing here.
    #[must_use]
    pub fn split(&mut self) -> Dice {
        Dice(self.next())
    }

    /// A number below this one.
    ///
    /// # Panics
    /// When there is none.
    pub fn below(&mut self, end: usize) -> usize {
        assert!(end > 0, "there is no number below 0");
        let end = u64::try_from(end).expect("64 bits hold a usize");
        usize::try_from(self.next() % end).expect("it is below a usize")
    }

    /// Whether it hits, so many times of a hundred.
    pub fn hits(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<T: Copy>(&mut self, these: &[T]) -> T {
        these[self.below(these.len())]
    }

    /// In another order.
    #[must_use]
    pub fn shuffled<T: Copy>(&mut self, these: &[T]) -> Vec<T> {
        let mut rest = these.to_vec();
        let mut shuffled = Vec::new();
        while !rest.is_empty() {
            shuffled.push(rest.swap_remove(self.below(rest.len())));
        }
        shuffled
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
