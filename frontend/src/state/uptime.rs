//! How much of the time a node or a group was up, as the proxy counted it, and in words. Pure.

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::wire::{Uptime, UptimeWindow};

use crate::components::words::counted;
use crate::json::{Json, Malformed};

/// Reads the answer of `/api/v1/uptime`.
pub fn uptimes(json: &Json) -> Result<Vec<Uptime>, Malformed> {
    json.items_of("of")?.iter().map(uptime).collect()
}

fn uptime(json: &Json) -> Result<Uptime, Malformed> {
    let window = |json: &Json| {
        Ok(UptimeWindow {
            window: json.text_of("window")?,
            ratio: json.get("ratio").number(),
            up_ms: json.number_of("up_ms")? as u64,
            down_ms: json.number_of("down_ms")? as u64,
            unknown_ms: json.number_of("unknown_ms")? as u64,
            outages: json.number_of("outages")? as u32,
        })
    };
    Ok(Uptime {
        name: json.text_of("name")?,
        nodes: json.get("nodes").number().unwrap_or_default() as usize,
        windows: json.items_of("windows")?.iter().map(window).collect::<Result<_, _>>()?,
    })
}

/// A share in percent, rounded down: what was down for a second is not 100 %. Two digits after the point from
/// 90 % on, where they matter; `None` where nothing was observed.
pub fn percent(window: &UptimeWindow) -> Option<String> {
    let ratio = window.ratio?.clamp(0.0, 1.0);
    // A little more than what a float loses.
    let hundredths = (ratio * 10_000.0 + 1e-7) as u32;
    Some(match (hundredths / 100, hundredths % 100) {
        (100, _) if window.down_ms > 0 => "99.99 %".to_owned(),
        (whole @ (0 | 100), 0) => format!("{whole} %"),
        (whole @ 90.., part) => format!("{whole}.{part:02} %"),
        (whole, part) => format!("{whole}.{} %", part / 10),
    })
}

/// A window's name as a person reads it: `24 h`, `7 d`.
pub fn title(window: &UptimeWindow) -> String {
    let digits = window.window.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    format!("{digits} {}", &window.window[digits.len()..])
}

/// What stands behind the figure: `down 4 min in 2 outages, not watched for 3 h`.
pub fn in_words(window: &UptimeWindow) -> String {
    let mut words = match (window.ratio, window.down_ms) {
        (None, _) => return "no data yet".to_owned(),
        (_, 0) => "never down".to_owned(),
        (_, down) => {
            let down = duration_ms(i64::try_from(down).unwrap_or(i64::MAX));
            format!("down {down} in {}", counted(window.outages as usize, "outage", "outages"))
        }
    };
    // Less is a restart of Fleetglass.
    if window.unknown_ms >= 60_000 {
        let unknown = duration_ms(i64::try_from(window.unknown_ms).unwrap_or(i64::MAX));
        words.push_str(&format!(", not watched for {unknown}"));
    }
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn window(ratio: Option<f64>, down_ms: u64, unknown_ms: u64, outages: u32) -> UptimeWindow {
        UptimeWindow { window: "24h".into(), ratio, up_ms: 0, down_ms, unknown_ms, outages }
    }

    #[test]
    fn a_share_is_never_rounded_up_to_all() {
        for (ratio, down, shown) in [
            (1.0, 0, "100 %"),
            (0.999_999, 86, "99.99 %"),
            (1.0, 1, "99.99 %"),
            (0.9995, 43_200, "99.95 %"),
            (0.999, 1, "99.90 %"),
            (0.9029, 1, "90.29 %"),
            (0.5, 1, "50.0 %"),
            (0.4567, 1, "45.6 %"),
            (0.0001, 1, "0.0 %"),
            (0.0, 1, "0 %"),
        ] {
            assert_eq!(percent(&window(Some(ratio), down, 0, 1)).unwrap(), shown, "{ratio}");
        }
        assert_eq!(percent(&window(None, 0, 0, 0)), None);
    }

    #[test]
    fn the_words_say_what_the_figure_hides() {
        assert_eq!(in_words(&window(None, 0, 86_400_000, 0)), "no data yet");
        assert_eq!(in_words(&window(Some(1.0), 0, 30_000, 0)), "never down");
        assert_eq!(in_words(&window(Some(0.9), 240_000, 0, 1)), "down 4 min in 1 outage");
        assert_eq!(
            in_words(&window(Some(0.9), 8_640_000, 10_800_000, 2)),
            "down 2 h 24 min in 2 outages, not watched for 3 h"
        );
        assert_eq!(title(&window(None, 0, 0, 0)), "24 h");
    }

    #[test]
    fn an_answer_is_read() {
        let body = r#"{"at":5,"of":[{"name":"eu","nodes":2,"windows":[
            {"window":"24h","ratio":0.5,"up_ms":1,"down_ms":1,"unknown_ms":0,"outages":1},
            {"window":"7d","up_ms":0,"down_ms":0,"unknown_ms":9,"outages":0}]}]}"#;
        let read = uptimes(&Json::parse(body).unwrap()).unwrap();
        assert_eq!((read[0].name.as_str(), read[0].nodes, read[0].windows.len()), ("eu", 2, 2));
        assert_eq!((read[0].windows[0].ratio, read[0].windows[1].ratio), (Some(0.5), None));
        assert_eq!(uptimes(&Json::parse("{}").unwrap()), Err(Malformed("of")));
    }
}
