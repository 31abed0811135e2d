//! What the system says of its gateways and name servers, and what a look at all of them proves. Pure.

use std::net::{IpAddr, Ipv4Addr};

use fleetglass_shared::wire::{EgressProbe, EgressState};

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An address of the config.
    Address,
    /// A gateway, or that there is none.
    Gateway,
    /// A name server.
    NameServer,
}

/// The default gateways of `/proc/net/route`.
pub(super) fn gateways(table: &str) -> Vec<Ipv4Addr> {
    const UP: u32 = 1;
    let hex = |text: &str| u32::from_str_radix(text, 16).ok();
    let mut found: Vec<Ipv4Addr> = Vec::new();
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, destination, gateway, flags, _, _, _, mask, ..] = fields.as_slice() else { continue };
        let (Some(0), Some(gateway), Some(flags), Some(0)) =
            (hex(destination), hex(gateway), hex(flags), hex(mask))
        else {
            continue;
        };
        // The kernel prints the bytes in the machine's order, and a link without a gateway as 0.
        let gateway = Ipv4Addr::from(gateway.to_ne_bytes());
        if flags & UP != 0 && !found.contains(&gateway) {
            found.push(gateway);
        }
    }
    found
}

/// Whether `/proc/net/ipv6_route` has a default route that leaves the machine.
pub(super) fn has_ipv6_default(table: &str) -> bool {
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [destination, length, _, _, _, _, _, _, _, device] = fields.as_slice() else { return false };
        destination.bytes().all(|byte| byte == b'0') && *length == "00" && *device != "lo"
    })
}

/// The name servers of `/etc/resolv.conf`.
pub(super) fn name_servers(text: &str) -> Vec<IpAddr> {
    let server = |line: &str| {
        let mut words = line.split_whitespace();
        let address = words.next().filter(|word| *word == "nameserver").and(words.next())?;
        address.split('%').next()?.parse().ok()
    };
    text.lines().filter_map(server).collect()
}

/// What a look proves. Addresses of the config decide alone. Of this machine's own network, name servers do, for
/// most stand beyond the gateway; a gateway that answers shows only that the cable is in.
pub(super) fn verdict(probes: &[(Kind, EgressProbe)]) -> EgressState {
    let of = |kind: Kind| {
        let reached = probes.iter().filter(move |(own, _)| *own == kind).map(|(_, probe)| probe.reached);
        reached.collect::<Vec<_>>()
    };
    let decided = |reached: &[Option<bool>]| match reached {
        _ if reached.contains(&Some(true)) => EgressState::Up,
        [] => EgressState::Unknown,
        _ if reached.contains(&None) => EgressState::Unknown,
        _ => EgressState::Down,
    };
    let (addresses, gateways) = (of(Kind::Address), of(Kind::Gateway));
    if !addresses.is_empty() {
        return decided(&addresses);
    }
    if decided(&gateways) == EgressState::Down {
        return EgressState::Down;
    }
    // One on this machine tells nothing.
    let servers: Vec<_> = of(Kind::NameServer).into_iter().filter(Option::is_some).collect();
    decided(&servers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_tables_are_read() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
                     down\t00000000\t020011AC\t0002\t0\t0\t0\t00000000\t0\t0\t0\n\
                     half\t00000000\t030011AC\t0003\t0\t0\t0\t00000080\t0\t0\t0\nnonsense\n";
        if cfg!(target_endian = "little") {
            assert_eq!(gateways(table), [Ipv4Addr::new(172, 17, 0, 1)]);
        }
        assert!(gateways("Iface\n").is_empty());
        let default = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
                       fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0";
        assert!(has_ipv6_default(default));
        assert!(!has_ipv6_default(&default.replace("eth0", "lo")));
        assert!(!has_ipv6_default(&default.replacen(" 00 ", " 40 ", 1)));
        let servers =
            name_servers("# nameserver 1.1.1.1\nsearch lan\nnameserver 10.0.0.2\nnameserver fe80::1%eth0\n");
        assert_eq!(
            servers,
            ["10.0.0.2".parse::<IpAddr>(), "fe80::1".parse()].map(|ip| ip.unwrap_or([0, 0, 0, 0].into()))
        );
    }

    #[test]
    fn we_are_to_blame_only_when_all_that_can_tell_says_so() {
        use EgressState::{Down, Unknown, Up};
        use Kind::{Address, Gateway, NameServer};
        for (probes, expected) in [
            (&[(Address, Some(false)), (Address, Some(false))][..], Down),
            (&[(Address, Some(false)), (Address, Some(true))], Up),
            (&[(Gateway, Some(false))], Down),
            (&[(Gateway, Some(false)), (NameServer, None)], Down),
            (&[(Gateway, Some(true)), (NameServer, Some(false))], Down),
            (&[(Gateway, None), (NameServer, Some(true))], Up),
            (&[(Gateway, None), (NameServer, Some(false)), (NameServer, Some(true))], Up),
            // A gateway that answers is not the world, and one that is silent may never answer.
            (&[(Gateway, Some(true)), (NameServer, None)], Unknown),
            (&[(Gateway, None)], Unknown),
            (&[], Unknown),
        ] {
            let probes: Vec<_> = probes
                .iter()
                .map(|(kind, reached)| {
                    (*kind, EgressProbe { of: String::new(), reached: *reached, text: String::new() })
                })
                .collect();
            assert_eq!(verdict(&probes), expected, "{probes:?}");
        }
    }
}
