//! How many clients may open sessions in a time (spec §7.3, `connection_throttle_*`; Java
//! `BlueThrottle`): a bucket of tokens, which fills with time and from which each connect request takes
//! some. Optionally a share of the requests is refused at random, and the longer the bucket is empty
//! the larger it gets (the BLUE algorithm), so that a crowd that comes back does not do so at once.

use zooid_config::ConnectionThrottleOptions;

/// See the module.
#[derive(Debug)]
pub(crate) struct ConnectionThrottle {
    options: ConnectionThrottleOptions,
    tokens_max: u64,
    fill_count: u64,
    tokens: u64,
    filled_ms: i64,
    drop_probability: f64,
    /// When the probability was last looked at.
    adjusted_ms: i64,
}

/// What a client wants, which decides the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    GlobalSession,
    LocalSession,
    /// To come back to a session.
    Renewal,
}

/// No session for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

impl ConnectionThrottle {
    pub(crate) fn new(options: ConnectionThrottleOptions, now_ms: i64) -> ConnectionThrottle {
        // With weights, the numbers that are configured are of global sessions.
        let unit = if options.weight_enabled {
            price_of_global(&options)
        } else {
            1
        };
        let tokens_max = options.tokens.map_or(0, u64::from) * unit;
        ConnectionThrottle {
            tokens_max,
            fill_count: u64::from(options.fill_count) * unit,
            tokens: tokens_max,
            filled_ms: now_ms,
            drop_probability: 0.0,
            adjusted_ms: now_ms,
            options,
        }
    }

    /// Lets a client in or does not; `chance` is a random number from 0 up to, not including, 1.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn admit(&mut self, wish: Wish, now_ms: i64, chance: f64) -> Result<(), Refused> {
        if self.tokens_max == 0 {
            return Ok(());
        }
        self.fill(now_ms);
        self.adjust_drop_probability(now_ms);
        if chance < self.drop_probability {
            return Err(Refused);
        }
        self.tokens = self.tokens.checked_sub(self.price(wish)).ok_or(Refused)?;
        Ok(())
    }

    /// The share of requests that is refused at random.
    pub(crate) fn drop_probability(&self) -> f64 {
        self.drop_probability
    }

    /// How many tokens a full bucket has more.
    pub(crate) fn deficit(&self) -> u64 {
        self.tokens_max - self.tokens
    }

    fn price(&self, wish: Wish) -> u64 {
        if !self.options.weight_enabled {
            return 1;
        }
        let local = price_of_local(&self.options);
        match wish {
            Wish::GlobalSession => price_of_global(&self.options),
            Wish::LocalSession => local,
            Wish::Renewal => weight(self.options.renew_session_weight, DEFAULT_RENEWAL).max(local),
        }
    }

    fn fill(&mut self, now_ms: i64) {
        let elapsed_ms = elapsed(self.filled_ms, now_ms);
        if elapsed_ms > self.options.fill_time_ms {
            let new = elapsed_ms.saturating_mul(self.fill_count) / self.options.fill_time_ms.max(1);
            self.tokens = self.tokens.saturating_add(new).min(self.tokens_max);
            self.filled_ms = now_ms;
        }
    }

    fn adjust_drop_probability(&mut self, now_ms: i64) {
        let Some(freeze_time_ms) = self.options.freeze_time_ms else {
            return;
        };
        if elapsed(self.adjusted_ms, now_ms) <= freeze_time_ms {
            return;
        }
        self.adjusted_ms = now_ms;
        let probability = self.drop_probability;
        if self.tokens == 0 {
            self.drop_probability = (probability + self.options.drop_increase).min(1.0);
        } else if self.has_enough() {
            self.drop_probability = (probability - self.options.drop_decrease).max(0.0);
        }
    }

    /// Whether so little is missing that fewer requests need to be refused.
    fn has_enough(&self) -> bool {
        let share = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        share(self.deficit()) <= (share(self.tokens_max) * self.options.decrease_ratio).round()
    }
}

fn elapsed(since_ms: i64, now_ms: i64) -> u64 {
    u64::try_from(now_ms - since_ms).unwrap_or(0)
}

/// Java warns of a weight that is not positive, and takes the default.
fn weight(configured: u32, default: u64) -> u64 {
    match configured {
        0 => default,
        weight => u64::from(weight),
    }
}

fn price_of_local(options: &ConnectionThrottleOptions) -> u64 {
    weight(options.local_session_weight, DEFAULT_LOCAL)
}

fn price_of_global(options: &ConnectionThrottleOptions) -> u64 {
    weight(options.global_session_weight, DEFAULT_GLOBAL).max(price_of_local(options))
}

const DEFAULT_GLOBAL: u64 = 3;
const DEFAULT_RENEWAL: u64 = 2;
const DEFAULT_LOCAL: u64 = 1;

#[cfg(test)]
mod tests;
