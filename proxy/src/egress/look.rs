//! The looking: what the config names, else the gateway and the name servers of this machine. All at once, each
//! with a time-out.

use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use fleetglass_shared::wire::EgressProbe;
use tokio::{
    net::{TcpStream, UdpSocket},
    task::JoinSet,
    time::timeout,
};

use super::routes::{Kind, gateways, has_ipv6_default, name_servers};
use crate::{
    config::{EgressConfig, is_url},
    scrape::Client,
};

/// Who is asked.
#[derive(Clone, Debug)]
enum Whom {
    /// Whether a connection is taken.
    Address(String),
    /// Whether anything at all is answered.
    Url(String),
    Gateway(IpAddr),
    NameServer(IpAddr),
}

/// Looks at everything, in the order in which it is told.
pub(super) async fn look(config: &EgressConfig, client: &Client) -> Vec<(Kind, EgressProbe)> {
    let (mut found, all) = match config.check.as_slice() {
        [] => own_network(),
        check => {
            let whom = |text: &String| match is_url(text) {
                true => Whom::Url(text.clone()),
                false => Whom::Address(text.clone()),
            };
            (Vec::new(), check.iter().map(whom).collect())
        }
    };
    let mut looks = JoinSet::new();
    for (index, whom) in all.into_iter().enumerate() {
        let (client, most) = (client.clone(), config.timeout.0);
        looks.spawn(async move { (index, look_at(&whom, &client, most).await) });
    }
    let mut seen = looks.join_all().await;
    seen.sort_by_key(|(index, _)| *index);
    found.extend(seen.into_iter().map(|(_, seen)| seen));
    found
}

/// What this machine says of its network: what is known at once, and whom to ask.
fn own_network() -> (Vec<(Kind, EgressProbe)>, Vec<Whom>) {
    let (mut known, mut all) = (Vec::new(), Vec::new());
    let mut tell = |kind, of: String, reached, text: &str| {
        known.push((kind, EgressProbe { of, reached, text: text.to_owned() }));
    };
    // Only Linux has it; elsewhere nothing is known of gateways.
    if let Ok(table) = std::fs::read_to_string("/proc/net/route") {
        let found = gateways(&table);
        let v6 = std::fs::read_to_string("/proc/net/ipv6_route").is_ok_and(|table| has_ipv6_default(&table));
        if found.is_empty() && !v6 {
            tell(Kind::Gateway, "default route".to_owned(), Some(false), "there is none");
        }
        for gateway in found {
            match gateway.is_unspecified() {
                true => tell(Kind::Gateway, "default route".to_owned(), None, "it has no gateway to ask"),
                false => all.push(Whom::Gateway(gateway.into())),
            }
        }
        if v6 {
            tell(Kind::Gateway, "default route of IPv6".to_owned(), None, "it is there");
        }
    }
    for server in name_servers(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default()) {
        match server.is_loopback() {
            true => tell(Kind::NameServer, format!("name server {server}"), None, "it is on this machine"),
            false => all.push(Whom::NameServer(server)),
        }
    }
    (known, all)
}

async fn look_at(whom: &Whom, client: &Client, most: Duration) -> (Kind, EgressProbe) {
    let late = || format!("no answer in {}", fleetglass_shared::format::duration_seconds(most.as_secs_f64()));
    let told = |kind, of: String, reached, text: String| (kind, EgressProbe { of, reached, text });
    match whom {
        Whom::Address(address) => {
            let (reached, text) = match timeout(most, TcpStream::connect(address)).await {
                Ok(Ok(_)) => (true, "connected".to_owned()),
                Ok(Err(error)) => (false, in_words(&error)),
                Err(_) => (false, late()),
            };
            told(Kind::Address, address.clone(), Some(reached), text)
        }
        Whom::Url(url) => {
            let (reached, text) = match client.get(url, false, most, None).await {
                Ok(reply) => (true, format!("answered {}", reply.status)),
                // What it answers does not matter.
                Err(failure) if !failure.kind.is_unreachable() => (true, "answered".to_owned()),
                Err(failure) => (false, failure.kind.as_words().to_owned()),
            };
            told(Kind::Address, url.clone(), Some(reached), text)
        }
        Whom::Gateway(gateway) => {
            // That it refuses shows that it is there; many say nothing at all.
            let (reached, text) = match timeout(most, TcpStream::connect((*gateway, 53))).await {
                Ok(Ok(_)) => (Some(true), "answered".to_owned()),
                Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                    (Some(true), "it is there".to_owned())
                }
                Ok(Err(error)) if is_out_of_reach(&error) => (Some(false), in_words(&error)),
                Ok(Err(error)) => (None, in_words(&error)),
                Err(_) => (None, format!("{}, as some gateways do", late())),
            };
            told(Kind::Gateway, format!("gateway {gateway}"), reached, text)
        }
        Whom::NameServer(server) => {
            let (reached, text) = match timeout(most, ask_name_server(*server)).await {
                Ok(Ok(())) => (true, "answered".to_owned()),
                Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                    (true, "it is there".to_owned())
                }
                Ok(Err(error)) => (false, in_words(&error)),
                Err(_) => (false, late()),
            };
            told(Kind::NameServer, format!("name server {server}"), Some(reached), text)
        }
    }
}

/// Asks for the servers of the root, as RFC 1035 has it: any answer will do.
async fn ask_name_server(server: IpAddr) -> std::io::Result<()> {
    const QUESTION: [u8; 17] = [0x46, 0x47, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];
    let own: SocketAddr = match server {
        IpAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        IpAddr::V6(_) => ([0; 16], 0).into(),
    };
    let socket = UdpSocket::bind(own).await?;
    socket.connect((server, 53)).await?;
    socket.send(&QUESTION).await?;
    socket.recv(&mut [0; 512]).await.map(drop)
}

fn is_out_of_reach(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown
    )
}

fn in_words(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "refused the connection".to_owned(),
        ErrorKind::HostUnreachable => "no way to the host".to_owned(),
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => "no way to its network".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{
        config::{ScrapeConfig, Span},
        egress::routes::verdict,
    };
    use fleetglass_shared::wire::EgressState;

    #[tokio::test]
    async fn an_address_is_reached_when_it_takes_a_connection() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::new(&ScrapeConfig::default()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap().to_string();
        let closed = {
            let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap().to_string()
        };
        let config = |check: &[&String]| EgressConfig {
            check: check.iter().map(|text| (*text).clone()).collect(),
            timeout: Span(Duration::from_secs(5)),
            ..EgressConfig::default()
        };
        let seen = look(&config(&[&closed, &open]), &client).await;
        let told: Vec<_> =
            seen.iter().map(|(_, probe)| (probe.of.as_str(), probe.reached, probe.text.as_str())).collect();
        assert_eq!(
            told,
            [
                (closed.as_str(), Some(false), "refused the connection"),
                (open.as_str(), Some(true), "connected")
            ]
        );
        assert_eq!(verdict(&seen), EgressState::Up);
        let url = format!("http://{closed}/");
        assert_eq!(verdict(&look(&config(&[&closed, &url]), &client).await), EgressState::Down);
    }
}
