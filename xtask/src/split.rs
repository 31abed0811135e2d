//! Cuts the app's WebAssembly in two: what the first page needs, and the rest, which is fetched when it is
//! first needed (`docs/decisions/0008-one-element-type.md`).
//!
//! Both parts share memory, globals and the function table. In the first part a function of the rest is a
//! stub: it calls the table's last slot, where `static/boot.js` puts a function that loads the rest at once,
//! and then goes through the function's own slot, where the rest has put the real one. So a call is always
//! right, however early it comes; the app has the rest fetched before it opens a page of it, and the stubs
//! are there for what nobody foresaw.
//!
//! | module | is |
//! |---|---|
//! | `bytes` | numbers and lists of the binary format |
//! | `module` | sections, and what is said of each function |
//! | `code` | instructions, and the indices in them |

mod bytes;
mod code;
mod module;

use crate::problem::{Problem, Result};
use bytes::{put, put_counted, put_signed};
use code::{Reference, references, renumbered};
use module::{HEADER, Module, put_list, put_section, section};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What the rest imports from the first part by this module's name.
const FIRST: &str = "first";

/// What is longer is hardly alike in both parts; and if it is, there are the stubs. Of the app's functions
/// some 100 are that short, of 20 KB together; with 60 bytes one was called too early, with 120 none.
const SMALL: usize = 250;

/// A module in two parts.
pub(crate) struct Parts {
    /// What is there at once.
    pub(crate) first: Vec<u8>,
    /// What is fetched later.
    pub(crate) rest: Vec<u8>,
    /// How many functions the rest has.
    pub(crate) functions: usize,
}

/// Splits a module: to the rest go the functions whose name holds one of `words`, and those that only they
/// call. The first part calls only those of the rest whose name ends with `door`: there the app waits for it.
/// `None` when the rest would be empty, e.g. because the file holds no names.
pub(crate) fn split(bytes: &[u8], words: &[&str], door: &str) -> Result<Option<Parts>> {
    let module = Module::read(bytes)?;
    let calls = Calls::of(&module)?;
    let rest = choose(&module, &calls, words, door);
    if rest.is_empty() {
        return Ok(None);
    }
    let called_from_first: BTreeSet<u32> =
        rest.iter().copied().filter(|f| calls.callers(*f).any(|caller| !rest.contains(&caller))).collect();
    // A slot for each function that the first part may call, by the table or by name.
    let mut slots: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut next = module.table.least;
    for function in &rest {
        match module.slots.get(function) {
            Some(held) => drop(slots.insert(*function, held.clone())),
            None if called_from_first.contains(function) => {
                slots.insert(*function, vec![next]);
                next += 1;
            }
            None => {}
        }
    }
    let plain = module.plain.ok_or_else(|| Problem::new("no function of the app takes and gives nothing"))?;
    let cut = Cut { module: &module, calls: &calls, rest: &rest, slots: &slots, table: next + 1, plain };
    Ok(Some(Parts { first: cut.first(), rest: cut.rest()?, functions: rest.len() }))
}

/// Who calls whom by name.
struct Calls {
    /// What each function that is defined here refers to.
    references: HashMap<u32, Vec<Reference>>,
    callers: HashMap<u32, Vec<u32>>,
    /// Functions of which a reference is taken, or that use what the rest cannot have.
    bound: HashSet<u32>,
}

impl Calls {
    fn of(module: &Module<'_>) -> Result<Self> {
        let mut calls = Self { references: HashMap::new(), callers: HashMap::new(), bound: HashSet::new() };
        for (function, body) in module.defined().zip(&module.bodies) {
            let found = references(body)?;
            for reference in &found {
                match reference {
                    Reference::Call(called) => calls.callers.entry(*called).or_default().push(function),
                    Reference::Function(taken) => drop(calls.bound.insert(*taken)),
                    Reference::Bound => drop(calls.bound.insert(function)),
                    Reference::Global(_) => {}
                }
            }
            calls.references.insert(function, found);
        }
        Ok(calls)
    }

    fn callees(&self, function: u32) -> impl Iterator<Item = u32> {
        self.references[&function].iter().filter_map(|reference| match reference {
            Reference::Call(called) => Some(*called),
            _ => None,
        })
    }

    fn callers(&self, function: u32) -> impl Iterator<Item = u32> {
        self.callers.get(&function).into_iter().flatten().copied()
    }
}

