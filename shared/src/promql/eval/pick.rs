//! Aggregations that need all samples of a group at once: those that choose some, and quantiles.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::Eval;
use super::math;
use super::rows::{Grouping, Places, Row, nameless};
use crate::labels::{LabelSet, METRIC_NAME};
use crate::promql::error::EvalError;
use crate::promql::notes::Note;
use crate::promql::plan::{Aggregate, Fold};
use crate::promql::storage::{is_stale, stale_marker};
use crate::sample::go_float;

/// Rows by group: the places of a group's rows.
struct Groups {
    members: Vec<Vec<usize>>,
}

impl Groups {
    fn new(rows: &[Row], grouping: Grouping<'_>) -> Self {
        let mut places = Places::default();
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut key = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            grouping.key(&row.labels, false, &mut key);
            let place = places.of(&key);
            if place == members.len() {
                members.push(Vec::new());
            }
            members[place].push(at);
        }
        Self { members }
    }
}

impl Eval<'_> {
    pub(super) fn pick(&self, aggregate: &Aggregate) -> Result<Vec<Row>, EvalError> {
        let Some(param) = &aggregate.param else {
            return Err(EvalError::execution("the aggregation has no parameter"));
        };
        let grouping = Grouping { labels: &aggregate.labels, without: aggregate.without };
        if aggregate.fold == Fold::CountValues {
            let label = self.text(param)?;
            if label.is_empty() {
                return Err(EvalError::execution(format!("invalid label name {label:?}")));
            }
            return self.count_values(aggregate, grouping, label);
        }
        let param_at = param.at;
        let param = self.scalar(param)?;
        match aggregate.fold {
            Fold::Quantile => {
                for &q in param.iter().filter(|q| q.is_nan() || !(0.0..=1.0).contains(*q)) {
                    self.env.note(&Note::Quantile(q), param_at);
                }
                let rows = self.rows(&aggregate.of)?;
                self.quantiles(&rows, grouping, &param)
            }
            Fold::LimitRatio => {
                if param.iter().any(|ratio| ratio.is_nan()) {
                    return Err(EvalError::execution("Ratio value is NaN"));
                }
                for &ratio in param.iter().filter(|ratio| ratio.abs() > 1.0) {
                    self.env.note(&Note::Ratio(ratio, ratio.signum()), param_at);
                }
                let mut rows = self.rows(&aggregate.of)?;
                for row in &mut rows {
                    let place = hash(&row.labels) as f64 / u64::MAX as f64;
                    for (value, ratio) in row.values.iter_mut().zip(&param) {
                        if !within_ratio(place, ratio.clamp(-1.0, 1.0)) {
                            *value = stale_marker();
                        }
                    }
                }
                Ok(rows)
            }
            _ => {
                let wanted = counts(&param)?;
                let rows = self.rows(&aggregate.of)?;
                Ok(self.choose(aggregate.fold, rows, grouping, &wanted))
            }
        }
    }

    fn quantiles(&self, rows: &[Row], grouping: Grouping<'_>, param: &[f64]) -> Result<Vec<Row>, EvalError> {
        let mut found = Vec::new();
        let mut scratch = Vec::new();
        for members in Groups::new(rows, grouping).members {
            self.env.go_on()?;
            self.env.hold(self.steps())?;
            let at = |step: usize| {
                scratch.clear();
                scratch.extend(members.iter().map(|&row| rows[row].values[step]).filter(|v| !is_stale(*v)));
                if scratch.is_empty() { stale_marker() } else { math::quantile(param[step], &mut scratch) }
            };
            let values = (0..self.steps()).map(at).collect();
            let first = &rows[members[0]];
            let labels = grouping.of(&first.labels);
            let named = labels.get(METRIC_NAME).is_some();
            let nameless = named && members.iter().all(|&row| rows[row].nameless);
            found.push(Row { labels, nameless, values });
        }
        Ok(found)
    }

    /// `topk`, `bottomk` and `limitk`: which rows stay at which step.
    fn choose(&self, fold: Fold, mut rows: Vec<Row>, grouping: Grouping<'_>, wanted: &[usize]) -> Vec<Row> {
        let groups = Groups::new(&rows, grouping);
        let mut order: Vec<usize> = Vec::with_capacity(rows.len());
        let mut there = Vec::new();
        let compare = |a: f64, b: f64| match (a.is_nan(), b.is_nan()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) if fold == Fold::TopK => b.total_cmp(&a),
            (false, false) => a.total_cmp(&b),
        };
        for members in &groups.members {
            for (step, &wanted) in wanted.iter().enumerate() {
                there.clear();
                let value = |row: usize| (rows[row].values[step], row);
                there.extend(members.iter().map(|&row| value(row)).filter(|(value, _)| !is_stale(*value)));
                if fold != Fold::LimitK {
                    let by_rank = |a: &(f64, usize), b: &(f64, usize)| compare(a.0, b.0).then(a.1.cmp(&b.1));
                    if wanted > 0 && wanted < there.len() {
                        // Only the chosen need an order.
                        there.select_nth_unstable_by(wanted - 1, by_rank);
                        there[..wanted].sort_by(by_rank);
                    } else {
                        there.sort_by(by_rank);
                    }
                }
                for &(_, row) in there.iter().skip(wanted) {
                    rows[row].values[step] = stale_marker();
                }
                if step == 0 {
                    order.extend(there.iter().take(wanted).map(|&(_, row)| row));
                }
            }
        }
        if !self.env.instant || self.steps() != 1 {
            return rows;
        }
        let mut rows: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
        order.into_iter().filter_map(|row| rows[row].take()).collect()
    }

    fn count_values(
        &self,
        aggregate: &Aggregate,
        grouping: Grouping<'_>,
        label: &str,
    ) -> Result<Vec<Row>, EvalError> {
        let delayed = self.env.options.delayed_name_removal;
        let mut found: HashMap<LabelSet, Row> = HashMap::new();
        self.each(&aggregate.of, &mut |labels, gone, values| {
            let mut group = grouping.of(labels);
            if gone && !delayed {
                group = nameless(&group);
            }
            for (step, value) in values.iter().enumerate().filter(|(_, value)| !is_stale(**value)) {
                let text = if value.is_finite() { format!("{value}") } else { go_float(*value) };
                let named = group.iter().filter(|(name, _)| *name != label);
                let labels = LabelSet::from_pairs(named.chain([(label, text.as_str())]));
                if !found.contains_key(&labels) {
                    self.env.hold(values.len() + 8)?;
                    let values = vec![stale_marker(); values.len()];
                    let named = labels.get(METRIC_NAME).is_some();
                    found.insert(
                        labels.clone(),
                        Row { labels: labels.clone(), nameless: gone && delayed && named, values },
                    );
                }
                if let Some(row) = found.get_mut(&labels) {
                    let count = &mut row.values[step];
                    *count = if is_stale(*count) { 1.0 } else { *count + 1.0 };
                }
            }
            Ok(())
        })?;
        let mut rows: Vec<Row> = found.into_values().collect();
        rows.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(rows)
    }
}

