//! What is written on the page that makes it, as an address and as the texts to copy. Pure.

/// The views of a panel, and what a person reads.
pub const VIEWS: [(&str, &str); 6] = [
    ("fleet", "All nodes"),
    ("node", "One node"),
    ("chart", "A chart"),
    ("alerts", "Alerts"),
    ("risk", "Slash risks"),
    ("uptime", "Uptime"),
];
/// Themes.
pub const THEMES: [(&str, &str); 3] = [("auto", "As the page"), ("light", "Light"), ("dark", "Dark")];
/// Spans of time.
pub const RANGES: [(&str, &str); 5] =
    [("15m", "15 min"), ("1h", "1 h"), ("6h", "6 h"), ("24h", "24 h"), ("7d", "7 d")];
/// Sizes of a frame.
pub const SIZES: [(&str, &str); 5] = [
    ("640x360", "640 × 360"),
    ("1200x400", "1200 × 400"),
    ("480x300", "480 × 300"),
    ("320x200", "320 × 200"),
    ("200x80", "200 × 80"),
];

/// One panel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The link's token.
    pub token: String,
    /// Which view.
    pub view: String,
    /// Of which node.
    pub node: String,
    /// Which of its charts.
    pub panel: String,
    /// The theme.
    pub theme: String,
    /// How far back.
    pub range: String,
    /// What stands instead of the title.
    pub label: String,
    /// Without a title.
    pub compact: bool,
    /// The size of the frame.
    pub size: (u32, u32),
}

/// A text to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// What it is.
    pub title: &'static str,
    /// Where it is pasted.
    pub hint: &'static str,
    /// The text.
    pub text: String,
}

/// The token of a link, however much of its address somebody pastes.
pub fn token_of(text: &str) -> Option<String> {
    let is_token = |part: &&str| part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(['/', '?', '#', '&', ' ', '"', '<', '>']).find(is_token).map(str::to_owned)
}

/// The views of a panel that a link has which shows these.
pub fn views_of(shown: &[&str]) -> Vec<&'static str> {
    let has = |name: &str| shown.contains(&name);
    let is_there = |view: &str| match view {
        "fleet" | "uptime" => has("fleet") || has("node"),
        // A node's charts are found by the node.
        "chart" => has("charts") && has("node"),
        "risk" => has("risks"),
        view => has(view),
    };
    VIEWS.iter().map(|(name, _)| *name).filter(|name| is_there(name)).collect()
}

/// The pages of others that a policy names as those that may show a frame.
pub fn pages_of(policy: &str) -> Vec<String> {
    let of = policy.split(';').find_map(|part| part.trim().strip_prefix("frame-ancestors "));
    let pages = of.unwrap_or_default().split_whitespace().filter(|page| !page.starts_with('\''));
    pages.map(str::to_owned).collect()
}

