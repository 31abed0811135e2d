//! The parameters of a request.

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{Matcher, Selector};
use fleetglass_shared::promql::duration_ms;

use super::QueryError;

pub(super) fn bad(parameter: &str, problem: &str) -> QueryError {
    QueryError::BadData(format!("invalid parameter {parameter:?}: {problem}"))
}

/// The parameters of a request, from its query string and its form body.
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn read(uri: Option<&str>, body: &[u8]) -> Result<Self, QueryError> {
        let body = std::str::from_utf8(body)
            .map_err(|_| QueryError::BadData("the form in the body is not UTF-8".to_owned()))?;
        let mut params = Vec::new();
        for pair in uri.unwrap_or("").split('&').chain(body.trim_end().split('&')).filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            params.push((percent_decoded(name)?, percent_decoded(value)?));
        }
        Ok(Self(params))
    }

    /// Every value of a parameter that may be given several times.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Every parameter, as they were given.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn time(&self, name: &str) -> Result<Option<UnixMillis>, QueryError> {
        let Some(text) = self.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        let time =
            time_ms(text).ok_or_else(|| bad(name, &format!("cannot parse {text:?} to a valid timestamp")))?;
        Ok(Some(time))
    }

    /// A duration or seconds; as milliseconds, more than 0.
    pub(super) fn duration(&self, name: &str) -> Result<Option<i64>, QueryError> {
        let Some(text) = self.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        let ms = step_ms(text).filter(|&ms| ms > 0);
        ms.map(Some).ok_or_else(|| bad(name, &format!("cannot parse {text:?} to a valid duration")))
    }

    pub(super) fn start(&self) -> Result<UnixMillis, QueryError> {
        Ok(self.time("start")?.unwrap_or(UnixMillis::MIN))
    }

    pub(super) fn end(&self) -> Result<UnixMillis, QueryError> {
        Ok(self.time("end")?.unwrap_or(UnixMillis::MAX))
    }

    pub(super) fn limit(&self, name: &str) -> Result<usize, QueryError> {
        match self.get(name).filter(|text| !text.is_empty()) {
            None => Ok(usize::MAX),
            Some(text) => match text.parse() {
                // As in Prometheus, 0 is no limit, and metadata's -1 too.
                Ok(0i64 | -1) => Ok(usize::MAX),
                Ok(limit) => usize::try_from(limit).map_err(|_| bad(name, "limit must be non-negative")),
                Err(_) => Err(bad(name, &format!("{text:?} is not a number"))),
            },
        }
    }

    pub(crate) fn matches(&self) -> Result<Vec<Vec<Matcher>>, QueryError> {
        let selectors = self.0.iter().filter(|(name, _)| name == "match[]");
        let parse = |(_, text): &(String, String)| {
            Selector::parse(text).map(|selector| selector.matchers).map_err(|error| {
                bad("match[]", &format!("1:{}: parse error: {}", error.column, error.problem))
            })
        };
        selectors.map(parse).collect()
    }

    /// As [`Params::matches`], but with no selector everything is meant.
    pub(super) fn any_matches(&self) -> Result<Vec<Vec<Matcher>>, QueryError> {
        let selectors = self.matches()?;
        Ok(if selectors.is_empty() { vec![Vec::new()] } else { selectors })
    }
}

fn percent_decoded(text: &str) -> Result<String, QueryError> {
    let broken = || QueryError::BadData(format!("{text:?} is not percent-encoded UTF-8"));
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || (bytes.next()? as char).to_digit(16);
                let (high, low) = (digit().ok_or_else(broken)?, digit().ok_or_else(broken)?);
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(out).map_err(|_| broken())
}

/// Unix seconds with decimals, or RFC 3339, as milliseconds.
fn time_ms(text: &str) -> Option<UnixMillis> {
    // Far enough for any time, and no sum of two overflows.
    const FARTHEST: f64 = 1e15;
    if let Ok(seconds) = text.parse::<f64>() {
        let millis = (seconds * 1000.0).round();
        return (millis.abs() <= FARTHEST).then_some(millis as UnixMillis);
    }
    rfc3339_ms(text)
}

/// RFC 3339 with any offset, as milliseconds.
pub(crate) fn rfc3339_ms(text: &str) -> Option<UnixMillis> {
    let (local, offset_ms) = match text.strip_suffix(['Z', 'z']) {
        Some(local) => (local, 0),
        None => {
            let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
            let sign = match offset.as_bytes()[0] {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            let (hours, minutes) = offset[1..].split_once(':')?;
            (local, sign * (hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?) * 60_000)
        }
    };
    let utc = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    let since = utc.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(UnixMillis::try_from(since.as_millis()).ok()? - offset_ms)
}

/// Seconds with decimals, or a duration, as milliseconds.
pub(super) fn step_ms(text: &str) -> Option<i64> {
    const LONGEST: f64 = 1e15;
    match text.parse::<f64>() {
        Ok(seconds) => {
            let millis = (seconds * 1000.0).round();
            (millis.abs() <= LONGEST).then_some(millis as i64)
        }
        Err(_) => duration_ms(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_steps() {
        assert_eq!(time_ms("1435781430.781"), Some(1_435_781_430_781));
        assert_eq!(time_ms("2015-07-01T20:10:30.781Z"), Some(1_435_781_430_781));
        assert_eq!(time_ms("2015-07-01T22:10:30.781+02:00"), Some(1_435_781_430_781));
        for bad in ["", "yesterday", "NaN", "inf", "1e300", "é12345", "2015-13-01T00:00:00Z"] {
            assert_eq!(time_ms(bad), None, "{bad}");
        }
        assert_eq!((step_ms("15"), step_ms("0.5"), step_ms("1m")), (Some(15_000), Some(500), Some(60_000)));
        assert_eq!((step_ms(""), step_ms("x"), step_ms("1e300")), (None, None, None));
    }

    #[test]
    fn forms_are_decoded() {
        assert_eq!(percent_decoded("a%7Bb%3D%22c+d%22%7D").ok().as_deref(), Some("a{b=\"c d\"}"));
        assert!(
            percent_decoded("%").is_err()
                && percent_decoded("%zz").is_err()
                && percent_decoded("%ff").is_err()
        );
    }
}
