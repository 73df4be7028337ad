//! Which operations are sent, in which proportions.

use std::str::FromStr;

use zooid_proto::OpCode;

/// An operation that the generator sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Get,
    Set,
    Create,
    GetChildren,
    Delete,
    /// Many creates in one transaction.
    Multi,
}

/// Relative frequencies of operations; at least one is not zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mix {
    weights: [u32; Operation::ALL.len()],
    total: u64,
}

/// Why a text is not a [`Mix`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MixError {
    #[error("'{0}' is not of the form operation=weight")]
    NoWeight(String),
    #[error("unknown operation '{0}'; known are get, set, create, getChildren, delete, multi")]
    UnknownOperation(String),
    #[error("'{0}' is not a weight; expected a whole number")]
    BadWeight(String),
    #[error("every weight is zero")]
    AllZero,
}

impl Operation {
    pub(crate) const ALL: [Operation; 6] = [
        Operation::Get,
        Operation::Set,
        Operation::Create,
        Operation::GetChildren,
        Operation::Delete,
        Operation::Multi,
    ];

    /// Its place in [`Operation::ALL`].
    pub(crate) fn index(self) -> usize {
        match self {
            Operation::Get => 0,
            Operation::Set => 1,
            Operation::Create => 2,
            Operation::GetChildren => 3,
            Operation::Delete => 4,
            Operation::Multi => 5,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Get => "get",
            Operation::Set => "set",
            Operation::Create => "create",
            Operation::GetChildren => "getChildren",
            Operation::Delete => "delete",
            Operation::Multi => "multi",
        }
    }

    pub(crate) fn op_code(self) -> OpCode {
        match self {
            Operation::Get => OpCode::GetData,
            Operation::Set => OpCode::SetData,
            Operation::Create => OpCode::Create,
            Operation::GetChildren => OpCode::GetChildren,
            Operation::Delete => OpCode::Delete,
            Operation::Multi => OpCode::Multi,
        }
    }
}

impl Mix {
    /// Nothing but `operation`.
    pub(crate) fn only(operation: Operation) -> Mix {
        let mut weights = [0; Operation::ALL.len()];
        weights[operation.index()] = 1;
        Mix { weights, total: 1 }
    }

    /// What a service that mostly reads its configuration and lists its peers does: 1 % create,
    /// 8 % set, 45 % get, 45 % getChildren, 1 % delete.
    pub(crate) fn mostly_reads() -> Mix {
        let weights = [45, 8, 1, 45, 1, 0];
        Mix {
            weights,
            total: 100,
        }
    }

    pub(crate) fn weight(&self, operation: Operation) -> u32 {
        self.weights[operation.index()]
    }

    pub(crate) fn has(&self, operation: Operation) -> bool {
        self.weight(operation) > 0
    }

    pub(crate) fn pick(&self, random: &mut Random) -> Operation {
        let mut point = random.below(self.total);
        for operation in Operation::ALL {
            let weight = u64::from(self.weight(operation));
            if point < weight {
                return operation;
            }
            point -= weight;
        }
        unreachable!("the point lies below the sum of the weights")
    }
}

impl FromStr for Mix {
    type Err = MixError;

    fn from_str(text: &str) -> Result<Mix, MixError> {
        let mut weights = [0; Operation::ALL.len()];
        for part in text.split(',') {
            let (name, weight) = part
                .split_once('=')
                .ok_or_else(|| MixError::NoWeight(part.into()))?;
            let operation = Operation::ALL
                .into_iter()
                .find(|operation| operation.name() == name)
                .ok_or_else(|| MixError::UnknownOperation(name.into()))?;
            weights[operation.index()] = weight
                .parse()
                .map_err(|_| MixError::BadWeight(weight.into()))?;
        }
        match weights.iter().copied().map(u64::from).sum() {
            0 => Err(MixError::AllZero),
            total => Ok(Mix { weights, total }),
        }
    }
}

/// A small seeded generator (SplitMix64): the same seed gives the same requests.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = self.state;
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("the high half of a product of two 64-bit numbers")
    }
}

#[cfg(test)]
mod tests;
