//! What the first part reaches: from everything that JavaScript may call, over calls, constant data and slots of the
//! function table, but not through the door.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::code::{Reference, references};
use super::linked::{Linked, Needs};
use super::module::Module;
use crate::problem::Result;

/// What is left for the rest.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    /// Functions that are defined in the module.
    pub(super) functions: BTreeSet<u32>,
    /// Constant data, by its place in [`Linked::objects`].
    pub(super) objects: BTreeSet<usize>,
}

/// What the instructions of each function refer to.
pub(super) type References = HashMap<u32, Vec<Reference>>;

/// Reads all functions.
pub(super) fn references_of(module: &Module<'_>) -> Result<References> {
    module.defined().zip(&module.bodies).map(|(function, body)| Ok((function, references(body)?))).collect()
}

/// Whether a function is the door: the first part may call it, and the app waits for the rest there.
pub(super) fn is_door(module: &Module<'_>, door: &str, function: u32) -> bool {
    module.names.get(&function).is_some_and(|name| name.ends_with(door))
}

/// Shares a module out. What nobody reaches goes to the rest too.
pub(super) fn choose(module: &Module<'_>, references: &References, linked: &Linked, door: &str) -> Rest {
    let mut first =
        First { module, references, linked, door, functions: HashSet::new(), objects: HashSet::new() };
    first.reach();
    let objects = 0..linked.objects.len();
    Rest {
        functions: module.defined().filter(|function| !first.functions.contains(function)).collect(),
        objects: objects.filter(|object| !first.objects.contains(object)).collect(),
    }
}

struct First<'a> {
    module: &'a Module<'a>,
    references: &'a References,
    linked: &'a Linked,
    door: &'a str,
    functions: HashSet<u32>,
    objects: HashSet<usize>,
}

/// Something that was reached and not looked at yet.
enum Open {
    Function(u32),
    Object(usize),
}

impl First<'_> {
    fn reach(&mut self) {
        let in_slot: HashMap<u32, u32> = self
            .module
            .slots
            .iter()
            .flat_map(|(function, slots)| slots.iter().map(|slot| (*slot, *function)))
            .collect();
        let slots = |needs: &Needs| {
            needs.slots.iter().filter_map(|slot| in_slot.get(slot).copied()).collect::<Vec<_>>()
        };
        let bound = self.references.iter().filter(|(_, found)| found.contains(&Reference::Bound));
        let mut open: Vec<Open> = bound.map(|(function, _)| Open::Function(*function)).collect();
        open.extend(self.module.bound.iter().copied().map(Open::Function));
        // What nothing is known to use, JavaScript may.
        let used: HashSet<u32> = self.linked.slots().collect();
        open.extend(
            in_slot.iter().filter(|(slot, _)| !used.contains(slot)).map(|(_, held)| Open::Function(*held)),
        );
        let need = |open: &mut Vec<Open>, needs: &Needs| {
            open.extend(needs.objects.iter().copied().map(Open::Object));
            open.extend(slots(needs).into_iter().map(Open::Function));
        };
        need(&mut open, &self.linked.variable);
        while let Some(next) = open.pop() {
            match next {
                Open::Object(object) => {
                    if self.objects.insert(object) {
                        need(&mut open, &self.linked.objects[object].needs);
                    }
                }
                Open::Function(function) => {
                    let Some(found) = self.references.get(&function) else { continue };
                    if is_door(self.module, self.door, function) || !self.functions.insert(function) {
                        continue;
                    }
                    open.extend(found.iter().filter_map(|reference| match reference {
                        Reference::Call(other) | Reference::Function(other) => Some(Open::Function(*other)),
                        Reference::Global(_) | Reference::Bound => None,
                    }));
                    let name = self.module.names.get(&function);
                    if let Some(needs) = name.and_then(|name| self.linked.function(name)) {
                        need(&mut open, needs);
                    }
                }
            }
        }
    }
}
