//! The public status pages for whoever writes on them: which there are, what stands on one, and the forms.
//!
//! | module | is |
//! |---|---|
//! | `read` | pure: the proxy's answers |
//! | `form` | a new post, and one more update |
//! | `told` | who is told, and taking them away |

mod form;
mod read;
mod told;

use std::sync::Arc;

use fleetglass_shared::status::moment_name;
use fleetglass_shared::wire::{PostKind, PostState};
use leptos::prelude::*;
use leptos::task::spawn_local;

use self::read::{Page, Post};
use crate::client;
use crate::components::connection::banners;
use crate::components::frame::top_bar;
use crate::components::notice::{empty, failed};
use crate::components::words::counted;
use crate::dom::{El, button, div, effect, el, group, link, p, span, with_class};
use crate::route::use_route;
use crate::state::{Link, use_fleet};

/// Asked again after so long.
const AGAIN_MS: i64 = 15_000;

/// What is open on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    /// A form for a new post.
    New(PostKind),
    /// A form for one more update of a post, with the state that it begins with.
    Update(String, PostState),
    /// The question whether a post is to go.
    Question(String),
    /// Who is told.
    Told,
}

/// What the page knows, and what is open on it.
#[derive(Clone, Copy)]
struct Desk {
    slug: Memo<String>,
    alert: RwSignal<Option<String>>,
    pages: RwSignal<Option<Arc<Vec<Page>>>>,
    posts: RwSignal<Option<(String, Arc<Vec<Post>>)>>,
    shown: RwSignal<Shown>,
    trouble: RwSignal<Option<String>>,
    again: RwSignal<u64>,
}

impl Desk {
    fn start() -> Self {
        let (fleet, route) = (use_fleet(), use_route());
        let pages = RwSignal::new(None::<Arc<Vec<Page>>>);
        let first = move || {
            pages.with(|pages| pages.as_ref()?.first().map(|page| page.slug.clone())).unwrap_or_default()
        };
        let is_there = move |slug: &String| {
            pages
                .with(|pages| pages.as_ref().is_some_and(|pages| pages.iter().any(|page| page.slug == *slug)))
        };
        let alert = route.query("alert");
        let desk = Self {
            slug: Memo::new(move |_| route.query("page").filter(is_there).unwrap_or_else(first)),
            shown: RwSignal::new(alert.as_ref().map_or(Shown::Nothing, |_| Shown::New(PostKind::Incident))),
            alert: RwSignal::new(alert),
            pages,
            posts: RwSignal::new(None),
            trouble: RwSignal::new(None),
            again: RwSignal::new(0),
        };
        let turn =
            Memo::new(move |_| (fleet.now().get() / AGAIN_MS, fleet.link().with(|link| *link == Link::Live)));
        effect(move || {
            turn.track();
            desk.again.track();
            spawn_local(async move {
                match client::get_value("/api/v1/status").await {
                    Ok(json) => {
                        let pages = Arc::new(read::pages(&json));
                        // A form that is open keeps what is written in it.
                        if desk.pages.with_untracked(|old| old.as_ref() != Some(&pages)) {
                            desk.pages.try_set(Some(pages));
                        }
                        desk.trouble.try_set(None);
                    }
                    Err(error) => drop(desk.trouble.try_set(Some(error.in_words()))),
                }
            });
        });
        effect(move || {
            turn.track();
            desk.again.track();
            let slug = desk.slug.get();
            if slug.is_empty() {
                return;
            }
            spawn_local(async move {
                match client::get_value(&format!("/api/v1/status/{slug}/posts")).await {
                    Ok(json) => {
                        let posts = Some((slug, Arc::new(read::posts(&json))));
                        if desk.posts.with_untracked(|old| *old != posts) {
                            desk.posts.try_set(posts);
                        }
                    }
                    Err(error) => drop(desk.trouble.try_set(Some(error.in_words()))),
                }
            });
        });
        desk
    }

    fn page_now(self) -> Page {
        let slug = self.slug.get_untracked();
        self.pages
            .with_untracked(|pages| {
                pages.as_ref().and_then(|pages| pages.iter().find(|page| page.slug == slug).cloned())
            })
            .unwrap_or_default()
    }

    /// The alert that the next incident is drafted from.
    fn alert(self) -> Option<String> {
        self.alert.get_untracked()
    }

