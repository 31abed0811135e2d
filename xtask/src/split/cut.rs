//! Writes the two modules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::bytes::{Cursor, put, put_counted, put_signed};
use super::code::{Reference, renumbered};
use super::linked::{Linked, segments};
use super::module::{HEADER, Module, put_list, put_section, section};
use super::reach::{References, Rest};
use crate::problem::Result;

/// What the rest imports from the first part by this module's name.
const FIRST: &str = "first";

/// Objects of the rest with less than this between them go into one segment, which costs some bytes of its own.
const GAP: u32 = 8;

/// What both are made of.
pub(super) struct Cut<'a> {
    pub(super) module: &'a Module<'a>,
    pub(super) references: &'a References,
    pub(super) linked: &'a Linked,
    pub(super) rest: &'a Rest,
    /// The door's functions, each with a new slot of the table.
    pub(super) doors: BTreeMap<u32, u32>,
    /// How many slots the table has with the new ones.
    pub(super) table: u32,
    /// The type of a function that takes and gives nothing.
    pub(super) plain: u32,
}

impl Cut<'_> {
    /// Functions and globals of the first part that the rest needs.
    fn shared(&self) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let (mut functions, mut globals) = (BTreeSet::new(), BTreeSet::new());
        for reference in self.rest.functions.iter().flat_map(|function| &self.references[function]) {
            match reference {
                Reference::Call(index) | Reference::Function(index)
                    if !self.rest.functions.contains(index) =>
                {
                    functions.insert(*index);
                }
                Reference::Global(index) => drop(globals.insert(*index)),
                _ => {}
            }
        }
        (functions, globals)
    }

    /// What is there at once.
    pub(super) fn first(&self) -> Result<Vec<u8>> {
        let mut out = HEADER.to_vec();
        for (number, content) in &self.module.sections {
            match *number {
                section::CUSTOM => {}
                section::TABLE => put_section(&mut out, section::TABLE, &self.larger_table(content)),
                section::EXPORT => put_section(&mut out, section::EXPORT, &self.more_exports(content)),
                section::CODE => put_list(&mut out, section::CODE, &self.stubs()),
                section::DATA => put_list(&mut out, section::DATA, &self.without_objects(content)?),
                number => put_section(&mut out, number, content),
            }
        }
        Ok(out)
    }

    /// The data with zeros where the rest's objects go.
    fn without_objects(&self, content: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut all = Vec::new();
        for (address, bytes) in segments(content)? {
            let mut bytes = bytes.to_vec();
            for place in &self.rest.objects {
                let object = &self.linked.objects[*place];
                if let Some(from) = object.start.checked_sub(address).map(|from| from as usize)
                    && let Some(piece) = bytes.get_mut(from..from + (object.end - object.start) as usize)
                {
                    piece.fill(0);
                }
            }
            all.push(segment(address, &bytes));
        }
        Ok(all)
    }

    /// The rest's objects.
    fn objects(&self) -> Result<Vec<Vec<u8>>> {
        let data = self.module.sections.iter().find(|(number, _)| *number == section::DATA);
        let data = data.map_or(Ok(Vec::new()), |(_, content)| segments(content))?;
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for place in &self.rest.objects {
            let object = &self.linked.objects[*place];
            match runs.last_mut() {
                Some((_, end)) if object.start - *end < GAP => *end = object.end,
                _ => runs.push((object.start, object.end)),
            }
        }
        let bytes = |(start, end): (u32, u32)| {
            data.iter().find_map(|(address, bytes)| {
                let from = start.checked_sub(*address)? as usize;
                bytes.get(from..from + (end - start) as usize).map(|bytes| segment(start, bytes))
            })
        };
        Ok(runs.into_iter().filter_map(bytes).collect())
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
        let mut at = Cursor::new(content);
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
            let stub = self.rest.functions.contains(&function).then(|| self.stub(function));
            put_counted(&mut out, stub.as_deref().unwrap_or(body));
            out
        };
        self.module.defined().zip(&self.module.bodies).map(body).collect()
    }

    /// Has the rest loaded, and goes on to the real function; one that nobody calls from here is empty.
    fn stub(&self, function: u32) -> Vec<u8> {
        let Some(slot) = self.doors.get(&function) else {
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

    /// What is fetched later.
    pub(super) fn rest(&self) -> Result<Vec<u8>> {
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
        let (imported, defined, global) =
            (position(&functions), position(&self.rest.functions), position(&globals));
        let function_index = |index: u32| match imported.get(&index) {
            Some(place) => *place,
            None => imported.len() as u32 + defined.get(&index).copied().unwrap_or_default(),
        };
        let global_index = |index: u32| global.get(&index).copied().unwrap_or_default();
        let bodies = self.rest.functions.iter().map(|function| {
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
        let kinds: Vec<_> = self.rest.functions.iter().map(|f| number(self.module.type_of(*f))).collect();
        put_list(&mut out, section::FUNCTION, &kinds);
        put_list(&mut out, section::ELEMENT, &self.elements(function_index));
        put_list(&mut out, section::CODE, &bodies);
        put_list(&mut out, section::DATA, &self.objects()?);
        Ok(out)
    }

    /// Puts the functions into their slots: one segment for each run of slots.
    fn elements(&self, index: impl Fn(u32) -> u32) -> Vec<Vec<u8>> {
        let held = self.module.slots.iter().filter(|(function, _)| self.rest.functions.contains(function));
        let held = held.flat_map(|(function, slots)| slots.iter().map(|slot| (*slot, index(*function))));
        let doors = self.doors.iter().map(|(function, slot)| (*slot, index(*function)));
        let by_slot: BTreeMap<u32, u32> = held.chain(doors).collect();
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

/// A segment of the memory at an address.
fn segment(address: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0x41];
    put_signed(&mut out, i64::from(address));
    out.push(0x0b);
    put_counted(&mut out, bytes);
    out
}
