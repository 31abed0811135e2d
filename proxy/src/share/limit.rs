//! How fast those who look through links may ask: a bucket of tokens for each address, and one for each link.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    net::IpAddr,
};

use fleetglass_shared::health::UnixMillis;
use parking_lot::Mutex;

use crate::config::ShareConfig;

/// So many buckets are kept of either kind.
const MOST: usize = 4_096;
/// How many seconds' worth a bucket holds.
const DEPTH: f64 = 10.0;

/// The buckets.
#[derive(Debug)]
pub struct Limits {
    config: ShareConfig,
    addresses: Mutex<HashMap<u64, Bucket>>,
    links: Mutex<HashMap<u64, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: f64,
    at: UnixMillis,
}

impl Limits {
    /// Full buckets.
    pub fn new(config: ShareConfig) -> Self {
        Self { config, addresses: Mutex::default(), links: Mutex::default() }
    }

    /// Takes one request of an address for a link. Whether there is such a link makes no difference.
    ///
    /// # Errors
    /// After so many seconds there is room again.
    pub fn take(&self, ip: IpAddr, token: &str, now: UnixMillis) -> Result<(), u64> {
        take(&mut self.addresses.lock(), keyed(place(ip)), self.config.requests_per_second, now)?;
        take(&mut self.links.lock(), keyed(token), self.config.link_requests_per_second, now)
    }

    /// Charges for the panels of a request beyond the first, which was taken with the request itself. To the link each is
    /// a request; to the address a quarter of one, for an office shares it, and has its panels asked for together so as
    /// to ask less. So one address cannot use up what a link has. Whoever cannot pay now pays before the next request.
    pub fn charge(&self, ip: IpAddr, token: &str, panels: usize, now: UnixMillis) {
        let more = panels.saturating_sub(1) as f64;
        let Self { config, addresses, links } = self;
        pay(&mut addresses.lock(), keyed(place(ip)), config.requests_per_second, more / 4.0, now);
        pay(&mut links.lock(), keyed(token), config.link_requests_per_second, more, now);
    }
}

/// Whoever has one address of IPv6 has all of its network.
fn place(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(ip.to_bits() >> 64, |ip| u128::from(ip.to_bits())),
    }
}

fn keyed(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn take(buckets: &mut HashMap<u64, Bucket>, key: u64, per_second: u32, now: UnixMillis) -> Result<(), u64> {
    let rate = f64::from(per_second);
    let bucket = filled(buckets, key, rate, now);
    if bucket.level < 1.0 {
        return Err(((1.0 - bucket.level) / rate).ceil() as u64);
    }
    bucket.level -= 1.0;
    Ok(())
}

/// Takes also what is not there.
fn pay(buckets: &mut HashMap<u64, Bucket>, key: u64, per_second: u32, cost: f64, now: UnixMillis) {
    filled(buckets, key, f64::from(per_second), now).level -= cost;
}

/// The bucket, as full as it is now.
fn filled(buckets: &mut HashMap<u64, Bucket>, key: u64, rate: f64, now: UnixMillis) -> &mut Bucket {
    let full = rate * DEPTH;
    let level = |bucket: &Bucket| {
        let passed = now.saturating_sub(bucket.at).clamp(0, 3_600_000) as f64 / 1000.0;
        (bucket.level + passed * rate).min(full)
    };
    if buckets.len() >= MOST && !buckets.contains_key(&key) {
        // A bucket that is full again is like none.
        buckets.retain(|_, bucket| level(bucket) < full);
        if buckets.len() >= MOST {
            let fullest =
                buckets.iter().max_by(|(_, a), (_, b)| level(a).total_cmp(&level(b))).map(|(key, _)| *key);
            fullest.map(|key| buckets.remove(&key));
        }
    }
    let bucket = buckets.entry(key).or_insert(Bucket { level: full, at: now });
    *bucket = Bucket { level: level(bucket), at: now };
    bucket
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(requests_per_second: u32, link_requests_per_second: u32) -> Limits {
        Limits::new(ShareConfig { requests_per_second, link_requests_per_second })
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_burst_goes_through_and_then_so_many_a_second() {
        let limits = limits(2, 1_000);
        for _ in 0..20 {
            assert_eq!(limits.take(ip(1), "t", 0), Ok(()));
        }
        assert_eq!(limits.take(ip(1), "other", 0), Err(1), "whatever link it asks for");
        assert_eq!(limits.take(ip(2), "t", 0), Ok(()), "another address");
        assert_eq!(limits.take(ip(1), "t", 500), Ok(()));
        assert_eq!(limits.take(ip(1), "t", 500), Err(1));
        assert_eq!(limits.take(ip(1), "t", -9_000), Err(1), "a clock that goes back gives nothing");
    }

    #[test]
    fn panels_that_come_together_are_paid_for_before_the_next_request() {
        let limits = limits(1, 10);
        for _ in 0..2 {
            assert_eq!(limits.take(ip(1), "t", 0), Ok(()));
            limits.charge(ip(1), "t", 20, 0);
        }
        // Of ten the address paid twice one and nineteen quarters; of a hundred the link paid forty.
        assert_eq!(limits.take(ip(1), "u", 0), Err(3));
        assert_eq!(
            (0..100).filter(|_| limits.take(ip(2), "t", 0).is_ok()).count(),
            10,
            "an address of its own"
        );
        let others = (0..100u8).filter(|last| limits.take(ip(10 + last), "t", 0).is_ok()).count();
        assert_eq!(others, 50, "what the link has left");
        assert_eq!(limits.take(ip(1), "t", 3_000), Ok(()));
    }

    #[test]
    fn a_link_has_a_limit_of_its_own_and_a_network_is_one_address() {
        let limits = limits(1_000, 1);
        let taken = (0..30).filter(|last| limits.take(ip(*last), "t", 0).is_ok()).count();
        assert_eq!(taken, 10);
        assert_eq!(limits.take(ip(40), "u", 0), Ok(()));

        let limits = self::limits(1, 1_000);
        let taken = (0..30_u16).filter(|last| {
            let ip = IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, *last]);
            limits.take(ip, "t", 0).is_ok()
        });
        assert_eq!(taken.count(), 10);
    }

    #[test]
    fn memory_is_bounded_and_who_is_slowed_stays_so() {
        let limits = limits(1, 1_000_000);
        while limits.take(ip(1), "t", 0).is_ok() {}
        for other in 0..20_000_u32 {
            let _ = limits.take(IpAddr::from(other.to_be_bytes()), "t", 0);
        }
        assert!(limits.addresses.lock().len() <= MOST);
        assert_eq!(limits.take(ip(1), "t", 0), Err(1), "the empty bucket was not the one that went");
    }
}
