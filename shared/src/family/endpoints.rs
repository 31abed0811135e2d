//! Which URLs a node of a family is asked, from the target's `url` and its `[target.endpoints]`.

use std::collections::BTreeMap;

use super::model::{EndpointKind, EndpointRole, EndpointSpec};
use super::{Family, FamilyError};

/// An endpoint with the URL to ask.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedEndpoint {
    /// Its name in the family.
    pub name: String,
    /// The whole URL.
    pub url: String,
    /// What it answers with.
    pub kind: EndpointKind,
    /// What it is for.
    pub role: EndpointRole,
    /// Its silence counts only once it has answered.
    pub optional: bool,
}

impl Family {
    /// The URLs to ask.
    ///
    /// - Without a port in `base_url` each endpoint has its default port (`https` without a port
    ///   counts as port 443 given).
    /// - A port given replaces the family's default port where it has one only; where it has several,
    ///   that of the primary group only: the endpoints that share the first endpoint's port. A port that
    ///   is the default of any endpoint already changes nothing then.
    /// - A path in `base_url` stands before each endpoint's path.
    /// - `overrides` gives an endpoint's URL by its name; one without a path gets the endpoint's.
    /// - An endpoint that `needs_url` is asked only where `overrides` names it.
    ///
    /// # Errors
    /// A URL that is not `http://` or `https://` with a host, or an override that names no endpoint.
    pub fn endpoints_for(
        &self,
        base_url: &str,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Vec<ResolvedEndpoint>, FamilyError> {
        let base = Url::parse(base_url)?;
        let spec = self.spec();
        if let Some(unknown) = overrides.keys().find(|name| spec.endpoint.iter().all(|e| e.name != **name)) {
            let names: Vec<_> = spec.endpoint.iter().map(|e| e.name.as_str()).collect();
            return Err(FamilyError::new(format!("family `{}` has no endpoint `{unknown}`", self.name()))
                .hint(format!("its endpoints are: {}", names.join(", "))));
        }
        let primary = spec.endpoint.first().and_then(|endpoint| endpoint.port);
        let is_default = |port| spec.endpoint.iter().any(|endpoint| endpoint.port == Some(port));
        let given = base.port.filter(|&port| !is_default(port));
        let resolve = |endpoint: &EndpointSpec| -> Result<Option<ResolvedEndpoint>, FamilyError> {
            let url = match overrides.get(&endpoint.name) {
                Some(given) => {
                    let given = Url::parse(given)?;
                    let path = if given.path.is_empty() { &endpoint.path } else { given.path };
                    format!("{}{path}", given.origin(given.port))
                }
                None if endpoint.needs_url => return Ok(None),
                None => {
                    let replaced = given.filter(|_| endpoint.port == primary);
                    // An endpoint without a default has the port given.
                    let port = replaced.or(endpoint.port).or(base.port);
                    format!("{}{}{}", base.origin(port), base.path, endpoint.path)
                }
            };
            Ok(Some(ResolvedEndpoint {
                name: endpoint.name.clone(),
                url,
                kind: endpoint.kind,
                role: endpoint.role,
                optional: endpoint.optional,
            }))
        };
        spec.endpoint.iter().filter_map(|endpoint| resolve(endpoint).transpose()).collect()
    }
}

/// The parts of a URL that matter here, borrowed from it.
struct Url<'a> {
    scheme: &'a str,
    /// Host, with user information if there is any; `[…]` for IPv6.
    host: &'a str,
    port: Option<u16>,
    path: &'a str,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Result<Self, FamilyError> {
        let bad = |why: &str| {
            FamilyError::new(format!("`{text}` is no URL of a node: {why}"))
                .hint("write it like `http://10.0.0.5:9090` or `https://node.example.com/base`".to_owned())
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("it has no `http://`"))?;
        if scheme != "http" && scheme != "https" {
            return Err(bad("only `http` and `https` are asked"));
        }
        if text.contains(['?', '#', ' ']) || text.chars().any(char::is_control) {
            return Err(bad("a query, a fragment or a space has no place in it"));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // A colon inside the brackets of an IPv6 address is no port's.
        let after_host = authority.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match authority[after_host..].rfind(':') {
            Some(colon) => {
                let at = after_host + colon;
                // User information may hold a colon, and then has an `@` after it.
                if authority[at..].contains('@') {
                    (authority, None)
                } else {
                    (&authority[..at], Some(&authority[at + 1..]))
                }
            }
            None => (authority, None),
        };
        if host.is_empty() || host.ends_with('@') {
            return Err(bad("it has no host"));
        }
        let port = match port {
            Some(port) => Some(port.parse().map_err(|_| bad("its port is not a number from 0 to 65535"))?),
            None => (scheme == "https").then_some(443),
        };
        Ok(Self { scheme, host, port, path: path.trim_end_matches('/') })
    }

