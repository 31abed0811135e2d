//! Mail over SMTP, as text and as HTML, with the chart in it.

use std::{path::PathBuf, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};

use super::{Outbound, Outcome, SecretSource, maybe};
use crate::{
    config::{EmailConfig, Secret, TlsMode},
    letters::escaped,
    notify::client::struck,
};

const CHART: &str = "chart";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email {
    pub(crate) config: EmailConfig,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) password: Option<SecretSource>,
}

impl Email {
    pub(super) async fn send(&self, out: &Outbound<'_>) -> Result<Outcome, Outcome> {
        let mail = mail(&self.config, out).map_err(Outcome::Refused)?;
        self.sent(mail, out.client.timeout()).await
    }

    /// The sender, as the config has it.
    pub(crate) fn from(&self) -> &str {
        &self.config.from
    }

    /// Gives a mail to the mail server; each step of the talk may take so long.
    pub(crate) async fn post(&self, mail: Mail, timeout: Duration) -> Outcome {
        self.sent(mail, timeout).await.unwrap_or_else(|outcome| outcome)
    }

    async fn sent(&self, mail: Mail, timeout: Duration) -> Result<Outcome, Outcome> {
        let password = maybe(self.password.as_ref()).await?;
        let transport = self.transport(timeout, password.as_ref()).await?;
        let secrets: Vec<&Secret> = password.iter().collect();
        // The library's own time-out is for each step of the talk.
        let sent = tokio::time::timeout(timeout * 3, transport.send(mail)).await;
        Ok(match sent {
            Err(_) => Outcome::Again("the mail server took too long".to_owned(), None),
            Ok(Ok(answer)) => {
                let said = answer.message().next().unwrap_or_default().to_owned();
                Outcome::Delivered(struck(&format!("{} {said}", answer.code()), &secrets))
            }
            Ok(Err(error)) => {
                let words = struck(&words_of(&error), &secrets);
                // A login that fails can be mended; a mailbox that is none cannot.
                let code = error.status().map(|code| code.to_string()).unwrap_or_default();
                let mends = ["530", "534", "535", "538"].contains(&code.as_str());
                if error.is_permanent() && !mends {
                    Outcome::Refused(words)
                } else {
                    Outcome::Again(words, None)
                }
            }
        })
    }

    async fn transport(
        &self,
        timeout: Duration,
        password: Option<&Secret>,
    ) -> Result<AsyncSmtpTransport<Tokio1Executor>, Outcome> {
        // It was read when the config was validated.
        let (host, port) = self.config.smarthost.rsplit_once(':').unwrap_or((&self.config.smarthost, "587"));
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let tls = match self.config.tls {
            TlsMode::None => Tls::None,
            TlsMode::Starttls => Tls::Required(self.trust(host).await?),
            TlsMode::Implicit => Tls::Wrapper(self.trust(host).await?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port.parse().unwrap_or(587))
            .timeout(Some(timeout))
            .tls(tls);
        if let (Some(user), Some(password)) = (&self.config.username, password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
        }
        Ok(builder.build())
    }

    async fn trust(&self, host: &str) -> Result<TlsParameters, Outcome> {
        let again = |words: String| Outcome::Again(words, None);
        let mut builder = TlsParameters::builder(host.to_owned());
        if let Some(file) = &self.ca_file {
            let named = |error: &dyn std::fmt::Display| again(format!("{}: {error}", file.display()));
            let pem = tokio::fs::read(file).await.map_err(|error| named(&error))?;
            builder =
                builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| named(&error))?);
        }
        builder.build().map_err(|error| again(words_of(&error)))
    }
}

/// The mail, or what is wrong with it.
pub(super) fn mail(config: &EmailConfig, out: &Outbound<'_>) -> Result<Mail, String> {
    let (message, rendered) = (out.message, out.rendered);
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|error| format!("`{text}`: {error}"));
    let mut builder = Mail::builder()
        .from(mailbox(&config.from)?)
        .subject(&rendered.title)
        // A second copy has the same id, and mail about a group is one thread.
        .message_id(Some(format!("<{}@fleetglass>", message.key)))
        .references(format!("<{}@fleetglass>", message.incident()));
    for to in &config.to {
        builder = builder.to(mailbox(to)?);
    }
    let page = SinglePart::builder().header(ContentType::TEXT_HTML).body(html(out));
    let page = match out.chart {
        None => MultiPart::related().singlepart(page),
        Some(chart) => {
            let kind = ContentType::parse("image/png").map_err(|error| error.to_string())?;
            let chart = Attachment::new_inline(CHART.to_owned()).body(chart.to_vec(), kind);
            MultiPart::related().singlepart(page).singlepart(chart)
        }
    };
    let plain = SinglePart::plain(rendered.text());
    builder
        .multipart(MultiPart::alternative().singlepart(plain).multipart(page))
        .map_err(|error| error.to_string())
}

fn html(out: &Outbound<'_>) -> String {
    let rendered = out.rendered;
    let colour = super::colour(out.message);
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif\">\
         <h2 style=\"border-left:6px solid #{colour:06x};padding-left:8px\">{}</h2>",
        escaped(&rendered.title)
    );
    for part in &rendered.parts {
        if !part.head.is_empty() {
            page += &format!("<h3>{}</h3>", escaped(&part.head));
        }
        let lines: Vec<String> = part.lines.iter().map(|line| escaped(line)).collect();
        page += &format!("<p>{}</p>", lines.join("<br>"));
        let links = part.links.iter().map(|(words, url)| format!("<a href=\"{}\">{words}</a>", escaped(url)));
        page += &format!("<p>{}</p>", links.collect::<Vec<_>>().join(" · "));
    }
    if out.chart.is_some() {
        page += &format!(
            "<p><img src=\"cid:{CHART}\" width=\"480\" height=\"200\" alt=\"the last hour against its bound\"></p>"
        );
    }
    page + "</body></html>"
}

/// A failure with its causes.
fn words_of(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}
