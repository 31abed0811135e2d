//! Makes what is pasted into another page: a panel of a share link, looked at as it will be, and the texts to copy.
//!
//! | module | is |
//! |---|---|
//! | `form` | the fields |
//! | `snippet` | pure: addresses and texts |
//!
//! A link's token is known only when it is made, and to whoever was sent it: so it is pasted here, or made here, or
//! handed over in the part of the address that no server sees.

mod form;
mod snippet;

use std::collections::BTreeSet;

use fleetglass_shared::wire::{ScopeSpec, ShareChange, View};
use leptos::prelude::*;
use leptos::task::spawn_local;

use self::snippet::{Snippet, Wish, pages_of, token_of, views_of};
use crate::client::{self, ClientError};
use crate::components::copy::copy_button;
use crate::components::frame::top_bar;
use crate::dom::{El, div, effect, el, p, with_class};
use crate::json::Json;
use crate::route::use_route;
use crate::shared::placed;

/// What is wished, and what is known of the link.
#[derive(Clone, Copy)]
struct Maker {
    wish: RwSignal<Wish>,
    /// The link's title, once it has answered.
    title: RwSignal<Option<String>>,
    /// The views of a panel that it has.
    views: RwSignal<Vec<&'static str>>,
    /// The pages of others that may show it, once that is known.
    pages: RwSignal<Option<Vec<String>>>,
    nodes: RwSignal<Vec<String>>,
    charts: RwSignal<Vec<String>>,
    trouble: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
}

fn encoded(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

impl Maker {
    fn start() -> Self {
        let first = Wish {
            view: "fleet".into(),
            theme: "auto".into(),
            range: "1h".into(),
            size: (640, 360),
            ..Wish::default()
        };
        let maker = Self {
            wish: RwSignal::new(first),
            title: RwSignal::new(None),
            views: RwSignal::new(views_of(&["fleet", "node", "charts", "alerts", "risks"])),
            pages: RwSignal::new(None),
            nodes: RwSignal::new(Vec::new()),
            charts: RwSignal::new(Vec::new()),
            trouble: RwSignal::new(None),
            busy: RwSignal::new(false),
        };
        let token = Memo::new(move |_| maker.wish.with(|wish| wish.token.clone()));
        effect(move || {
            let token = token.get();
            maker.title.set(None);
            maker.pages.set(None);
            maker.nodes.set(Vec::new());
            if !token.is_empty() {
                spawn_local(async move { maker.look(&token).await });
            }
        });
        let node = Memo::new(move |_| maker.wish.with(|wish| (wish.token.clone(), wish.node.clone())));
        effect(move || {
            let (token, node) = node.get();
            if !token.is_empty() && !node.is_empty() {
                spawn_local(async move { maker.look_at(&token, &node).await });
            }
        });
        // Handed over by the page that made the link; it does not stay in the address.
        if let Some(token) = window().location().hash().ok().and_then(|hash| token_of(&hash)) {
            use_route().replace("/embed");
            maker.wish.update(|wish| wish.token = token);
        }
        maker
    }

    fn paste(self, text: &str) {
        let found = token_of(text);
        let wrong = found.is_none() && !text.trim().is_empty();
        self.trouble.set(
            wrong.then(|| "That is no share link: it looks like https://…/s/… with 64 letters.".to_owned()),
        );
        self.wish.update(|wish| wish.token = found.unwrap_or_default());
    }

    /// Asks the link what it shows. It is no view of it.
    async fn look(self, token: &str) {
        // This one says why a link cannot be embedded; a link without a list of nodes may have other panels.
        let fleet = client::get_value(&format!("/embed/{token}/api/v1/panel.json?view=fleet")).await;
        let told = match &fleet {
            Ok(_) | Err(ClientError::Http { status: 404, .. }) => {
                client::get_value(&format!("/s/{token}/api/v1/share")).await.ok()
            }
            Err(_) => None,
        };
        let Some(told) = told else {
            let words = match fleet {
                Err(ClientError::Http { status: 404, .. }) | Ok(_) => {
                    "This link does not open: it was taken back, its time is over, or it was never one."
                        .to_owned()
                }
                Err(error) => error.in_words(),
            };
            self.trouble.try_set(Some(words));
            return;
        };
        let shown: Vec<String> =
            told.get("views").items().unwrap_or_default().iter().filter_map(Json::text).collect();
        let views = views_of(&shown.iter().map(String::as_str).collect::<Vec<_>>());
        let all = client::get_value(&format!("/s/{token}/api/v1/fleet")).await.ok();
        let nodes = all.and_then(|all| all.get("nodes").items()).unwrap_or_default();
        let mut names: Vec<String> = nodes.iter().filter_map(|node| node.get("id").text()).collect();
        names.sort_unstable();
        let policy = client::get_header(&format!("/embed/{token}"), "content-security-policy").await;
        self.trouble.try_set(None);
        self.wish.try_update(|wish| {
            if !names.contains(&wish.node) {
                wish.node = names.first().cloned().unwrap_or_default();
            }
            if !views.contains(&wish.view.as_str()) {
                wish.view = views.first().copied().unwrap_or_default().to_owned();
            }
        });
        self.nodes.try_set(names);
        self.views.try_set(views);
        self.pages.try_set(policy.ok().flatten().map(|policy| pages_of(&policy)));
        self.title.try_set(Some(told.get("title").text().unwrap_or_default()));
    }

    async fn look_at(self, token: &str, node: &str) {
        let found = client::get_value(&format!("/s/{token}/api/v1/nodes/{}", encoded(node))).await;
        let panels = found.ok().and_then(|json: Json| json.get("panels").items()).unwrap_or_default();
        let titles: Vec<String> = panels.iter().filter_map(|panel| panel.get("title").text()).collect();
        self.wish.try_update(|wish| {
            if !titles.contains(&wish.panel) {
                wish.panel = titles.first().cloned().unwrap_or_default();
            }
        });
        self.charts.try_set(titles);
    }

    /// Makes a link for a page.
    fn make(self, title: String, select: String, pages: &str) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.trouble.set(None);
        let scope = ScopeSpec {
            select: vec![select],
            views: View::ALL.into_iter().collect::<BTreeSet<_>>(),
            oldest_seconds: None,
            addresses: false,
            drop_labels: Vec::new(),
            aliases: false,
            hide_metrics: Vec::new(),
        };
        let origins = pages.split([',', ' ']).filter(|page| !page.is_empty()).map(str::to_owned).collect();
        let wish = ShareChange {
            title: Some(title),
            scope: Some(scope),
            origins: Some(origins),
            ..ShareChange::default()
        };
        spawn_local(async move {
            let made = client::post("/api/v1/shares", &wish).await.map(|text| Json::parse(&text));
            match made {
                Ok(Ok(json)) => {
                    self.wish.try_update(|wish| wish.token = json.get("token").text().unwrap_or_default());
                }
                Ok(Err(error)) => drop(self.trouble.try_set(Some(error))),
                Err(error) => drop(self.trouble.try_set(Some(error.in_words()))),
            }
            self.busy.try_set(false);
        });
    }

    fn is_shown(self) -> bool {
        self.title.with(Option::is_some) && self.wish.with(Wish::is_whole)
    }
}