/// The functions of the rest.
fn choose(module: &Module<'_>, calls: &Calls, words: &[&str], door: &str) -> BTreeSet<u32> {
    let name = |function: &u32| module.names.get(function).map_or("", String::as_str);
    let may = |function: &u32| !module.bound.contains(function) && !calls.bound.contains(function);
    let named = |function: &u32| words.iter().any(|word| name(function).contains(word));
    let mut rest: BTreeSet<u32> = module.defined().filter(|f| may(f) && named(f)).collect();
    // The compiler makes one function of two that are alike, and may give it the name that the rest knows it
    // by. Those are small, and call nothing that only the rest has: such functions stay in the first part.
    let plain: Vec<u32> = rest
        .iter()
        .copied()
        .filter(|f| module.body(*f).len() <= SMALL && !calls.callees(*f).any(|called| rest.contains(&called)))
        .collect();
    rest.retain(|function| !plain.contains(function));
    // What nobody calls by name, but only through the table, and that calls what only the rest has, is a shim of a
    // closure there.
    loop {
        let shim = |function: &u32| {
            may(function)
                && module.slots.contains_key(function)
                && calls.callers(*function).all(|caller| caller == *function || rest.contains(&caller))
                && calls
                    .callees(*function)
                    .any(|called| rest.contains(&called) && !name(&called).ends_with(door))
        };
        let more: Vec<u32> = module.defined().filter(|f| !rest.contains(f) && shim(f)).collect();
        if more.is_empty() {
            break;
        }
        rest.extend(more);
    }
    // So does what the first part calls by name.
    loop {
        let called = |f: &u32| calls.callers(*f).any(|caller| !rest.contains(&caller));
        let back: Vec<u32> = rest.iter().copied().filter(|f| !name(f).ends_with(door) && called(f)).collect();
        if back.is_empty() {
            break;
        }
        rest.retain(|function| !back.contains(function));
    }
    loop {
        let only_from_there = |function: &u32| {
            let mut callers = calls.callers(*function).peekable();
            callers.peek().is_some() && callers.all(|caller| caller == *function || rest.contains(&caller))
        };
        let more: Vec<u32> = module
            .defined()
            .filter(|f| !rest.contains(f) && may(f) && !module.slots.contains_key(f) && only_from_there(f))
            .collect();
        if more.is_empty() {
            return rest;
        }
        rest.extend(more);
    }
}

struct Cut<'a> {
    module: &'a Module<'a>,
    calls: &'a Calls,
    rest: &'a BTreeSet<u32>,
    slots: &'a BTreeMap<u32, Vec<u32>>,
    /// How many slots the table has with the new ones.
    table: u32,
    /// The type of a function that takes and gives nothing.
    plain: u32,
}