/// How many are wanted at each step.
fn counts(param: &[f64]) -> Result<Vec<usize>, EvalError> {
    const MOST: f64 = 9_223_372_036_854_774_784.0;
    if param.iter().any(|k| k.is_nan()) {
        return Err(EvalError::execution("Parameter value is NaN"));
    }
    let one = |&k: &f64| {
        if k > MOST {
            Err(EvalError::execution(format!("Scalar value {} overflows int64", go_float(k))))
        } else if k < -MOST - 1024.0 {
            Err(EvalError::execution(format!("Scalar value {} underflows int64", go_float(k))))
        } else {
            Ok(k.max(0.0) as usize)
        }
    };
    param.iter().map(one).collect()
}

/// A positive ratio takes the first part of all hashes, a negative one the last part of them: `r` and
/// `r - 1` complete each other.
fn within_ratio(place: f64, ratio: f64) -> bool {
    if ratio >= 0.0 { place < ratio || ratio == 1.0 } else { place >= 1.0 + ratio }
}

/// The hash Prometheus gives a label set, so that the same series are chosen: XXH64 of all names and values,
/// each behind its length.
fn hash(labels: &LabelSet) -> u64 {
    let mut bytes = Vec::new();
    for part in labels.iter().flat_map(|(name, value)| [name, value]) {
        match u8::try_from(part.len()) {
            Ok(length) if length < 255 => bytes.push(length),
            _ => {
                bytes.push(255);
                bytes.extend_from_slice(&(part.len() as u32).to_le_bytes()[..3]);
            }
        }
        bytes.extend_from_slice(part.as_bytes());
    }
    xxh64(&bytes)
}

