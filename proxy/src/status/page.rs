//! The page as HTML. It needs no script: the one it has only asks again each minute while nobody is reading details.

use base64::{Engine, engine::general_purpose::STANDARD};
use fleetglass_shared::{
    status::{DayLook, DayTally, date_name, day_name, day_of, in_words, moment_name},
    wire::{Impact, PostKind, StatusPost, StatusUpdate},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::board::{Board, Health, Part};

/// The colours are the app's.
const STYLE: &str = concat!(include_str!("../../../static/css/tokens.css"), include_str!("style.css"));
const REFRESH: &str = include_str!("refresh.js");
/// Beyond so many nodes only groups have bars and days.
const MOST_BARS: usize = 300;

/// The policy of the page, without who may embed it.
pub(super) fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; form-action 'self'; base-uri 'none'",
        hash(STYLE),
        hash(REFRESH)
    )
}

/// How readers can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    pub(super) mail: bool,
}

/// The page.
pub(super) fn page(board: &Board, ways: Ways) -> String {
    let slug = &board.slug;
    let has_days = board.parts.iter().any(|part| !part.days.is_empty());
    let main = html! {
        main data-at=(board.at) {
            h1 { (board.title) }
            div.banner.(board.health.key()) role="status" {
                p { (board.sentence) "." }
                p.muted { "As of " (time(board.at)) }
            }
            @if !board.open.is_empty() {
                h2 { "Open incidents" }
                @for post in &board.open { (post_card(post)) }
            }
            @if !board.planned.is_empty() {
                h2 { "Planned maintenance" }
                @for post in &board.planned { (post_card(post)) }
            }
            h2 { @if board.is_grouped { "Groups" } @else { "Nodes" } }
            div.card {
                @if board.parts.is_empty() { p.note { "No node is on this page yet." } }
                @for part in &board.parts { (part_row(part, board)) }
            }
            @if has_days && !board.parts.is_empty() { (key()) }
            h2 { "Past incidents and maintenance" }
            @if board.past.is_empty() { div.card { p.note { "None in the last 90 days." } } }
            @for (day, posts) in by_day(&board.past) {
                p.muted { (date_name(day)) }
                @for post in posts { (post_card(post)) }
            }
            h2 #subscribe { "Be told of updates" }
            div.card.subscribe {
                @if ways.mail {
                    form method="post" action=(format!("{slug}/subscribe")) {
                        label { "Your e-mail address" input type="email" name="email" required maxlength="254" autocomplete="email"; }
                        button { "Subscribe by e-mail" }
                        small { "You get a mail with a link to confirm it. Each mail has a link that ends it." }
                    }
                }
                form method="post" action=(format!("{slug}/subscribe")) {
                    label { "The URL of your webhook" input type="url" name="webhook" required maxlength="1000" placeholder="https://"; }
                    button { "Subscribe by webhook" }
                    small { "It is sent a challenge first, which it must send back." }
                }
            }
        }
        footer {
            span { "Shared by " (board.by) ". Days and times are UTC." }
            a href=(format!("{slug}/feed.rss")) { "RSS" }
            a href=(format!("{slug}/feed.json")) { "JSON Feed" }
            a href=(format!("{slug}/summary.json")) { "JSON" }
        }
        script { (PreEscaped(REFRESH)) }
    };
    let feeds = html! {
        link rel="alternate" type="application/rss+xml" title=(board.title) href=(format!("{slug}/feed.rss"));
        link rel="alternate" type="application/feed+json" title=(board.title) href=(format!("{slug}/feed.json"));
        meta name="description" content=(board.sentence);
    };
    document(&format!("{} – {}", board.title, board.health.word()), &feeds, &main)
}

/// A small page that says one thing.
pub(super) fn small(title: &str, inside: &Markup) -> String {
    document(
        title,
        &html! { meta name="robots" content="noindex"; },
        &html! { main { h1 { (title) } div.card { (inside) } } },
    )
}

fn document(title: &str, head: &Markup, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (title) }
                (head)
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
    .into_string()
}

