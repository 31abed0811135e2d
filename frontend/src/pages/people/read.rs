//! The proxy's answers: who you are, who else there is, and who did what.

use fleetglass_shared::health::UnixMillis;

use crate::json::Json;

/// Who looks at this page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Me {
    /// Nobody, where nobody has signed in.
    pub(super) name: Option<String>,
    pub(super) role: String,
    /// Selectors over nodes; none is all.
    pub(super) select: Vec<String>,
    pub(super) via: String,
    /// There are passwords, or an OpenID provider, to sign in with.
    pub(super) can_sign_in: bool,
    /// They may see and change who else there is.
    pub(super) keeps_people: bool,
}

impl Me {
    pub(super) fn read(json: &Json) -> Self {
        let ways = json.get("ways");
        let way = |name: &str| ways.get(name).flag().unwrap_or(false) || ways.get(name).text().is_some();
        Self {
            name: json.get("name").text(),
            role: text(json, "role"),
            select: texts(json, "select"),
            via: text(json, "via"),
            can_sign_in: way("password") || way("oidc"),
            keeps_people: json.get("can").get("people").flag().unwrap_or(false),
        }
    }

    /// Whether a session was begun: only then there is one to end.
    pub(super) fn has_session(&self) -> bool {
        self.via == "password" || self.via == "oidc"
    }

    /// How they came in, in words.
    pub(super) fn came(&self) -> &'static str {
        match self.via.as_str() {
            "password" => "Signed in with a password",
            "oidc" => "Signed in with the OpenID provider",
            "header" => "Signed in by the reverse proxy",
            "token" => "Came with a token",
            "local" => "Nobody is asked to sign in: this Fleetglass answers to this machine only",
            _ => "Not signed in",
        }
    }
}

/// Somebody with a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) role: String,
    pub(super) select: Vec<String>,
    pub(super) disabled: bool,
    pub(super) last_login_at: Option<UnixMillis>,
}

impl User {
    pub(super) fn all(json: &Json) -> Vec<Self> {
        list(json, "users", |json| Self {
            name: text(json, "name"),
            role: text(json, "role"),
            select: texts(json, "select"),
            disabled: json.get("disabled").flag().unwrap_or(false),
            last_login_at: time(json, "last_login_at"),
        })
    }
}

/// What a program comes with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) user: String,
    pub(super) role: String,
    pub(super) select: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) expires_at: Option<UnixMillis>,
    pub(super) last_used_at: Option<UnixMillis>,
    pub(super) last_used_from: String,
}

impl Token {
    pub(super) fn all(json: &Json) -> Vec<Self> {
        list(json, "tokens", |json| Self {
            id: text(json, "id"),
            name: text(json, "name"),
            user: text(json, "user"),
            role: text(json, "role"),
            select: texts(json, "select"),
            scopes: texts(json, "scopes"),
            expires_at: time(json, "expires_at"),
            last_used_at: time(json, "last_used_at"),
            last_used_from: text(json, "last_used_from"),
        })
    }
}

/// A browser that is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) via: String,
    pub(super) ip: String,
    pub(super) browser: String,
    pub(super) last_used_at: Option<UnixMillis>,
    /// It is the one that this page came with.
    pub(super) current: bool,
}

impl Session {
    pub(super) fn all(json: &Json) -> Vec<Self> {
        list(json, "sessions", |json| Self {
            id: text(json, "id"),
            user: text(json, "user"),
            via: text(json, "via"),
            ip: text(json, "ip"),
            browser: browser(&text(json, "user_agent")),
            last_used_at: time(json, "last_used_at"),
            current: json.get("current").flag().unwrap_or(false),
        })
    }
}

/// Somebody did something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) at: UnixMillis,
    pub(super) who: String,
    pub(super) via: String,
    pub(super) ip: String,
    pub(super) what: String,
    pub(super) of: String,
    pub(super) outcome: String,
}

impl Entry {
    pub(super) fn all(json: &Json) -> Vec<Self> {
        list(json, "entries", |json| Self {
            id: json.get("id").number().unwrap_or_default() as i64,
            at: time(json, "at").unwrap_or_default(),
            who: text(json, "who"),
            via: text(json, "via"),
            ip: text(json, "ip"),
            what: text(json, "what"),
            of: text(json, "of"),
            outcome: text(json, "outcome"),
        })
    }

    /// What was done, in words: `login_failed` is `login failed`.
    pub(super) fn words(&self) -> String {
        self.what.replace('_', " ")
    }
}

/// The nodes that somebody sees, in words.
pub(super) fn nodes(select: &[String]) -> String {
    match select {
        [] => "the whole fleet".to_owned(),
        select => format!("nodes with {}", select.join(" or ")),
    }
}

/// A browser and its system, out of what it says of itself.
fn browser(agent: &str) -> String {
    // The order tells: nearly all say that they are the later ones, too.
    let of = |names: &[(&str, &'static str)]| {
        names.iter().find(|(word, _)| agent.contains(word)).map(|(_, name)| *name)
    };
    let name = of(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = of(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (name, system) {
        (Some(name), Some(system)) => format!("{name} on {system}"),
        (Some(name), None) => name.to_owned(),
        _ if agent.is_empty() => "an unknown browser".to_owned(),
        _ => agent.chars().take(60).collect(),
    }
}

fn list<T>(json: &Json, name: &str, one: impl Fn(&Json) -> T) -> Vec<T> {
    json.get(name).items().unwrap_or_default().iter().map(one).collect()
}

fn text(json: &Json, name: &str) -> String {
    json.get(name).text().unwrap_or_default()
}

fn texts(json: &Json, name: &str) -> Vec<String> {
    json.get(name).items().unwrap_or_default().iter().filter_map(Json::text).collect()
}

fn time(json: &Json, name: &str) -> Option<UnixMillis> {
    json.get(name).number().map(|at| at as i64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn whoever_looks_is_known_by_role_and_nodes() {
        let read = |body: &str| Me::read(&Json::parse(body).unwrap());
        let admin = read(
            r#"{"name":"ada","role":"admin","select":[],"via":"password","ways":{"password":true},"can":{"people":true}}"#,
        );
        assert!(admin.keeps_people && admin.has_session() && admin.can_sign_in);
        let limited =
            read(r#"{"name":"t","role":"admin","select":["{team=\"a\"}"],"via":"token","ways":{}}"#);
        assert!(!limited.keeps_people && !limited.has_session() && !limited.can_sign_in);
        assert_eq!(nodes(&limited.select), "nodes with {team=\"a\"}");
        let nobody = read(r#"{"name":null,"ways":{"password":false,"oidc":"Company"}}"#);
        assert_eq!((nobody.name.as_deref(), nobody.can_sign_in), (None, true));
    }

    #[test]
    fn a_browser_is_told_by_the_first_name_that_fits() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
                "Chrome on Linux",
            ),
            ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.9", "curl/8.9"),
            ("", "an unknown browser"),
        ] {
            assert_eq!(browser(agent), name);
        }
    }

    #[test]
    fn what_is_missing_is_empty_and_never_a_fault() {
        let json = Json::parse(r#"{"users":[{}],"tokens":[{"last_used_at":5}],"sessions":[{"current":true}],"entries":[{"what":"login_failed"}]}"#).unwrap();
        assert_eq!(User::all(&json), [User::default()]);
        assert_eq!(Token::all(&json)[0].last_used_at, Some(5));
        assert!(Session::all(&json)[0].current);
        assert_eq!(Entry::all(&json)[0].words(), "login failed");
    }
}
