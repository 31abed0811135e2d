//! Addresses: links into the expression browser, hosts without their ports and domains.

use core::net::IpAddr;

use super::super::value::Value;
use super::super::world::{Problem, World};
use super::text_at;

/// As in the query of a URL, where a space is `+`.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.push('+'),
            b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => escaped.push(char::from(byte)),
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

pub(super) fn query_escape(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(escaped(text_at(arguments, 0)).into())
}

pub(super) fn graph_link(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(format!("/graph?g0.expr={}&g0.tab=0", escaped(text_at(arguments, 0))).into())
}

pub(super) fn table_link(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    Ok(format!("/graph?g0.expr={}&g0.tab=1", escaped(text_at(arguments, 0))).into())
}

/// Host and port; `None` where there is no port, or it is not plain which colon goes before it.
fn host_and_port(address: &str) -> Option<(&str, &str)> {
    let (host, port) = address.rsplit_once(':')?;
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return (!inner.contains(['[', ']']) && !port.contains(['[', ']'])).then_some((inner, port));
    }
    (!host.contains([':', '[', ']']) && !port.contains(['[', ']'])).then_some((host, port))
}

pub(super) fn strip_port(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let address = text_at(arguments, 0);
    Ok(host_and_port(address).map_or(address, |(host, _)| host).into())
}

/// The first word of a host's name, with its port. An IP address has no domain.
pub(super) fn strip_domain(_: &mut World<'_>, arguments: &[Value]) -> Result<Value, Problem> {
    let address = text_at(arguments, 0);
    let (host, port) = host_and_port(address).map_or((address, None), |(host, port)| (host, Some(port)));
    if host.parse::<IpAddr>().is_ok() {
        return Ok(address.into());
    }
    let first = host.split('.').next().unwrap_or(host);
    Ok(match port.filter(|port| !port.is_empty()) {
        Some(port) => format!("{first}:{port}").into(),
        None => first.into(),
    })
}

pub(super) fn external_url(world: &mut World<'_>, _: &[Value]) -> Result<Value, Problem> {
    Ok(world.host.external_url().into())
}

/// The path of the external URL.
pub(super) fn path_prefix(world: &mut World<'_>, _: &[Value]) -> Result<Value, Problem> {
    let url = world.host.external_url();
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = after_scheme.find(['?', '#']).unwrap_or(after_scheme.len());
    let path = after_scheme[..end].find('/').map_or("", |start| &after_scheme[start..end]);
    Ok(path.into())
}
