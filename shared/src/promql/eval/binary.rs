//! Operators: between numbers, between a vector and a number, and between vectors whose labels match.

use hashbrown::{HashMap, HashSet};

use super::rows::{Grouping, Places, Row, in_words, merged_or, nameless};
use super::{Eval, Sink};
use crate::labels::{LabelSet, METRIC_NAME};
use crate::promql::error::EvalError;
use crate::promql::plan::{Binary, Card, Kind, Op};
use crate::promql::storage::{is_stale, stale_marker};

/// The value of an operator between two numbers; a comparison is 1 or 0.
pub(super) fn scalars(op: Op, a: f64, b: f64) -> f64 {
    if op.compares() { f64::from(holds(op, a, b)) } else { arithmetic(op, a, b) }
}

fn arithmetic(op: Op, a: f64, b: f64) -> f64 {
    match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
        Op::Mod => a % b,
        Op::Pow => a.powf(b),
        Op::Atan2 => a.atan2(b),
        _ => f64::NAN,
    }
}

fn holds(op: Op, a: f64, b: f64) -> bool {
    match op {
        Op::Equal => a == b,
        Op::NotEqual => a != b,
        Op::Less => a < b,
        Op::Greater => a > b,
        Op::LessEqual => a <= b,
        Op::GreaterEqual => a >= b,
        _ => false,
    }
}

/// An operator between two samples: a comparison keeps the left one, or gives 1 or 0.
fn samples(op: Op, bool_result: bool, a: f64, b: f64) -> Option<f64> {
    if !op.compares() {
        return Some(arithmetic(op, a, b));
    }
    let holds = holds(op, a, b);
    if bool_result { Some(f64::from(holds)) } else { holds.then_some(a) }
}

impl Binary {
    /// Whether what comes out is no longer what the metric's name says.
    fn drops_name(&self) -> bool {
        !self.op.compares() || self.bool_result
    }

    pub(super) fn grouping(&self) -> Grouping<'_> {
        Grouping { labels: &self.labels, without: !self.on }
    }
}

impl Eval<'_> {
    /// Between a vector and a number.
    pub(super) fn with_scalar(&self, binary: &Binary, sink: Sink<'_>) -> Result<(), EvalError> {
        let vector_left = binary.left.kind() == Kind::Vector;
        let (vector, scalar) =
            if vector_left { (&binary.left, &binary.right) } else { (&binary.right, &binary.left) };
        let numbers = self.scalar(scalar)?;
        let (op, bool_result, drops) = (binary.op, binary.bool_result, binary.drops_name());
        self.each(vector, &mut |labels, nameless, values| {
            for (value, &number) in values.iter_mut().zip(&numbers) {
                if is_stale(*value) {
                    continue;
                }
                let (a, b) = if vector_left { (*value, number) } else { (number, *value) };
                *value = match samples(op, bool_result, a, b) {
                    None => stale_marker(),
                    // It is the vector's sample that stays.
                    Some(_) if op.compares() && !bool_result => *value,
                    Some(result) => result,
                };
            }
            // Most rules hold for few series: of the others nothing is left.
            if op.compares() && values.iter().all(|value| is_stale(*value)) {
                return Ok(());
            }
            sink(labels, nameless || drops, values)
        })
    }

    /// Between two vectors: each sample of one side with the one of the other that has the same labels.
    pub(super) fn matched(&self, binary: &Binary) -> Result<Vec<Row>, EvalError> {
        let left = self.rows(&binary.left)?;
        let right = self.rows(&binary.right)?;
        let swapped = matches!(binary.card, Card::OneToMany(_));
        let (many, one) = if swapped { (&right, &left) } else { (&left, &right) };
        Matching::new(self, binary, many, one, swapped).rows()
    }
}

struct Matching<'m> {
    eval: &'m Eval<'m>,
    binary: &'m Binary,
    many: &'m [Row],
    one: &'m [Row],
    swapped: bool,
    /// The rows of the one side, by match group.
    ones: Vec<Vec<usize>>,
    places: Places,
}

impl<'m> Matching<'m> {
    fn new(eval: &'m Eval<'m>, binary: &'m Binary, many: &'m [Row], one: &'m [Row], swapped: bool) -> Self {
        let (mut places, mut key) = (Places::default(), Vec::new());
        let mut ones: Vec<Vec<usize>> = Vec::new();
        for (at, row) in one.iter().enumerate() {
            binary.grouping().key(&row.labels, false, &mut key);
            let place = places.of(&key);
            if place == ones.len() {
                ones.push(Vec::new());
            }
            ones[place].push(at);
        }
        Self { eval, binary, many, one, swapped, ones, places }
    }