    fn origin(&self, port: Option<u16>) -> String {
        let usual = if self.scheme == "https" { 443 } else { 80 };
        match port {
            Some(port) if port != usual => format!("{}://{}:{port}", self.scheme, self.host),
            _ => format!("{}://{}", self.scheme, self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use crate::family::Family;

    fn urls(ports: &[(&str, &str)], base: &str, overrides: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let mut text = "name = \"x\"\n".to_owned();
        for (name, rest) in ports {
            text += &format!(
                "[[endpoint]]\nname = \"{name}\"\nkind = \"json\"\nrole = \"other\"\npath = \"/{name}\"\n{rest}\n"
            );
        }
        let family = Family::from_toml(&text).unwrap();
        let overrides: BTreeMap<_, _> =
            overrides.iter().map(|(name, url)| ((*name).to_owned(), (*url).to_owned())).collect();
        match family.endpoints_for(base, &overrides) {
            Ok(endpoints) => Ok(endpoints.into_iter().map(|endpoint| endpoint.url).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    const ONE: &[(&str, &str)] = &[("a", "port = 9100"), ("b", "port = 9100")];
    const SEVERAL: &[(&str, &str)] =
        &[("a", "port = 8080"), ("b", "port = 8081"), ("c", "port = 8080"), ("d", "needs_url = true")];

    #[test]
    fn one_default_port_is_replaced_by_the_one_given() {
        assert_eq!(urls(ONE, "http://h", &[]).unwrap(), ["http://h:9100/a", "http://h:9100/b"]);
        assert_eq!(urls(ONE, "http://h:7000/", &[]).unwrap(), ["http://h:7000/a", "http://h:7000/b"]);
        assert_eq!(urls(ONE, "https://h/base/", &[]).unwrap(), ["https://h/base/a", "https://h/base/b"]);
        assert_eq!(urls(ONE, "http://[::1]:80", &[]).unwrap(), ["http://[::1]/a", "http://[::1]/b"]);
        assert_eq!(urls(ONE, "http://[::1]", &[]).unwrap(), ["http://[::1]:9100/a", "http://[::1]:9100/b"]);
    }

    #[test]
    fn of_several_default_ports_the_primary_group_is_replaced() {
        let defaults = ["http://h:8080/a", "http://h:8081/b", "http://h:8080/c"];
        assert_eq!(urls(SEVERAL, "http://h", &[]).unwrap(), defaults);
        assert_eq!(urls(SEVERAL, "http://h:8081", &[]).unwrap(), defaults, "8081 is a default already");
        assert_eq!(
            urls(SEVERAL, "http://h:7000", &[]).unwrap(),
            ["http://h:7000/a", "http://h:8081/b", "http://h:7000/c"]
        );
    }

    #[test]
    fn an_override_names_an_endpoint_and_may_leave_its_path_out() {
        let given = [("b", "https://other/x/health"), ("d", "http://h:9999")];
        assert_eq!(
            urls(SEVERAL, "http://h", &given).unwrap(),
            ["http://h:8080/a", "https://other/x/health", "http://h:8080/c", "http://h:9999/d"]
        );
        let error = urls(SEVERAL, "http://h", &[("e", "http://h")]).unwrap_err();
        assert!(error.contains("no endpoint `e`") && error.contains("a, b, c, d"), "{error}");
    }

    #[test]
    fn what_is_no_url_is_refused_with_an_example() {
        for bad in [
            "h:9100",
            "ftp://h",
            "http://",
            "http://:80",
            "http://h:99999",
            "http://h:x",
            "http://h/?a=b",
            "http://a b",
        ] {
            let error = urls(ONE, bad, &[]).unwrap_err();
            assert!(error.contains("http://10.0.0.5:9090"), "{bad}: {error}");
        }
    }
}
