//! Mails to subscribers: plain text, each with a link that ends it (RFC 2369, RFC 8058).

use lettre::{
    Message as Mail,
    message::{
        Mailbox, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

/// A mail to one subscriber.
pub(super) struct Letter<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    /// The same for each attempt.
    pub(super) id: &'a str,
    pub(super) subject: &'a str,
    pub(super) text: String,
    /// Where one is told no more.
    pub(super) end: Option<&'a str>,
}

impl Letter<'_> {
    /// The mail, or why it can be none.
    pub(super) fn written(self) -> Result<Mail, String> {
        let Letter { from, to, id, subject, text, end } = self;
        let from: Mailbox = from.parse().map_err(|error| format!("`from`: {error}"))?;
        let to = to.parse::<lettre::Address>().map_err(|error| error.to_string())?;
        let mut mail = Mail::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(subject)
            .message_id(Some(format!("<{id}@fleetglass>")))
            .singlepart(SinglePart::plain(text))
            .map_err(|error| error.to_string())?;
        let mut add = |name: &'static str, value: String| {
            mail.headers_mut().insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
        };
        // Nobody answers these: neither people nor machines should.
        add("Auto-Submitted", "auto-generated".to_owned());
        if let Some(end) = end {
            add("List-Unsubscribe", format!("<{end}>"));
            add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned());
        }
        Ok(mail)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mail_has_its_way_out_in_the_head_and_takes_no_lines_from_a_title() {
        let letter = Letter {
            from: "Status <status@example.org>",
            to: "ada@example.com",
            id: "u1.s1",
            subject: "T\r\nBcc: eve@example.com",
            text: "Words".to_owned(),
            end: Some("https://s.example/n/status/e.1.2"),
        };
        let mail = String::from_utf8(letter.written().unwrap().formatted()).unwrap();
        assert!(mail.contains("List-Unsubscribe: <https://s.example/n/status/e.1.2>\r\n"), "{mail}");
        assert!(mail.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
        assert!(!mail.contains("\r\nBcc:"), "{mail}");
    }
}
