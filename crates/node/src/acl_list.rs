//! Turning the ACL list of a request into the one that is stored
//! (spec §2.14 "Fix-up"; Java `PrepRequestProcessor.fixupACL`).

use crate::Authenticator;
use zooid_proto::{Acl, ErrorCode, Id};

/// Removes duplicates, expands `auth`, and checks every entry.
pub(crate) fn fix_up(
    acl: Vec<Acl>,
    ids: &[Id],
    authenticator: &Authenticator,
) -> Result<Vec<Acl>, ErrorCode> {
    let mut fixed: Vec<Acl> = Vec::with_capacity(acl.len());
    let mut seen: Vec<Acl> = Vec::with_capacity(acl.len());
    for entry in acl {
        if seen.contains(&entry) {
            continue;
        }
        seen.push(entry.clone());
        expand(entry, ids, authenticator, &mut fixed)?;
    }
    if fixed.is_empty() {
        Err(ErrorCode::InvalidAcl)
    } else {
        Ok(fixed)
    }
}

fn expand(
    entry: Acl,
    ids: &[Id],
    authenticator: &Authenticator,
    fixed: &mut Vec<Acl>,
) -> Result<(), ErrorCode> {
    let Some(scheme) = &entry.id.scheme else {
        return Err(ErrorCode::InvalidAcl);
    };
    if scheme == "auth" {
        let proven = ids
            .iter()
            .filter(|id| authenticator.is_authenticated(id.scheme()));
        let before = fixed.len();
        fixed.extend(proven.map(|id| Acl {
            perms: entry.perms,
            id: id.clone(),
        }));
        return if fixed.len() > before {
            Ok(())
        } else {
            Err(ErrorCode::InvalidAcl)
        };
    }
    if !authenticator.knows(scheme) {
        return Err(ErrorCode::InvalidAcl);
    }
    // Java trips over a null id where it looks at the id: at every scheme but `auth`.
    let Some(id) = &entry.id.id else {
        return Err(ErrorCode::MarshallingError);
    };
    if entry.id.is_anyone() || authenticator.is_valid(scheme, id) {
        fixed.push(entry);
        return Ok(());
    }
    Err(ErrorCode::InvalidAcl)
}

#[cfg(test)]
mod tests;