    fn close(self) {
        self.alert.set(None);
        self.shown.set(Shown::Nothing);
    }

    fn retry(self) {
        self.again.update(|again| *again += 1);
    }

    fn posts_now(self) -> Option<Arc<Vec<Post>>> {
        let slug = self.slug.get();
        self.posts
            .with(|posts| posts.as_ref().filter(|(own, _)| *own == slug).map(|(_, posts)| Arc::clone(posts)))
    }
}

/// The page at `/status`.
pub fn status_page() -> El {
    let desk = Desk::start();
    let known = move || desk.pages.with(Option::is_some);
    let any = move || desk.pages.with(|pages| pages.as_ref().is_some_and(|pages| !pages.is_empty()));
    let troubled = move || desk.trouble.with(Option::is_some);
    let why = move || desk.trouble.get().unwrap_or_default();
    with_class("main", "page")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .child(top_bar([el("h1").class("page-title alerts-title").text("Status pages")]))
        .child(banners())
        .child(
            div("page-body status-page")
                .when(move || !known() && !troubled(), loading)
                .when(
                    move || !known() && troubled(),
                    move || {
                        failed("The status pages did not come", why)
                            .child(button("button").on_click(move || desk.retry()).text("Try again"))
                    },
                )
                .when(
                    move || known() && !any(),
                    || {
                        empty(
                            "There is no public status page",
                            "A share link with a slug has one: `fleetglass share create --slug acme …`; docs/status-page.md says how.",
                        )
                    },
                )
                .when(move || known() && any(), move || whole(desk)),
        )
}

fn loading() -> El {
    div("loading")
        .attr("aria-busy", "true")
        .child(p("sr-only").attr("role", "status").text("The status pages are loading"))
        .child(div("skeleton skeleton-table"))
}

fn whole(desk: Desk) -> El {
    let new = move |kind: PostKind| move || desk.shown.set(Shown::New(kind));
    let closed = move || !matches!(desk.shown.get(), Shown::New(_));
    group()
        .child(tabs(desk))
        .live(move || Some(about(desk)))
        .when(closed, move || {
            div("status-acts")
                .child(
                    button("button button-primary")
                        .on_click(new(PostKind::Incident))
                        .text("Write an incident"),
                )
                .child(button("button").on_click(new(PostKind::Maintenance)).text("Plan a maintenance"))
        })
        .live(move || match desk.shown.get() {
            Shown::New(kind) => Some(form::post_form(desk, kind)),
            Shown::Told => Some(told::told(desk)),
            _ => None,
        })
        .when(move || desk.posts_now().is_none(), loading)
        .when(
            move || desk.posts_now().is_some_and(|posts| posts.is_empty()),
            || empty("Nothing is written on this page", "Incidents and planned maintenance appear here."),
        )
        .child(with_class("ul", "status-posts").each(
            move || desk.posts_now().map(|posts| posts.to_vec()).unwrap_or_default(),
            |post| format!("{post:?}"),
            move |post| one(desk, post),
        ))
}

/// The pages to choose from, where there are several.
fn tabs(desk: Desk) -> El {
    let all = move || desk.pages.with(|pages| pages.as_ref().map(|pages| pages.to_vec()).unwrap_or_default());
    let several = move || all().len() > 1;
    let one = move |page: Page| {
        let slug = StoredValue::new(page.slug.clone());
        link("choice", format!("/status?page={}", page.slug))
            .attr("aria-current", move || (desk.slug.get() == slug.get_value()).then_some("page"))
            .text(page.title)
    };
    with_class("nav", "choices status-tabs")
        .attr("aria-label", "Status pages")
        .flag("hidden", move || !several())
        .each(all, |page| format!("{} {}", page.slug, page.title), one)
}

/// Where the page is, and who is told of it.
fn about(desk: Desk) -> El {
    desk.pages.track();
    desk.slug.track();
    let page = desk.page_now();
    let told = match page.subscribers {
        0 => "Nobody has subscribed".to_owned(),
        n => counted(n, "subscriber", "subscribers"),
    };
    div("status-about")
        .child(el("h2").class("section-title").text(page.title))
        .child(
            link("button", format!("/status/{}", page.slug))
                .attr("target", "_blank")
                .attr("rel", "noopener")
                .text("Open the page"),
        )
        .child(
            button("button button-quiet")
                .aria("aria-expanded", move || desk.shown.get() == Shown::Told)
                .on_click(move || {
                    desk.shown.update(|shown| {
                        *shown = if *shown == Shown::Told { Shown::Nothing } else { Shown::Told };
                    });
                })
                .text(told),
        )
}