fn time(at: i64) -> Markup {
    html! { time.num datetime=(crate::clock::rfc3339(Some(at))) { (moment_name(at)) } }
}

fn state(health: Health) -> Markup {
    html! { span.state.(health.key()) { i aria-hidden="true" { (health.shape()) } (health.word()) } }
}

fn part_row(part: &Part, board: &Board) -> Markup {
    let total: usize = board.parts.iter().map(|part| part.nodes.len().max(1)).sum();
    html! {
        section.part {
            (head(part, board))
            (bars(part, board))
            div.more {
                (days(part, board))
                @if !part.nodes.is_empty() {
                    details {
                        summary { (nodes_in(part)) }
                        div.inside {
                            @for node in &part.nodes {
                                section.part {
                                    (head(node, board))
                                    @if total <= MOST_BARS {
                                        (bars(node, board))
                                        div.more { (days(node, board)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `12 nodes: 1 down, 11 up`.
fn nodes_in(part: &Part) -> String {
    let order = [Health::Down, Health::Degraded, Health::Unknown, Health::Maintenance, Health::Up];
    let counts: Vec<String> = order
        .into_iter()
        .map(|health| (part.nodes.iter().filter(|node| node.health == health).count(), health))
        .filter(|(count, _)| *count > 0)
        .map(|(count, health)| format!("{count} {}", health.word().to_lowercase()))
        .collect();
    let word = if part.nodes.len() == 1 { "node" } else { "nodes" };
    format!("{} {word}: {}", part.nodes.len(), counts.join(", "))
}

fn head(part: &Part, board: &Board) -> Markup {
    let total = part.total();
    let incident = board.open.iter().find(|post| post.affects.contains(&part.name));
    html! {
        div.head {
            h3 { bdi { (part.name) } }
            @if let Some(post) = incident { a href=(format!("#p{}", post.id)) { "Open incident" } }
            span.muted.num { @if total.known_ms() > 0 { (total.percent()) " up" } }
            (state(part.health))
        }
    }
}

/// A bar a day. To those who cannot see them they are one picture with the gist.
fn bars(part: &Part, board: &Board) -> Markup {
    let known = part.days.iter().filter(|day| day.known_ms() > 0).count();
    let outages = part.days.iter().filter(|day| day.down_ms > 0).count();
    if part.days.is_empty() {
        return html! {};
    }
    let gist = match outages {
        _ if known == 0 => "no data".to_owned(),
        0 => format!("{} up, no outage", part.total().percent()),
        1 => format!("{} up, an outage on one day", part.total().percent()),
        n => format!("{} up, outages on {n} days", part.total().percent()),
    };
    let label = format!("Uptime of {} in the last {} days: {gist}", part.name, part.days.len());
    html! {
        div.bars role="img" aria-label=(label) {
            @for (day, tally) in (board.first_day..).zip(&part.days) {
                i class=(class(*tally)) title=(format!("{}: {}", day_name(day), tally.words(part.count))) {}
            }
        }
        div.ends aria-hidden="true" {
            span { (day_name(board.first_day)) }
            @if known < part.days.len() { span { (known) " of " (part.days.len()) " days with data" } }
            span { "today" }
        }
    }
}

/// Every day in words, for keyboards, fingers and screen readers.
fn days(part: &Part, board: &Board) -> Markup {
    html! {
        @if !part.days.is_empty() {
            details {
                summary { "Day by day" span.sr { " of " (part.name) } }
                dl.days {
                    @for (days, words) in in_words(board.first_day, &part.days, part.count) {
                        dt { (days) } dd { (words) }
                    }
                }
            }
        }
    }
}

fn class(day: DayTally) -> &'static str {
    match day.look() {
        DayLook::Up => "u",
        DayLook::Partly => "p",
        DayLook::Down => "d",
        DayLook::Unknown => "n",
    }
}

fn key() -> Markup {
    let one = |class: &str, words: &str| html! { span { b.bars aria-hidden="true" { i class=(class) {} } (words) } };
    html! {
        div.key {
            (one("u", "up all day"))
            (one("p", "down for up to 5 % of the day"))
            (one("d", "down for longer"))
            (one("n", "no data: it counts neither way"))
        }
    }
}

fn by_day(posts: &[StatusPost]) -> Vec<(i64, Vec<&StatusPost>)> {
    let mut days: Vec<(i64, Vec<&StatusPost>)> = Vec::new();
    for post in posts {
        let day = day_of(post.created_at);
        match days.last_mut() {
            Some((last, posts)) if *last == day => posts.push(post),
            _ => days.push((day, vec![post])),
        }
    }
    days
}

fn post_card(post: &StatusPost) -> Markup {
    let class = match post.kind {
        _ if post.state.is_over() => "over",
        PostKind::Maintenance => "maintenance",
        PostKind::Incident => post.impact.as_str(),
    };
    html! {
        article.card.post.(class) id=(format!("p{}", post.id)) {
            h3 { bdi { (post.title) } }
            p.meta { (about(post)) }
            ol.updates {
                @for update in &post.updates {
                    li {
                        strong { (update.state.words()) }
                        small { (time(update.at)) }
                        p { (text(&update.text)) }
                    }
                }
            }
        }
    }
}

/// What stands below a post's title.
fn about(post: &StatusPost) -> Markup {
    html! {
        span.tag { (post.state.words()) }
        @if post.kind == PostKind::Incident && post.impact != Impact::None { (impact(post.impact)) ". " }
        @if let (Some(start), Some(end)) = (post.starts_at, post.ends_at) { (time(start)) " to " (time(end)) ". " }
        @if !post.affects.is_empty() { "Affects " (post.affects.join(", ")) "." }
    }
}

pub(super) fn impact(impact: Impact) -> &'static str {
    match impact {
        Impact::None => "No impact",
        Impact::Minor => "Minor impact",
        Impact::Major => "Major impact",
        Impact::Critical => "Critical impact",
    }
}

/// Plain text with its lines, and its URLs as links.
pub(super) fn text(text: &str) -> Markup {
    html! {
        @for (at, line) in text.lines().enumerate() {
            @if at > 0 { br; }
            @for (is_link, words) in links(line) {
                @if is_link { a href=(words) rel="nofollow noopener noreferrer" { (words) } } @else { (words) }
            }
        }
    }
}

/// A line, cut where URLs begin and end.
fn links(line: &str) -> Vec<(bool, &str)> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some(at) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, from) = rest.split_at(at);
        let end =
            from.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(from.len());
        let url = from[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']);
        let (url, after) = from.split_at(url.len());
        if !before.is_empty() {
            parts.push((false, before));
        }
        parts.push((url.len() > "https://".len(), url));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push((false, rest));
    }
    parts
}

/// `[Resolved] Slow answers`.
pub(super) fn headline(post: &StatusPost, update: &StatusUpdate) -> String {
    format!("[{}] {}", update.state.words(), post.title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_only_addresses_of_the_web_become_links() {
        let page = text(
            "see <b> https://a.example/x?a=1&b=2, or\n(http://b.example).\njavascript:alert(1) https:// end",
        )
        .into_string();
        assert_eq!(
            page,
            "see &lt;b&gt; <a href=\"https://a.example/x?a=1&amp;b=2\" rel=\"nofollow noopener noreferrer\">https://a.example/x?a=1&amp;b=2</a>, or\
             <br>(<a href=\"http://b.example\" rel=\"nofollow noopener noreferrer\">http://b.example</a>).\
             <br>javascript:alert(1) https:// end"
        );
        assert!(
            text("https://x.example/\"onmouseover=\"alert(1)").into_string().contains("&quot;onmouseover")
        );
    }

    #[test]
    fn the_policy_names_the_style_and_the_script_and_nothing_inline_else() {
        let policy = policy();
        assert!(!policy.contains("unsafe") && policy.matches("sha256-").count() == 2);
        assert!(!STYLE.contains("</") && !REFRESH.contains("</"), "they would end their element");
    }
}
