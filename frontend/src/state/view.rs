//! How the fleet page is looked at. Kept in the address, so that a link shows the same.

use super::order::Field;

/// Rows or tiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// One row a node.
    #[default]
    Table,
    /// One tile a node.
    Grid,
}

/// Filter, order, groups and layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// What stands in the filter box.
    pub filter: String,
    /// What the nodes are sorted by.
    pub sort: Field,
    /// The other way round.
    pub descending: bool,
    /// What they are grouped by.
    pub group: Option<Field>,
    /// Rows or tiles.
    pub layout: Layout,
}

impl Default for View {
    fn default() -> Self {
        Self {
            filter: String::new(),
            sort: Field::State,
            descending: false,
            group: None,
            layout: Layout::Table,
        }
    }
}

impl View {
    /// Reads the address's query, member by member; what it does not say or says wrong is the default.
    pub fn from_query(get: impl Fn(&str) -> Option<String>) -> Self {
        let sort = get("sort").unwrap_or_default();
        let (descending, word) = match sort.strip_prefix('-') {
            Some(word) => (true, word),
            None => (false, sort.as_str()),
        };
        let sort = Field::parse(word);
        Self {
            filter: get("q").unwrap_or_default(),
            descending: descending && sort.is_some(),
            sort: sort.unwrap_or(Field::State),
            group: get("group").and_then(|word| Field::parse(&word)),
            layout: if get("view").as_deref() == Some("grid") { Layout::Grid } else { Layout::Table },
        }
    }

    /// The members of the query that says this view; nothing for what is the default.
    pub fn to_query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        if !self.filter.trim().is_empty() {
            query.push(("q", self.filter.trim().to_owned()));
        }
        if self.sort != Field::State || self.descending {
            query
                .push(("sort", format!("{}{}", if self.descending { "-" } else { "" }, self.sort.to_word())));
        }
        if let Some(group) = &self.group {
            query.push(("group", group.to_word()));
        }
        if self.layout == Layout::Grid {
            query.push(("view", "grid".to_owned()));
        }
        query
    }

    /// What a press on a column's head makes of it: sort by it, or turn round.
    pub fn sorted_by(&mut self, field: &Field) {
        self.descending = self.sort == *field && !self.descending;
        self.sort = field.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Layout, View};

    fn there_and_back(view: &View) -> View {
        let query = view.to_query();
        View::from_query(|key| query.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone()))
    }

    #[test]
    fn a_link_shows_the_same_view() {
        let view = View {
            filter: "region:eu \"a b\"".into(),
            sort: Field::Label("rack".into()),
            descending: true,
            group: Some(Field::Version),
            layout: Layout::Grid,
        };
        assert_eq!(there_and_back(&view), view);
        assert_eq!(there_and_back(&View::default()), View::default());
        assert!(View::default().to_query().is_empty());
    }

    #[test]
    fn nonsense_in_the_address_is_the_default() {
        assert_eq!(View::from_query(|_| Some("-?".into())), View { filter: "-?".into(), ..View::default() });
    }

    #[test]
    fn a_second_press_turns_the_order_round() {
        let mut view = View::default();
        view.sorted_by(&Field::Peers);
        assert!(!view.descending);
        view.sorted_by(&Field::Peers);
        assert!(view.descending);
        view.sorted_by(&Field::Node);
        assert_eq!((view.sort, view.descending), (Field::Node, false));
    }
}