fn one(desk: Desk, post: Post) -> El {
    let (id, over) = (StoredValue::new(post.id.clone()), post.state.is_over());
    let held = StoredValue::new(post.clone());
    let is_idle = move || match desk.shown.get() {
        Shown::Update(own, _) | Shown::Question(own) => own != id.get_value(),
        _ => true,
    };
    let update = move |state: PostState| move || desk.shown.set(Shown::Update(id.get_value(), state));
    let (last, now) = (*post.kind.states().last().unwrap_or(&post.state), post.state);
    let end = match post.kind {
        PostKind::Incident => "Resolve",
        PostKind::Maintenance => "End it now",
    };
    let title = post.title.clone();
    let named = move |verb: &str| format!("{verb}: {title}");
    let (more, ends, goes) = (named("Add an update"), named(end), named("Delete"));
    let acts = move || {
        let row = div("status-acts").child(
            button("button").attr("aria-label", more.clone()).on_click(update(now)).text("Add an update"),
        );
        let row = match over {
            true => row,
            false => {
                row.child(button("button").attr("aria-label", ends.clone()).on_click(update(last)).text(end))
            }
        };
        row.child(
            button("button button-quiet")
                .attr("aria-label", goes.clone())
                .on_click(move || desk.shown.set(Shown::Question(id.get_value())))
                .text("Delete"),
        )
    };
    with_class("li", if over { "status-post status-over" } else { "status-post" })
        .child(
            div("status-head")
                .child(span("status-tag").text(post.state.words()))
                .child(el("h3").class("status-post-title").text(post.title.clone())),
        )
        .child(p("silence-why").text(facts(&post)))
        .child(with_class("ol", "status-updates").children(post.updates.into_iter().map(said)))
        .when(is_idle, acts)
        .live(move || match desk.shown.get() {
            Shown::Update(own, state) if own == id.get_value() => {
                Some(held.with_value(|post| form::update_form(desk, post, state)))
            }
            Shown::Question(own) if own == id.get_value() => Some(question(desk, own)),
            _ => None,
        })
}

/// What it is, how bad, when and of what.
fn facts(post: &Post) -> String {
    let mut words = match post.kind {
        PostKind::Incident => format!("Incident, impact: {}", post.impact.as_str()),
        PostKind::Maintenance => "Maintenance".to_owned(),
    };
    if let (Some(start), Some(end)) = (post.starts_at, post.ends_at) {
        words += &format!(", {} to {}", moment_name(start), moment_name(end));
    }
    if !post.affects.is_empty() {
        words += &format!(". Affects {}", post.affects.join(", "));
    }
    words
}

fn said(update: read::Update) -> El {
    with_class("li", "status-said")
        .child(p("silence-why").child(el("strong").text(update.state.words())).text(format!(
            " · {} · {}",
            moment_name(update.at),
            update.by
        )))
        .child(p("status-text").text(update.text))
}

fn question(desk: Desk, id: String) -> El {
    let trouble = RwSignal::new(String::new());
    let id = StoredValue::new(id);
    let press = move || {
        let path = format!("/api/v1/status/{}/posts/{}", desk.slug.get_untracked(), id.get_value());
        spawn_local(async move {
            match client::delete(&path).await {
                Ok(_) => {
                    desk.close();
                    desk.retry();
                }
                Err(error) => drop(trouble.try_set(error.in_words())),
            }
        });
    };
    let keep = button("button").on_click(move || desk.close()).text("Keep it");
    let shown = StoredValue::new(keep.clone());
    effect(move || shown.with_value(El::focus));
    div("status-question")
        .attr("role", "alertdialog")
        .attr("aria-label", "Delete this post?")
        .child(
            p("status-text")
                .text("Delete it for everybody? Its updates go too, and what was mailed stays mailed."),
        )
        .child(p("range-trouble").attr("role", "alert").text(move || trouble.get()))
        .child(
            div("status-acts")
                .child(keep)
                .child(button("button button-primary").on_click(press).text("Delete")),
        )
}
