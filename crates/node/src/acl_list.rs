//! Turning the ACL list of a request into the one that is stored
//! (spec §2.14 "Fix-up"; Java `PrepRequestProcessor.fixupACL`).

use crate::Authenticator;
use zooid_proto::{Acl, AclList, ErrorCode, Id};

/// Removes duplicates, expands `auth`, and checks every entry.
pub(crate) fn fix_up(
    acl: &AclList,
    ids: &[Id],
    authenticator: &Authenticator,
) -> Result<AclList, ErrorCode> {
    if acl.is_open() {
        return Ok(AclList::OPEN);
    }
    let mut fixed: Vec<Acl> = Vec::with_capacity(acl.len());
    for (index, entry) in acl.iter().enumerate() {
        if !acl[..index].contains(entry) {
            expand(entry, ids, authenticator, &mut fixed)?;
        }
    }
    if fixed.is_empty() {
        Err(ErrorCode::InvalidAcl)
    } else {
        Ok(AclList::from(fixed))
    }
}

fn expand(
    entry: &Acl,
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
        fixed.push(entry.clone());
        return Ok(());
    }
    Err(ErrorCode::InvalidAcl)
}

#[cfg(test)]
mod tests;
