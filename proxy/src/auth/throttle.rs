//! How fast passwords may be tried: by address and by name, in bounded memory. Pure: the time comes in.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

use fleetglass_shared::health::UnixMillis;
use parking_lot::Mutex;

/// So many failures are free; after each further one the next try waits twice as long.
const FREE: u32 = 5;
const LONGEST_WAIT_MS: i64 = 15 * 60_000;
/// Failures are forgotten when there was none for so long.
const FORGOTTEN_MS: i64 = 24 * 3_600_000;
/// So many addresses and names are remembered.
const MOST: usize = 20_000;

/// Who tried, and when they may try again.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    tries: HashMap<Key, Tries>,
    /// Who signed in from where, and when that was last: whoever tries their name elsewhere does not slow them there.
    known: HashMap<(String, IpAddr), UnixMillis>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Name(String),
    /// A name at an address from where it signed in before.
    NameAt(String, IpAddr),
}

#[derive(Clone, Copy, Debug, Default)]
struct Tries {
    failed: u32,
    last: UnixMillis,
    not_before: UnixMillis,
    /// It was told of the wait that is now.
    told: bool,
}

/// A try comes too soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooSoon {
    /// So many seconds are to wait.
    pub(super) seconds: u64,
    /// It is the first in this wait.
    pub(super) is_first: bool,
}

impl Throttle {
    /// Counts a try as failed before it is looked at, so that many at one time are many.
    ///
    /// # Errors
    /// It comes too soon.
    pub(super) fn begin(&self, ip: IpAddr, name: &str, now: UnixMillis) -> Result<(), TooSoon> {
        let mut state = self.0.lock();
        let keys = state.keys(ip, name);
        let all = &mut state.tries;
        let mut soon: Option<TooSoon> = None;
        for key in &keys {
            if let Some(tries) = all.get_mut(key).filter(|tries| now < tries.not_before) {
                let seconds = (tries.not_before - now).unsigned_abs().div_ceil(1000);
                let is_first = !std::mem::replace(&mut tries.told, true);
                let before = soon.unwrap_or(TooSoon { seconds: 0, is_first: true });
                soon = Some(TooSoon {
                    seconds: seconds.max(before.seconds),
                    is_first: is_first && before.is_first,
                });
            }
        }
        if let Some(soon) = soon {
            return Err(soon);
        }
        for key in keys {
            if all.len() >= MOST && !all.contains_key(&key) {
                make_room(all, now);
            }
            let tries = all.entry(key).or_default();
            if now - tries.last > FORGOTTEN_MS {
                *tries = Tries::default();
            }
            tries.failed = tries.failed.saturating_add(1);
            tries.last = now;
            tries.told = false;
            tries.not_before = now + wait_after(tries.failed);
        }
        Ok(())
    }

    /// The try was wrong: the wait begins now, however long it took to find out.
    pub(super) fn failed(&self, ip: IpAddr, name: &str, now: UnixMillis) {
        let mut state = self.0.lock();
        for key in state.keys(ip, name) {
            if let Some(tries) = state.tries.get_mut(&key) {
                tries.not_before = tries.not_before.max(now + wait_after(tries.failed));
            }
        }
    }

    /// The try was right: its name is free again, its address loses this one.
    pub(super) fn succeeded(&self, ip: IpAddr, name: &str, now: UnixMillis) {
        let mut state = self.0.lock();
        let [address, name_key] = state.keys(ip, name);
        state.tries.remove(&name_key);
        state.knows(ip, name, now);
        if let Some(tries) = state.tries.get_mut(&address) {
            tries.failed = tries.failed.saturating_sub(1);
            tries.not_before = now;
        }
    }

    /// Somebody is known to have signed in from there.
    pub(super) fn knows(&self, ip: IpAddr, name: &str, at: UnixMillis) {
        self.0.lock().knows(ip, name, at);
    }
}

impl State {
    fn keys(&self, ip: IpAddr, name: &str) -> [Key; 2] {
        let at = (small(name), network(ip));
        let name = if self.known.contains_key(&at) { Key::NameAt(at.0, at.1) } else { Key::Name(at.0) };
        [Key::Address(at.1), name]
    }

    fn knows(&mut self, ip: IpAddr, name: &str, at: UnixMillis) {
        if self.known.len() >= MOST {
            let oldest = self.known.iter().min_by_key(|(_, at)| **at).map(|(key, _)| key.clone());
            oldest.map(|key| self.known.remove(&key));
        }
        self.known.insert((small(name), network(ip)), at);
    }
}

fn small(name: &str) -> String {
    name.to_lowercase().chars().take(100).collect()
}

fn wait_after(failed: u32) -> i64 {
    match failed.checked_sub(FREE) {
        None => 0,
        Some(more) => (1_000_i64 << more.min(20)).min(LONGEST_WAIT_MS),
    }
}