    fn rows(&self) -> Result<Vec<Row>, EvalError> {
        self.one_is_one()?;
        let one_to_one = self.binary.card == Card::OneToOne;
        let steps = self.eval.steps();
        // Of a group with several rows on the many side, at which steps one has been matched.
        let mut taken: HashMap<usize, Vec<bool>> = HashMap::new();
        let mut seen: HashSet<usize> = HashSet::new();
        let mut found = Vec::with_capacity(self.many.len());
        let mut keys = Vec::with_capacity(self.many.len());
        let mut key = Vec::new();
        let mut crowded = HashSet::new();
        for row in self.many {
            self.binary.grouping().key(&row.labels, false, &mut key);
            let place = self.places.find(&key);
            if let Some(place) = place.filter(|place| !seen.insert(*place)) {
                crowded.insert(place);
            }
            keys.push(place);
        }
        for (row, place) in self.many.iter().zip(keys) {
            self.eval.env.go_on()?;
            let Some(place) = place else { continue };
            for &other in &self.ones[place] {
                let other = &self.one[other];
                let values = self.values(row, other);
                if values.iter().all(|value| is_stale(*value)) {
                    continue;
                }
                if one_to_one && crowded.contains(&place) {
                    let taken = taken.entry(place).or_insert_with(|| vec![false; steps]);
                    for (taken, value) in taken.iter_mut().zip(&values) {
                        if !is_stale(*value) && std::mem::replace(taken, true) {
                            return Err(EvalError::execution(
                                "multiple matches for labels: many-to-one matching must be explicit \
                                 (group_left/group_right)",
                            ));
                        }
                    }
                }
                self.eval.env.hold(values.len() + 8)?;
                found.push(self.labelled(row, other, values));
            }
        }
        if one_to_one && crowded.is_empty() && self.ones.iter().all(|rows| rows.len() == 1) {
            // Each pair has a group of its own, and the labels of a pair are those of its group.
            return Ok(found);
        }
        let error = if one_to_one { EvalError::same_labels } else { not_unique };
        merged_or(found, error)
    }

    fn values(&self, row: &Row, other: &Row) -> Vec<f64> {
        let Binary { op, bool_result, .. } = *self.binary;
        let one = |(&mine, &theirs): (&f64, &f64)| {
            if is_stale(mine) || is_stale(theirs) {
                return stale_marker();
            }
            let (a, b) = if self.swapped { (theirs, mine) } else { (mine, theirs) };
            samples(op, bool_result, a, b).unwrap_or_else(stale_marker)
        };
        row.values.iter().zip(&other.values).map(one).collect()
    }

    fn labelled(&self, row: &Row, other: &Row, values: Vec<f64>) -> Row {
        let binary = self.binary;
        let drops = binary.drops_name();
        let delayed = self.eval.env.options.delayed_name_removal;
        let mut labels = row.labels.clone();
        let included = match &binary.card {
            Card::OneToOne => {
                if binary.on {
                    labels = binary.grouping().of(&labels);
                } else if !binary.labels.is_empty() {
                    labels = labels.without(|name| binary.labels.iter().any(|label| label == name));
                }
                &[][..]
            }
            Card::ManyToOne(included) | Card::OneToMany(included) => included.as_slice(),
        };
        if !included.is_empty() {
            let own = labels.iter().filter(|(name, _)| !included.iter().any(|label| label == name));
            let theirs = included.iter().map(|label| (label.as_str(), other.labels.get(label).unwrap_or("")));
            labels = LabelSet::from_pairs(own.chain(theirs));
        }
        if drops && !included.iter().any(|label| label == METRIC_NAME) {
            labels = nameless(&labels);
        }
        let nameless = delayed && row.nameless && labels.get(METRIC_NAME).is_some();
        Row { labels, nameless, values }
    }

    /// On the one side no two samples may be in a match group at once, at any step at which both sides have
    /// samples at all.
    fn one_is_one(&self) -> Result<(), EvalError> {
        let steps = self.eval.steps();
        let crowded: Vec<&Vec<usize>> = self.ones.iter().filter(|rows| rows.len() > 1).collect();
        if crowded.is_empty() {
            return Ok(());
        }
        let any = |step: usize| self.many.iter().any(|row| !is_stale(row.values[step]));
        let mut holder: Vec<Option<usize>> = vec![None; steps];
        for rows in crowded {
            holder.iter_mut().for_each(|holder| *holder = None);
            for &at in rows {
                for (step, holder) in holder.iter_mut().enumerate() {
                    if is_stale(self.one[at].values[step]) {
                        continue;
                    }
                    match *holder {
                        Some(first) if any(step) => return Err(self.duplicate(first, at)),
                        _ => *holder = Some(at),
                    }
                }
            }
        }
        Ok(())
    }

    fn duplicate(&self, first: usize, second: usize) -> EvalError {
        let (a, b) = (&self.one[first].labels, &self.one[second].labels);
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        let side = if self.swapped { "left" } else { "right" };
        EvalError::execution(format!(
            "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}, {}];\
             many-to-many matching not allowed: matching labels must be unique on one side",
            in_words(&self.binary.grouping().of(a)),
            in_words(a),
            in_words(b)
        ))
    }
}

fn not_unique() -> EvalError {
    EvalError::execution("multiple matches for labels: grouping labels must ensure unique matches")
}
