//! A zxid means the same record everywhere, decided or not, behind the same history; and a leader's
//! records stand one behind the other. This is more than Zab promises of what is delivered.

use super::ledger::Ledger;
use crate::cluster::fact::Fact;
use bytes::Bytes;
use std::collections::BTreeMap;
use zooid_proto::{PacketType, Txn, TxnRecord, Zxid};

#[derive(Debug, Default)]
pub(crate) struct Records {
    records: BTreeMap<Zxid, (Bytes, TxnRecord)>,
    predecessors: BTreeMap<Zxid, Option<Zxid>>,
}

impl Records {
    /// What a zxid is, if anyone has it.
    pub(crate) fn record(&self, zxid: Zxid) -> Option<&TxnRecord> {
        self.records.get(&zxid).map(|(_, record)| record)
    }

    pub(crate) fn observe(&mut self, fact: &Fact<'_>, ledger: &Ledger) -> Result<(), String> {
        match fact {
            Fact::Appended {
                member,
                zxid,
                record,
            } => {
                self.same_record(*zxid, record)?;
                self.same_place(*zxid, ledger.book(*member).appended.last().copied())
                    .map_err(|what| format!("member {member}: {what}"))
            }
            Fact::Applied { member, record, .. } => {
                let zxid = record.header.zxid;
                let known = self.record(zxid);
                // A follower says in its own words why a session of its own was refused.
                let is_refusal = |record: &TxnRecord| matches!(record.txn, Txn::Error(_));
                let both_refuse = is_refusal(record) && known.is_some_and(is_refusal);
                if known != Some(*record) && !both_refuse {
                    return Err(format!("member {member} applies another {zxid}"));
                }
                self.same_place(zxid, ledger.book(*member).applied.last().copied())
                    .map_err(|what| format!("member {member} applies out of order: {what}"))
            }
            Fact::Packet { packet, .. }
                if matches!(packet.kind, PacketType::Proposal | PacketType::Inform) =>
            {
                self.same_record(packet.zxid, packet.data.as_ref().unwrap_or(&Bytes::new()))
            }
            _ => Ok(()),
        }
    }

    fn same_record(&mut self, zxid: Zxid, record: &Bytes) -> Result<(), String> {
        if let Some((known, _)) = self.records.get(&zxid) {
            if known == record {
                return Ok(());
            }
            return Err(format!("{zxid} is two different records"));
        }
        let decoded = TxnRecord::decode(record).map_err(|err| format!("{zxid}: {err}"))?;
        self.records.insert(zxid, (record.clone(), decoded));
        Ok(())
    }

    fn same_place(&mut self, zxid: Zxid, previous: Option<Zxid>) -> Result<(), String> {
        let is_first = zxid.counter() == 1;
        let fits = match previous {
            Some(previous) if is_first => previous.epoch() < zxid.epoch(),
            Some(previous) => previous.next() == zxid,
            None => is_first,
        };
        let known = *self.predecessors.entry(zxid).or_insert(previous);
        if fits && known == previous {
            Ok(())
        } else {
            Err(format!(
                "{zxid} stands behind {previous:?}, elsewhere behind {known:?}"
            ))
        }
    }
}