impl Cut<'_> {
    /// Functions and globals of the first part that the rest needs.
    fn shared(&self) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let (mut functions, mut globals) = (BTreeSet::new(), BTreeSet::new());
        for reference in self.rest.iter().flat_map(|function| &self.calls.references[function]) {
            match reference {
                Reference::Call(index) | Reference::Function(index) if !self.rest.contains(index) => {
                    functions.insert(*index);
                }
                Reference::Global(index) => drop(globals.insert(*index)),
                _ => {}
            }
        }
        (functions, globals)
    }

    fn first(&self) -> Vec<u8> {
        let mut out = HEADER.to_vec();
        for (number, content) in &self.module.sections {
            match *number {
                section::CUSTOM => {}
                section::TABLE => put_section(&mut out, section::TABLE, &self.larger_table(content)),
                section::EXPORT => put_section(&mut out, section::EXPORT, &self.more_exports(content)),
                section::CODE => put_list(&mut out, section::CODE, &self.stubs()),
                number => put_section(&mut out, number, content),
            }
        }
        out
    }

    /// The table section with room for the new slots.
    fn larger_table(&self, content: &[u8]) -> Vec<u8> {
        let held = self.module.table;
        let limits = |least: u32, most: Option<u32>| {
            let mut out = vec![0x70, u8::from(most.is_some())];
            put(&mut out, least);
            most.into_iter().for_each(|most| put(&mut out, most));
            out
        };
        // The number of tables is one byte: there are not 128 of them.
        let (count, after) = content.split_at(1);
        let after = &after[limits(held.least, held.most).len()..];
        let grown = held.most.map(|most| most.max(self.table));
        [count, &limits(self.table, grown), after].concat()
    }

    /// The export section with what the rest needs: each by its index, which no name of the app looks like.
    fn more_exports(&self, content: &[u8]) -> Vec<u8> {
        let (functions, globals) = self.shared();
        let mut more = Vec::new();
        let mut count = 1;
        let mut export = |name: String, kind: u8, index: u32| {
            put_counted(&mut more, name.as_bytes());
            more.push(kind);
            put(&mut more, index);
            count += 1;
        };
        functions.into_iter().for_each(|index| export(index.to_string(), 0, index));
        globals.into_iter().for_each(|index| export(format!("g{index}"), 3, index));
        export("t".to_owned(), 1, 0);
        let mut at = bytes::Cursor::new(content);
        let held = at.number().unwrap_or(0);
        let mut out = Vec::new();
        put(&mut out, held + count - 1);
        out.extend_from_slice(&content[at.at()..]);
        out.extend(more);
        out
    }

    fn stubs(&self) -> Vec<Vec<u8>> {
        let body = |(function, body): (u32, &&[u8])| {
            let mut out = Vec::new();
            let stub = self.rest.contains(&function).then(|| self.stub(function));
            put_counted(&mut out, stub.as_deref().unwrap_or(body));
            out
        };
        self.module.defined().zip(&self.module.bodies).map(body).collect()
    }

    /// Has the rest loaded, and goes on to the real function; one that nobody calls from here is empty.
    fn stub(&self, function: u32) -> Vec<u8> {
        let Some(slot) = self.slots.get(&function).and_then(|slots| slots.first()) else {
            return vec![0, 0x00, 0x0b];
        };
        let kind = self.module.type_of(function);
        let mut out = vec![0];
        let call = |out: &mut Vec<u8>, slot: u32, kind: u32| {
            out.push(0x41);
            put_signed(out, i64::from(slot));
            out.push(0x11);
            put(out, kind);
            out.push(0);
        };
        call(&mut out, self.table - 1, self.plain);
        for parameter in 0..self.module.parameters[kind as usize] {
            out.push(0x20);
            put(&mut out, parameter);
        }
        call(&mut out, *slot, kind);
        out.push(0x0b);
        out
    }

    fn rest(&self) -> Result<Vec<u8>> {
        let (functions, globals) = self.shared();
        let import = |name: &str, kind: u8, what: &[u8]| {
            let mut out = Vec::new();
            put_counted(&mut out, FIRST.as_bytes());
            put_counted(&mut out, name.as_bytes());
            out.push(kind);
            out.extend_from_slice(what);
            out
        };
        let number = |number: u32| {
            let mut out = Vec::new();
            put(&mut out, number);
            out
        };
        let mut imports: Vec<Vec<u8>> =
            functions.iter().map(|f| import(&f.to_string(), 0, &number(self.module.type_of(*f)))).collect();
        imports.push(import("memory", 2, self.module.memory));
        imports.push(import("t", 1, &[&[0x70, 0][..], &number(self.table)].concat()));
        imports.extend(
            globals
                .iter()
                .map(|index| import(&format!("g{index}"), 3, &self.module.globals[*index as usize])),
        );
        let position = |set: &BTreeSet<u32>| -> HashMap<u32, u32> {
            set.iter().enumerate().map(|(place, index)| (*index, place as u32)).collect()
        };
        let (imported, defined, global) = (position(&functions), position(self.rest), position(&globals));
        let function_index = |index: u32| match imported.get(&index) {
            Some(place) => *place,
            None => imported.len() as u32 + defined.get(&index).copied().unwrap_or_default(),
        };
        let global_index = |index: u32| global.get(&index).copied().unwrap_or_default();
        let bodies = self.rest.iter().map(|function| {
            let body = self.module.body(*function);
            let mut out = Vec::new();
            put_counted(&mut out, &renumbered(body, function_index, global_index)?);
            Ok(out)
        });
        let bodies = bodies.collect::<Result<Vec<_>>>()?;

        let mut out = HEADER.to_vec();
        let types = self.module.sections.iter().find(|(number, _)| *number == section::TYPE);
        put_section(&mut out, section::TYPE, types.map_or(&[0], |(_, content)| content));
        put_list(&mut out, section::IMPORT, &imports);
        let kinds: Vec<_> = self.rest.iter().map(|f| number(self.module.type_of(*f))).collect();
        put_list(&mut out, section::FUNCTION, &kinds);
        put_list(&mut out, section::ELEMENT, &self.elements(function_index));
        put_list(&mut out, section::CODE, &bodies);
        Ok(out)
    }

    /// Puts the functions into their slots: one segment for each run of slots.
    fn elements(&self, index: impl Fn(u32) -> u32) -> Vec<Vec<u8>> {
        let by_slot: BTreeMap<u32, u32> = self
            .slots
            .iter()
            .flat_map(|(function, slots)| slots.iter().map(|slot| (*slot, index(*function))))
            .collect();
        let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
        for (slot, function) in by_slot {
            match runs.last_mut() {
                Some((start, run)) if *start + run.len() as u32 == slot => run.push(function),
                _ => runs.push((slot, vec![function])),
            }
        }
        let segment = |(start, run): (u32, Vec<u32>)| {
            let mut out = vec![0, 0x41];
            put_signed(&mut out, i64::from(start));
            out.push(0x0b);
            put(&mut out, run.len() as u32);
            run.into_iter().for_each(|function| put(&mut out, function));
            out
        };
        runs.into_iter().map(segment).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Five functions: `main` calls `fleet` and `node::page`; that calls `helper`; `fleet` and `node::closure`
    /// stand in the table.
    fn module() -> Vec<u8> {
        let long = |code: &[u8]| {
            let mut body = vec![0];
            body.extend([0x01; SMALL]);
            body.extend_from_slice(code);
            body.push(0x0b);
            let mut out = Vec::new();
            put_counted(&mut out, &body);
            out
        };
        let mut out = HEADER.to_vec();
        put_list(&mut out, section::TYPE, &[vec![0x60, 0, 0]]);
        put_list(&mut out, section::FUNCTION, &[vec![0], vec![0], vec![0], vec![0], vec![0]]);
        put_list(&mut out, section::TABLE, &[vec![0x70, 1, 3, 3]]);
        put_section(&mut out, 5, &[1, 0, 1]);
        put_list(&mut out, section::EXPORT, &[vec![4, b'm', b'a', b'i', b'n', 0, 0]]);
        put_list(&mut out, section::ELEMENT, &[vec![0, 0x41, 1, 0x0b, 2, 1, 4]]);
        let bodies = [long(&[0x10, 1, 0x10, 2]), long(&[]), long(&[0x10, 3]), long(&[]), long(&[0x10, 1])];
        put_list(&mut out, section::CODE, &bodies);
        let mut names = Vec::new();
        let all = ["main", "app::fleet", "app::node::page", "helper", "app::node::closure"];
        put(&mut names, all.len() as u32);
        for (index, name) in all.into_iter().enumerate() {
            put(&mut names, index as u32);
            put_counted(&mut names, name.as_bytes());
        }
        let mut custom = Vec::new();
        put_counted(&mut custom, b"name");
        custom.push(1);
        put_counted(&mut custom, &names);
        put_section(&mut out, section::CUSTOM, &custom);
        out
    }

    #[test]
    fn what_only_the_rest_calls_goes_with_it() {
        let bytes = module();
        let whole = Module::read(&bytes).unwrap();
        let calls = Calls::of(&whole).unwrap();
        assert_eq!(choose(&whole, &calls, &["::node::"], "::page"), BTreeSet::from([2, 3, 4]));
        assert!(split(&bytes, &["::nothing::"], "::page").unwrap().is_none());
        assert_eq!(
            choose(&whole, &calls, &["::node::"], "::door"),
            BTreeSet::from([4]),
            "what the first part calls stays there, and what that calls"
        );
    }

    #[test]
    fn both_parts_are_modules_that_share_the_table() {
        let bytes = module();
        let parts = split(&bytes, &["::node::"], "::page").unwrap().unwrap();
        assert_eq!(parts.functions, 3);
        let first = Module::read(&parts.first).unwrap();
        assert_eq!(first.bodies.len(), 5, "every function keeps its place");
        // The table had three slots; `page` has a new one, and the last is for what loads the rest.
        assert_eq!(first.table, module::Limits { least: 5, most: Some(5) });
        assert_eq!(
            first.bodies[2],
            [0, 0x41, 4, 0x11, 0, 0, 0x41, 3, 0x11, 0, 0, 0x0b],
            "the stub of the door"
        );
        assert_eq!(first.bodies[3], [0, 0x00, 0x0b], "nobody calls it from here");
        assert!(first.names.is_empty());
        let sections = |number: u8| {
            let mut at = bytes::Cursor::new(&parts.rest[HEADER.len()..]);
            while !at.done() {
                let (found, content) = (at.byte().unwrap(), at.counted().unwrap());
                if found == number {
                    return content.to_vec();
                }
            }
            Vec::new()
        };
        assert_eq!(sections(section::ELEMENT), [1, 0, 0x41, 2, 0x0b, 2, 3, 1]);
        assert!(split(&bytes[..bytes.len() - 30], &["::node::"], "::page").is_err());
    }
}
