//! Whether an access control list permits an access (spec §2.14; Java
//! `ZooKeeperServer.checkACL`, `IPAuthenticationProvider.matches`).

use zooid_proto::{AclList, Id};

const IPV4_LEN: usize = 4;
const IPV6_LEN: usize = 16;
const IPV6_GROUPS: usize = 8;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// The connection's identities.
    pub ids: &'a [Id],
    /// `zookeeper.skipACL`: everything is permitted.
    pub skip_acl: bool,
}

impl Access<'_> {
    /// An access that no list denies: the server's own.
    pub const UNCHECKED: Access<'static> = Access {
        ids: &[],
        skip_acl: true,
    };
}

/// Whether `acl` grants any of the bits in `perm` to one of the asking identities.
#[must_use]
pub fn permits(acl: &AclList, perm: i32, access: &Access<'_>) -> bool {
    if access.skip_acl || acl.is_open() || acl.is_empty() {
        return true;
    }
    let mut granting = acl.iter().filter(|entry| entry.perms & perm != 0);
    granting.any(|entry| entry.id.is_anyone() || access.ids.iter().any(|id| matches(id, &entry.id)))
        || access.ids.iter().any(|id| id.scheme() == "super")
}

fn matches(asking: &Id, granted: &Id) -> bool {
    if asking.scheme() != granted.scheme() {
        return false;
    }
    match granted.scheme() {
        "ip" => ip_matches(asking.id(), granted.id()),
        "sasl" => asking.id() == "super" || asking.id() == granted.id(),
        "digest" | "x509" => asking.id() == granted.id(),
        // `world` is decided by the caller; `ensemble` and unknown schemes never match.
        _ => false,
    }
}

/// Whether an address lies in `network`, an address with or without `/bits`.
#[must_use]
pub fn ip_matches(address: &str, network: &str) -> bool {
    let Some((network, bits)) = parse_network(network) else {
        return false;
    };
    // A scope names an interface of this host, and is no part of the address.
    let unscoped = address.split_once('%').map_or(address, |(head, _)| head);
    let Some(address) = parse_address(unscoped) else {
        return false;
    };
    let masked = |octets: &[u8]| -> Vec<u8> { mask(octets, bits) };
    address.len() == network.len() && masked(&address) == masked(&network)
}

/// Whether `network` is something that [`ip_matches`] understands.
#[must_use]
pub fn is_network(network: &str) -> bool {
    parse_network(network).is_some()
}

fn parse_network(text: &str) -> Option<(Vec<u8>, usize)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let octets = parse_address(address)?;
    let width = octets.len() * 8;
    let bits = match bits {
        Some(bits) => usize::try_from(parse_java_int(bits, 10)?).ok()?,
        None => width,
    };
    (bits <= width).then_some((octets, bits))
}

fn parse_address(text: &str) -> Option<Vec<u8>> {
    if text.contains(':') {
        parse_ipv6(text)
    } else {
        parse_ipv4(text)
    }
}

fn parse_ipv4(text: &str) -> Option<Vec<u8>> {
    let octets: Option<Vec<u8>> = text
        .split('.')
        .map(|part| u8::try_from(parse_java_int(part, 10)?).ok())
        .collect();
    octets.filter(|octets| octets.len() == IPV4_LEN)
}

fn parse_ipv6(text: &str) -> Option<Vec<u8>> {
    let groups = match text.split_once("::") {
        None => parse_groups(text)?,
        Some((_, tail)) if tail.contains("::") => return None,
        Some((head, tail)) => {
            let mut groups = parse_groups(head)?;
            let tail = parse_groups(tail)?;
            let zeros = IPV6_GROUPS.checked_sub(groups.len() + tail.len())?;
            if zeros == 0 {
                return None;
            }
            groups.resize(groups.len() + zeros, 0);
            groups.extend(tail);
            groups
        }
    };
    let octets: Vec<u8> = groups
        .iter()
        .flat_map(|group| group.to_be_bytes())
        .collect();
    (octets.len() == IPV6_LEN).then_some(octets)
}

fn parse_groups(text: &str) -> Option<Vec<u16>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let group = |part: &str| match part.len() {
        1..=4 => u16::try_from(parse_java_int(part, 16)?).ok(),
        _ => None,
    };
    text.split(':').map(group).collect()
}

/// As Java's `Integer.parseInt`, which takes a sign.
fn parse_java_int(text: &str, radix: u32) -> Option<i32> {
    i32::from_str_radix(text, radix).ok()
}

fn mask(octets: &[u8], bits: usize) -> Vec<u8> {
    let keep = |(index, octet): (usize, &u8)| match bits.saturating_sub(index * 8) {
        0 => 0,
        left @ 1..=7 => octet & !(0xff >> left),
        _ => *octet,
    };
    octets.iter().enumerate().map(keep).collect()
}

#[cfg(test)]
mod tests;
