//! Which ports the fleet listens on.

use std::{io, net::SocketAddr};

use anyhow::Context as _;

use super::node::Port;
use super::server::Seat;

/// So many listeners get their ports from the system. Its search for a free one takes the longer the
/// more are taken: 7,000 took 9 s of CPU, and 0.1 s with ports of our own choice.
const SYSTEM_UP_TO: usize = 1_000;
/// Beyond, ports are tried from here on, below the range from which systems give theirs.
const OWN: std::ops::Range<u16> = 10_000..32_768;

/// Gives each listener its address.
#[derive(Debug)]
pub(super) struct Ports {
    next: SocketAddr,
    choice: Choice,
}

#[derive(Debug, PartialEq)]
enum Choice {
    /// The user named the first; each has to be free.
    Named,
    /// The system's.
    System,
    /// The next free one of [`OWN`].
    Own,
}

impl Ports {
    /// For so many listeners, from `listen` on.
    pub(super) fn new(listen: SocketAddr, listeners: usize) -> Self {
        let mut next = listen;
        let choice = match listen.port() {
            0 if listeners <= SYSTEM_UP_TO => Choice::System,
            0 => Choice::Own,
            _ => Choice::Named,
        };
        if choice == Choice::Own {
            next.set_port(OWN.start);
        }
        Self { next, choice }
    }

    /// Binds the next port.
    ///
    /// # Errors
    /// It is taken, there is none left, or there are too many open files.
    pub(super) fn bind(&mut self, node: usize, port: Port) -> anyhow::Result<Seat> {
        loop {
            let address = self.next;
            let seat = Seat::bind(node, port, address, self.choice == Choice::Named);
            if self.choice != Choice::System {
                let following = address.port().checked_add(1).context("no port above 65535; begin lower")?;
                self.next.set_port(following);
            }
            match seat {
                Err(error) if self.choice == Choice::Own && error.kind() == io::ErrorKind::AddrInUse => {
                    if !OWN.contains(&self.next.port()) {
                        self.next.set_port(0);
                        self.choice = Choice::System;
                    }
                }
                seat => {
                    return seat.with_context(|| {
                        format!("cannot listen on {address}; is the port taken, or `ulimit -n` too low?")
                    });
                }
            }
        }
    }
}