/// `640x360`.
pub fn size_of(word: &str) -> Option<(u32, u32)> {
    let (width, height) = word.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

impl Wish {
    /// Whether all is there that the view needs.
    pub fn is_whole(&self) -> bool {
        !self.token.is_empty()
            && match self.view.as_str() {
                "node" => !self.node.is_empty(),
                "chart" => !self.node.is_empty() && !self.panel.is_empty(),
                _ => true,
            }
    }

    /// The panel's parameters; `encode` makes a text fit for an address.
    fn query(&self, encode: &dyn Fn(&str) -> String) -> String {
        let is_chart = self.view == "chart";
        let is_of_node = is_chart || self.view == "node";
        let of_node = |text: &str| is_of_node && !text.is_empty();
        let mut query = format!("view={}", self.view);
        for (name, value, is) in [
            ("node", &self.node, of_node(&self.node)),
            ("panel", &self.panel, is_chart && !self.panel.is_empty()),
            ("range", &self.range, is_chart && self.range != "1h"),
            ("theme", &self.theme, self.theme != "auto"),
            ("label", &self.label, !self.label.is_empty()),
        ] {
            if is {
                query.push_str(&format!("&{name}={}", encode(value)));
            }
        }
        if self.compact {
            query.push_str("&compact=1");
        }
        query
    }

    /// The path of the panel.
    pub fn path(&self, encode: &dyn Fn(&str) -> String) -> String {
        format!("/embed/{}?{}", self.token, self.query(encode))
    }

    /// The texts to copy; `root` is where this server is.
    pub fn snippets(&self, root: &str, encode: &dyn Fn(&str) -> String) -> Vec<Snippet> {
        let (width, height) = self.size;
        let address = escaped(&format!("{root}{}", self.path(encode)));
        let title = escaped(&self.title());
        let scheme = if self.theme == "auto" { "light dark" } else { &self.theme };
        let query = self.query(encode);
        let (badge, words) = self.badge(root, encode);
        let own = format!("{root}/embed/{}?{query}", self.token);
        let snippet = |title, hint, text| Snippet { title, hint, text };
        vec![
            snippet(
                "Frame",
                "Into the HTML of any page, Backstage, or Grafana's text panel.",
                format!(
                    "<iframe src=\"{address}\"\n  title=\"{title}\" width=\"{width}\" height=\"{height}\" loading=\"lazy\"\n  style=\"border:0;max-width:100%;color-scheme:{scheme}\"></iframe>"
                ),
            ),
            snippet(
                "Element, as high as it likes",
                "Into a page of your own: it is as light or dark as its place there.",
                format!(
                    "<script src=\"{root}/embed.js\" async></script>\n<fleetglass-panel src=\"{address}\"\n  title=\"{title}\"></fleetglass-panel>"
                ),
            ),
            snippet("Badge in Markdown", "Into a README file.", format!("![{words}]({badge})")),
            snippet(
                "Badge in HTML",
                "Into whatever shows pictures.",
                format!("<img src=\"{}\" alt=\"{}\" height=\"20\">", escaped(&badge), escaped(&words)),
            ),
            snippet(
                "oEmbed",
                "For Notion, Confluence and others that ask what an address is.",
                format!("{root}/oembed?format=json&url={}", encode(&own)),
            ),
            snippet(
                "Its numbers",
                "To draw your own.",
                format!("curl -s '{root}/embed/{}/api/v1/panel.json?{query}'", self.token),
            ),
        ]
    }

    fn title(&self) -> String {
        let view = VIEWS.iter().find(|(name, _)| *name == self.view).map_or("Panel", |(_, words)| *words);
        match self.view.as_str() {
            "node" => self.node.clone(),
            "chart" => format!("{} of {}", self.panel, self.node),
            _ => view.to_owned(),
        }
    }

    /// The badge that is nearest to the view, and its words.
    fn badge(&self, root: &str, encode: &dyn Fn(&str) -> String) -> (String, String) {
        let of = match self.view.as_str() {
            "alerts" => "alerts",
            "risk" => "risk",
            "uptime" => "uptime-30d",
            _ => "status",
        };
        let (name, words) = match self.view.as_str() {
            // A badge has no chart: it says how the node is.
            "node" | "chart" if !self.node.is_empty() => {
                (encode(&self.node), format!("Status of {}", self.node))
            }
            _ => (of.to_owned(), self.title()),
        };
        (format!("{root}/s/{}/badge/{name}.svg", self.token), words)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_in_what_is_pasted() {
        let token = "0a".repeat(32);
        for text in [
            "TOKEN",
            "https://fleet.example/fleet/s/TOKEN/nodes/a",
            " https://a/embed/TOKEN?view=node ",
            "#TOKEN",
        ] {
            assert_eq!(token_of(&text.replace("TOKEN", &token)), Some(token.clone()), "{text}");
        }
        for text in ["", "https://fleet.example/s/short/", "0a0a"] {
            assert_eq!(token_of(text), None, "{text}");
        }
        assert_eq!(size_of("640x360"), Some((640, 360)));
        assert_eq!(size_of("wide"), None);
    }

    #[test]
    fn what_a_link_has_and_who_may_show_it_is_read() {
        assert_eq!(views_of(&["alerts", "charts"]), ["alerts"]);
        assert_eq!(views_of(&["node"]), ["fleet", "node", "uptime"]);
        assert_eq!(views_of(&["fleet", "node", "charts", "alerts", "risks"]).len(), VIEWS.len());
        let policy = "default-src 'none'; frame-ancestors 'self' https://a.example https://b.example:8443";
        assert_eq!(pages_of(policy), ["https://a.example", "https://b.example:8443"]);
        assert!(pages_of("frame-ancestors 'self'").is_empty() && pages_of("").is_empty());
    }

    #[test]
    fn snippets_are_whole_and_escaped() {
        let wish = Wish {
            token: "t".into(),
            view: "chart".into(),
            node: "eu \"1\"".into(),
            panel: "Peers".into(),
            theme: "dark".into(),
            range: "6h".into(),
            size: (320, 200),
            ..Wish::default()
        };
        assert!(wish.is_whole() && !Wish { panel: String::new(), ..wish.clone() }.is_whole());
        let encode = |text: &str| text.replace(' ', "%20").replace('"', "%22");
        let all = wish.snippets("https://f.example", &encode);
        assert_eq!(
            all[0].text,
            "<iframe src=\"https://f.example/embed/t?view=chart&amp;node=eu%20%221%22&amp;panel=Peers&amp;range=6h&amp;theme=dark\"\n  \
             title=\"Peers of eu &quot;1&quot;\" width=\"320\" height=\"200\" loading=\"lazy\"\n  style=\"border:0;max-width:100%;color-scheme:dark\"></iframe>"
        );
        assert_eq!(all[2].text, "![Status of eu \"1\"](https://f.example/s/t/badge/eu%20%221%22.svg)");
        let fleet = Wish {
            token: "t".into(),
            view: "fleet".into(),
            theme: "auto".into(),
            node: "x".into(),
            ..Wish::default()
        };
        assert_eq!(fleet.path(&encode), "/embed/t?view=fleet", "what a view does not need is not there");
        assert!(fleet.snippets("", &encode)[0].text.contains("color-scheme:light dark"));
    }
}