const PRIMES: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];

/// XXH64 with seed 0. Source: github.com/Cyan4973/xxHash, doc/xxhash_spec.md.
fn xxh64(input: &[u8]) -> u64 {
    let [p1, p2, p3, p4, p5] = PRIMES;
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
    let round =
        |lane: u64, input: u64| lane.wrapping_add(input.wrapping_mul(p2)).rotate_left(31).wrapping_mul(p1);
    let mut stripes = input.chunks_exact(32);
    let mut hash = if input.len() >= 32 {
        let mut lanes = [p1.wrapping_add(p2), p2, 0, 0u64.wrapping_sub(p1)];
        for stripe in stripes.by_ref() {
            for (lane, bytes) in lanes.iter_mut().zip(stripe.chunks_exact(8)) {
                *lane = round(*lane, word(bytes));
            }
        }
        let turned = lanes.iter().zip([1, 7, 12, 18]).map(|(lane, turn)| lane.rotate_left(turn));
        let joined = turned.fold(0u64, u64::wrapping_add);
        lanes.iter().fold(joined, |hash, &lane| (hash ^ round(0, lane)).wrapping_mul(p1).wrapping_add(p4))
    } else {
        p5
    };
    hash = hash.wrapping_add(input.len() as u64);
    let mut rest = stripes.remainder();
    while let Some((bytes, after)) = rest.split_at_checked(8) {
        hash = (hash ^ round(0, word(bytes))).rotate_left(27).wrapping_mul(p1).wrapping_add(p4);
        rest = after;
    }
    if let Some((bytes, after)) = rest.split_at_checked(4) {
        hash = (hash ^ word(bytes).wrapping_mul(p1)).rotate_left(23).wrapping_mul(p2).wrapping_add(p3);
        rest = after;
    }
    for &byte in rest {
        hash = (hash ^ u64::from(byte).wrapping_mul(p5)).rotate_left(11).wrapping_mul(p1);
    }
    hash = (hash ^ hash >> 33).wrapping_mul(p2);
    hash = (hash ^ hash >> 29).wrapping_mul(p3);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xxh64_of_known_texts() {
        assert_eq!(xxh64(b""), 0xef46_db37_51d8_e999);
        assert_eq!(xxh64(b"a"), 0xd24e_c4f1_a98c_6e5b);
        assert_eq!(xxh64(b"abc"), 0x44bc_2cf5_ad77_0999);
        assert_eq!(xxh64(b"Nobody inspects the spammish repetition"), 0xfbce_a83c_8a37_8bf1);
    }

    #[test]
    fn a_ratio_and_its_rest_take_each_once() {
        for place in [0.0, 0.2, 0.5, 0.7999, 0.8, 1.0] {
            assert!(within_ratio(place, 0.8) != within_ratio(place, 0.8 - 1.0), "{place}");
        }
    }
}
