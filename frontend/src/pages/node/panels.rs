//! The family's charts, three a row, in groups that fold.

use fleetglass_shared::wire::Panel;
use leptos::prelude::*;

use super::feed::feed;
use super::load::NodeLoad;
use crate::charts::chart;
use crate::dom::{El, button, div, drawing, p, span, with_class};

/// With more charts than this only the first groups are open.
const OPEN_CHARTS: usize = 12;

/// The charts of the family; says so where it names none.
pub(super) fn panels(load: NodeLoad) -> El {
    let groups = move || load.detail().map(|detail| grouped(&detail.panels)).unwrap_or_default();
    let make = |group: Group| if group.alone { panel_grid(&group.panels) } else { fold(group) };
    let head = with_class("h2", "section-title").attr("id", "panels-title").text("Charts");
    with_class("section", "node-section")
        .attr("aria-labelledby", "panels-title")
        .child(head)
        .when(
            move || load.detail().is_some_and(|detail| detail.panels.is_empty()),
            || p("muted").text("The family names no charts. Any series of this node can be charted below."),
        )
        .each(groups, Group::key, make)
}

/// A subsystem and its charts.
struct Group {
    name: String,
    panels: Vec<Panel>,
    /// Unfolded at first.
    open: bool,
    /// The only one, so there is nothing to fold.
    alone: bool,
}

impl Group {
    /// All that its charts are made from: a group that says something else by now is made anew.
    fn key(&self) -> String {
        let mut key = format!("{} {}", self.alone, self.name);
        for panel in &self.panels {
            let bound = panel.bound.as_ref();
            let (bound, at) = bound.map_or(("", 0.0), |bound| (bound.title.as_str(), bound.value));
            key.push_str(&format!("\n{} {} {} {bound} {at}", panel.title, panel.unit, panel.from_zero));
            for query in &panel.queries {
                key.push_str(&format!("\n{} {}", query.expr, query.legend));
            }
        }
        key
    }
}

/// The subsystems in the order in which they come.
fn grouped(panels: &[Panel]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for panel in panels {
        match groups.iter_mut().find(|group| group.name == panel.subsystem) {
            Some(group) => group.panels.push(panel.clone()),
            None => groups.push(Group {
                name: panel.subsystem.clone(),
                panels: vec![panel.clone()],
                open: false,
                alone: false,
            }),
        }
    }
    let alone = groups.len() == 1;
    let mut before = 0;
    for group in &mut groups {
        group.alone = alone;
        group.open = before == 0 || before + group.panels.len() <= OPEN_CHARTS;
        before += group.panels.len();
    }
    groups
}

/// A group that folds. What is folded away is not there at all, so it costs nothing.
fn fold(group: Group) -> El {
    let shown = RwSignal::new(group.open);
    let title = if group.name.is_empty() { "General".to_owned() } else { group.name };
    let panels = group.panels;
    let press = button("fold-button")
        .aria("aria-expanded", move || shown.get())
        .on_click(move || shown.update(|shown| *shown = !*shown))
        .child(drawing("icon fold-arrow", "0 0 20 20", "M7.5 5l5 5-5 5"))
        .text(title)
        .child(span("fold-count num").text(panels.len().to_string()));
    div("fold")
        .child(with_class("h3", "fold-head").child(press))
        .when(move || shown.get(), move || panel_grid(&panels))
}

fn panel_grid(panels: &[Panel]) -> El {
    div("panel-grid").children(panels.iter().map(one_panel))
}

fn one_panel(panel: &Panel) -> El {
    let in_view = RwSignal::new(false);
    let queries = panel.queries.clone();
    let shown = feed(move |_| queries.clone(), in_view);
    chart(&panel.title, &panel.unit, panel.from_zero, panel.bound.clone(), shown, in_view)
}
