//! Java's spelling of dates and addresses.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::net::{IpAddr, SocketAddr};

/// `java.util.Date.toString`.
pub(crate) fn date(wall_ms: i64, zone: TimeZone) -> String {
    let instant = Timestamp::from_millisecond(wall_ms).unwrap_or(Timestamp::MAX);
    instant
        .to_zoned(zone)
        .strftime("%a %b %d %H:%M:%S %Z %Y")
        .to_string()
}

/// `java.net.InetSocketAddress.toString` of an address without a name.
pub(crate) fn socket_address(address: &SocketAddr) -> String {
    let ip = ip_address(address.ip());
    match address.ip().to_canonical() {
        IpAddr::V4(_) => format!("/{ip}:{}", address.port()),
        IpAddr::V6(_) => format!("/[{ip}]:{}", address.port()),
    }
}

/// `java.net.InetAddress.getHostAddress`: IPv6 in full, without `::`.
pub(crate) fn ip_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => v6
            .segments()
            .map(|segment| format!("{segment:x}"))
            .join(":"),
    }
}

#[cfg(test)]
mod tests;