/// Whoever has one IPv6 address has the 2^64 beside it too.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => {
            let bits = u128::from(ip) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(bits))
        }
        v4 => v4,
    }
}

/// Forgets what is over, and then those who failed least: many new names do not push out who is being slowed.
fn make_room(all: &mut HashMap<Key, Tries>, now: UnixMillis) {
    all.retain(|_, tries| now - tries.last <= FORGOTTEN_MS);
    if all.len() < MOST {
        return;
    }
    let mut ranks: Vec<(u32, UnixMillis)> = all.values().map(|tries| (tries.failed, tries.last)).collect();
    let (_, edge, _) = ranks.select_nth_unstable(MOST / 4);
    let edge = *edge;
    all.retain(|_, tries| (tries.failed, tries.last) > edge);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn begin(throttle: &Throttle, ip: IpAddr, name: &str, now: UnixMillis) -> Result<(), u64> {
        throttle.begin(ip, name, now).map_err(|soon| soon.seconds)
    }

    #[test]
    fn five_are_free_and_then_each_waits_twice_as_long_up_to_a_quarter_hour() {
        let throttle = Throttle::default();
        let mut now = 1_000_000;
        for _ in 0..FREE {
            assert_eq!(begin(&throttle, ip(1), "ada", now), Ok(()));
        }
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(begin(&throttle, ip(1), "ada", now), Err(wait));
            assert_eq!(begin(&throttle, ip(2), "ADA", now), Err(wait), "by name, from anywhere");
            assert_eq!(begin(&throttle, ip(1), "bob", now), Err(wait), "by address, whoever it is");
            now += i64::try_from(wait).unwrap_or_default() * 1000;
            assert_eq!(begin(&throttle, ip(1), "ada", now), Ok(()));
        }
        assert_eq!(begin(&throttle, ip(3), "bob", now), Ok(()));
        throttle.failed(ip(1), "ada", now + 500);
        assert_eq!(
            begin(&throttle, ip(1), "ada", now + 900_000),
            Err(1),
            "from when it was found to be wrong"
        );
        now += FORGOTTEN_MS + 1;
        for _ in 0..FREE {
            assert_eq!(begin(&throttle, ip(1), "ada", now), Ok(()));
        }
    }

    #[test]
    fn who_signed_in_there_before_is_not_slowed_by_tries_elsewhere() {
        let throttle = Throttle::default();
        assert_eq!(begin(&throttle, ip(1), "ada", 0), Ok(()));
        throttle.succeeded(ip(1), "ada", 0);
        for other in 10..15 {
            assert_eq!(begin(&throttle, ip(other), "ada", 0), Ok(()));
        }
        assert_eq!(begin(&throttle, ip(16), "ada", 0), Err(1));
        for _ in 0..FREE {
            assert_eq!(begin(&throttle, ip(1), "Ada", 0), Ok(()), "she goes on where she was");
        }
        assert_eq!(begin(&throttle, ip(1), "ada", 0), Err(1), "and is counted there");
    }

    #[test]
    fn the_first_refusal_of_a_wait_is_known() {
        let throttle = Throttle::default();
        for _ in 0..FREE {
            assert_eq!(begin(&throttle, ip(1), "ada", 0), Ok(()));
        }
        let first = |now| throttle.begin(ip(1), "ada", now).map_err(|soon| soon.is_first);
        assert_eq!([first(1), first(2), first(999)], [Err(true), Err(false), Err(false)]);
        assert_eq!([first(1_000), first(1_001), first(1_002)], [Ok(()), Err(true), Err(false)]);
    }

    #[test]
    fn a_success_frees_the_name_and_not_the_address() {
        let throttle = Throttle::default();
        for _ in 0..4 {
            assert_eq!(begin(&throttle, ip(1), "bob", 0), Ok(()));
        }
        assert_eq!(begin(&throttle, ip(1), "ada", 0), Ok(()));
        throttle.succeeded(ip(1), "ada", 0);
        assert_eq!(begin(&throttle, ip(1), "ada", 0), Ok(()));
        assert_eq!(begin(&throttle, ip(1), "carl", 0), Err(1), "four of bob and one of ada");
        assert_eq!(begin(&throttle, ip(2), "ada", 0), Ok(()));
    }

    #[test]
    fn a_network_of_ipv6_is_one_and_memory_is_bounded() {
        let throttle = Throttle::default();
        let six = |host: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host));
        for host in 0..5 {
            assert_eq!(begin(&throttle, six(host), &format!("u{host}"), 0), Ok(()));
        }
        assert_eq!(begin(&throttle, six(99), "x", 0), Err(1));
        for n in 0..30_000_u32 {
            let _ = throttle.begin(IpAddr::from((0x0a00_0000 + n).to_be_bytes()), &format!("n{n}"), 0);
        }
        assert!(throttle.0.lock().tries.len() <= MOST);
        assert_eq!(begin(&throttle, six(99), "x", 0), Err(1), "who is being slowed stays");
    }
}
