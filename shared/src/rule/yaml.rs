//! YAML as a tree that keeps where everything stands, and every scalar as it was written: `for: 5` and
//! `for: "5"` are told apart by their places only, and a label `1.0` stays `1.0`.

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};

/// Lists within lists; more is no rule file.
const MAX_DEPTH: usize = 64;
/// Nodes, those that aliases repeat among them.
const MAX_NODES: usize = 2_000_000;

/// A place in a text, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Something is wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct YamlError {
    /// Where.
    pub(super) place: Place,
    /// What.
    pub(super) message: String,
}

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A text, and how it was written.
    Scalar(String, Written),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Without quotes: may be a number, a bool or nothing at all.
    Plain,
    /// In quotes.
    Quoted,
    /// `|` or `>`: its text begins on the next line.
    Block,
}

impl Node {
    /// Whether it is nothing: `~`, `null`, or no text.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(text, Written::Plain)
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text of a scalar; nothing is the empty text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(..) if self.is_null() => Some(""),
            Kind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// What it is, in the words of YAML.
    pub(super) fn word(&self) -> &'static str {
        match self.kind {
            Kind::Scalar(..) => "a scalar",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }
}

/// The first document of a text; `None` where there is none.
///
/// # Errors
/// It is no YAML, or too much of it.
pub(super) fn read(text: &str) -> Result<Option<Node>, YamlError> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: Vec::new(), nodes: 0 };
    loop {
        let Some((event, span)) = reader.next()? else { return Ok(None) };
        if event.is_node() {
            return reader.node(event, span, 0).map(Some);
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    /// By the number of the anchor.
    anchors: Vec<(usize, Node)>,
    nodes: usize,
}

fn place(span: Span) -> Place {
    Place { line: span.start.line(), column: span.start.col() + 1 }
}

fn scan_error(error: &ScanError) -> YamlError {
    let marker = error.marker();
    YamlError { place: Place { line: marker.line(), column: marker.col() + 1 }, message: error.info() }
}

impl<'a> Reader<'a> {
    /// The next event that is no comment.
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, YamlError> {
        loop {
            match self.parser.next_event() {
                None => return Ok(None),
                Some(Err(error)) => return Err(scan_error(&error)),
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok(found)) => return Ok(Some(found)),
            }
        }
    }

    fn expect(&mut self, at: Place) -> Result<(Event<'a>, Span), YamlError> {
        self.next()?.ok_or_else(|| YamlError { place: at, message: "the document ends too early".to_owned() })
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, YamlError> {
        let at = place(span);
        let error = |message: &str| Err(YamlError { place: at, message: message.to_owned() });
        if depth > MAX_DEPTH {
            return error("nested too deeply");
        }
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return error("too many nodes");
        }
        let anchor = event.anchor_id();
        let kind = match &event {
            Event::Alias(number) => {
                let Some((_, known)) = self.anchors.iter().rev().find(|(own, _)| own == number) else {
                    return error("an alias of nothing");
                };
                let known = known.clone();
                self.nodes += size(&known);
                return if self.nodes > MAX_NODES {
                    error("too many nodes")
                } else {
                    Ok(Node { place: at, ..known })
                };
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.expect(at)? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
                Kind::List(items)
            }
            Event::MappingStart(..) => {
                let mut pairs: Vec<(Node, Node)> = Vec::new();
                loop {
                    let (event, span) = self.expect(at)?;
                    if matches!(event, Event::MappingEnd) {
                        break;
                    }
                    let key = self.node(event, span, depth + 1)?;
                    let (event, span) = self.expect(at)?;
                    let value = self.node(event, span, depth + 1)?;
                    pairs.push((key, value));
                }
                Kind::Map(merged(pairs))
            }
            _ => match event.scalar() {
                Some((text, style)) => Kind::Scalar(text.to_owned(), written(style)),
                None => return error("not understood"),
            },
        };
        let node = Node { place: at, kind };
        if let Some(number) = anchor {
            self.anchors.push((number, node.clone()));
        }
        Ok(node)
    }
}

fn written(style: ScalarStyle) -> Written {
    match style {
        ScalarStyle::Plain => Written::Plain,
        ScalarStyle::Literal | ScalarStyle::Folded => Written::Block,
        _ => Written::Quoted,
    }
}

fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(..) => 1,
        Kind::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Kind::Map(pairs) => 1 + pairs.iter().map(|(key, value)| size(key) + size(value)).sum::<usize>(),
    }
}

/// With `<<` taken in: what is written itself goes before what is merged.
fn merged(pairs: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    let is_merge = |key: &Node| matches!(&key.kind, Kind::Scalar(text, Written::Plain) if text == "<<");
    if !pairs.iter().any(|(key, _)| is_merge(key)) {
        return pairs;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(key, _)| is_merge(key));
    for (_, value) in merges {
        let sources = match value.kind {
            Kind::List(items) => items,
            _ => vec![value],
        };
        for source in sources {
            if let Kind::Map(further) = source.kind {
                for (key, value) in further {
                    if !own.iter().any(|(known, _)| known.text() == key.text()) {
                        own.push((key, value));
                    }
                }
            }
        }
    }
    own
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn map(text: &str) -> Vec<(String, String, Place)> {
        match read(text).unwrap().unwrap().kind {
            Kind::Map(pairs) => pairs
                .into_iter()
                .map(|(key, value)| {
                    (key.text().unwrap().to_owned(), value.text().unwrap_or("…").to_owned(), value.place)
                })
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn scalars_are_as_written_and_know_their_place() {
        let found = map("a: 1.0\n# why\nb: \"x y\"\nc: |\n  up ==\n  0\nd: ~\ne: yes\n");
        let at = |line, column| Place { line, column };
        assert_eq!(found[0], ("a".into(), "1.0".into(), at(1, 4)));
        assert_eq!(found[1], ("b".into(), "x y".into(), at(3, 4)));
        assert_eq!(found[2].1, "up ==\n0\n");
        assert_eq!(found[2].2, at(5, 3));
        assert_eq!(found[3].1, "");
        assert_eq!(found[4].1, "yes");
    }

    #[test]
    fn anchors_are_followed_and_merged() {
        let found = map("a: &x {k: 1, l: 2}\nb: *x\nc: {<<: *x, k: 3}\n");
        assert_eq!(found.len(), 3);
        let Kind::Map(pairs) = read("c: {<<: &x {k: 1, l: 2}, k: 3}").unwrap().unwrap().kind else {
            panic!()
        };
        let Kind::Map(inner) = &pairs[0].1.kind else { panic!() };
        let words: Vec<_> = inner.iter().map(|(k, v)| (k.text().unwrap(), v.text().unwrap())).collect();
        assert_eq!(words, [("k", "3"), ("l", "2")]);
    }

    #[test]
    fn what_is_no_yaml_says_where() {
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("# only words\n").unwrap(), None);
        for (text, line) in [("a: [1, 2\nb: 3", 2), ("a: \"x", 1), ("a: *x", 1)] {
            assert_eq!(read(text).unwrap_err().place.line, line, "{text}");
        }
        let bomb = format!(
            "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n{}",
            (1..12)
                .map(|n| {
                    let before = vec![format!("*a{}", n - 1); 10].join(",");
                    format!("a{n}: &a{n} [{before}]\n")
                })
                .collect::<String>()
        );
        assert!(read(&bomb).unwrap_err().message.contains("too many"));
        assert!(read(&"[".repeat(10_000)).is_err());
    }
}