/// The page at `/embed`.
pub fn embed_page() -> El {
    let maker = Maker::start();
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("page-title alerts-title").text("Embed a panel")]))
        .child(
            div("page-body embed-page")
                .child(div("embed-form").child(form::link_part(maker)).child(form::panel_part(maker)))
                .child(
                    div("embed-shown").when(move || maker.is_shown(), move || preview(maker)).when(
                        move || !maker.is_shown(),
                        || {
                            p("embed-empty muted").text(
                                "Paste a share link, or make one: then the panel is shown here as it will be on your page.",
                            )
                        },
                    ),
                ),
        )
}

/// The panel in a frame as on the other page, and what to paste there.
fn preview(maker: Maker) -> El {
    let part = move |read: fn(&Wish) -> String| move || maker.wish.with(read);
    let source = move || placed(&maker.wish.with(|wish| wish.path(&encoded)));
    let scheme = move || match maker.wish.with(|wish| wish.theme.clone()).as_str() {
        "auto" => "inherit".to_owned(),
        theme => theme.to_owned(),
    };
    let frame = with_class("iframe", "embed-frame")
        .attr("title", "The panel as it will be")
        .attr("width", part(|wish| wish.size.0.to_string()))
        .attr("height", part(|wish| wish.size.1.to_string()))
        .style("color-scheme", scheme)
        .attr("src", source);
    let root = format!("{}{}", window().location().origin().unwrap_or_default(), placed("/"));
    let root = root.trim_end_matches('/').to_owned();
    let all = move || maker.wish.with(|wish| wish.snippets(&root, &encoded));
    let titles = maker.wish.with_untracked(|wish| {
        wish.snippets("", &encoded).into_iter().map(|one| (one.title, one.hint)).collect::<Vec<_>>()
    });
    let all = StoredValue::new(all);
    let snippet = move |(at, (title, hint)): (usize, (&'static str, &'static str))| {
        let text = Memo::new(move |_| {
            all.with_value(|all| all()).get(at).map(|one: &Snippet| one.text.clone()).unwrap_or_default()
        });
        with_class("section", "snippet")
            .attr("aria-label", title)
            .child(
                div("snippet-head")
                    .child(el("h3").class("snippet-title").text(title))
                    .maybe(copy_button(Some(title), move || text.get_untracked())),
            )
            .child(p("snippet-hint muted").text(hint))
            .child(with_class("pre", "snippet-text").attr("tabindex", "0").child(el("code").text(text)))
    };
    div("embed-made")
        .child(el("h2").class("section-title").text("As it will be"))
        .child(div("embed-ground").attr("role", "group").attr("aria-label", "Preview").child(frame))
        .child(where_it_shows(maker))
        .child(el("h2").class("section-title embed-paste").text("Paste one of these"))
        .children(titles.into_iter().enumerate().map(snippet))
}

/// A frame stays empty, and says nothing, on a page that the link does not list.
fn where_it_shows(maker: Maker) -> El {
    let lists_none = move || maker.pages.with(|pages| pages.as_ref().is_some_and(Vec::is_empty));
    let words = move || {
        match maker.pages.get() {
        None => String::new(),
        Some(pages) if pages.is_empty() => {
            "No other page may show it: this link lists none, so a frame elsewhere stays empty. Add the page to the link under \
             Shares, or make a link for it here."
                .to_owned()
        }
        Some(pages) => format!("May be shown by {}. On any other page a frame stays empty.", pages.join(", ")),
    }
    };
    let class = move || if lists_none() { "embed-where embed-warning" } else { "embed-where" }.to_owned();
    el("p").class(class).attr("role", "status").text(words)
}
