//! Reads `text/event-stream` from chunks of bytes (WHATWG HTML, section 9.2.6).
//!
//! The browser's own `EventSource` cannot send an `Authorization` header, so the stream is fetched and
//! read here.

/// One event of the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Its type, e.g. `delta`; empty means `message`.
    pub name: String,
    /// The last id seen so far; what `Last-Event-ID` repeats.
    pub id: String,
    /// Its data lines, joined with line feeds.
    pub data: String,
}

/// Holds what came of an event that is not whole yet.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// The bytes after the last line end.
    rest: Vec<u8>,
    /// The last chunk ended in CR: an LF that follows belongs to it.
    after_cr: bool,
    begun: bool,
    name: String,
    data: String,
    has_data: bool,
    id: String,
}

impl Parser {
    /// Takes the next bytes; gives the events that they complete.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        if !bytes.is_empty() && std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
            bytes = &bytes[1..];
        }
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n' || byte == b'\r') {
            let mut line = std::mem::take(&mut self.rest);
            line.extend_from_slice(&bytes[..end]);
            let carriage_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if carriage_return {
                match bytes.first() {
                    Some(b'\n') => bytes = &bytes[1..],
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            events.extend(self.line(&String::from_utf8_lossy(&line)));
        }
        self.rest.extend_from_slice(bytes);
        events
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        let line =
            if std::mem::replace(&mut self.begun, true) { line } else { line.trim_start_matches('\u{feff}') };
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            // A comment, a `retry` (the back-off is ours) or a field of a later standard.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        std::mem::take(&mut self.has_data).then(|| Event { name, id: self.id.clone(), data })
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Parser};

    fn event(name: &str, id: &str, data: &str) -> Event {
        Event { name: name.to_owned(), id: id.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn events_come_whole_however_the_bytes_are_cut() {
        let text = "\u{feff}: hello\r\nevent: snapshot\r\nid: a-1\r\ndata: {\"städte\":\r\ndata: 1}\r\n\r\n\
                    event: ping\ndata: {}\n\nid\ndata\n\nevent: lost\n\n";
        let expected =
            vec![event("snapshot", "a-1", "{\"städte\":\n1}"), event("ping", "a-1", "{}"), event("", "", "")];
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let events: Vec<_> = text.as_bytes().chunks(size).flat_map(|chunk| parser.push(chunk)).collect();
            assert_eq!(events, expected, "in chunks of {size} bytes");
        }
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line() {
        let mut parser = Parser::default();
        assert_eq!(parser.push(b"data: 1\rdata:2\r\r"), [event("", "", "1\n2")]);
        assert_eq!(parser.push(b"\ndata: 3\n\n"), [event("", "", "3")]);
    }

    #[test]
    fn an_event_cut_off_by_the_end_is_not_an_event() {
        let mut parser = Parser::default();
        assert!(parser.push(b"event: delta\ndata: {\"seq\"").is_empty());
    }
}
