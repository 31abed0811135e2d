//! A WebAssembly module as the splitter needs it: its sections, and what is said of each function.

use std::collections::{HashMap, HashSet};

use super::bytes::{Cursor, put, put_counted};
use crate::problem::{Problem, Result};

/// The numbers of the sections.
pub(super) mod section {
    pub(in crate::split) const CUSTOM: u8 = 0;
    pub(in crate::split) const TYPE: u8 = 1;
    pub(in crate::split) const IMPORT: u8 = 2;
    pub(in crate::split) const FUNCTION: u8 = 3;
    pub(in crate::split) const TABLE: u8 = 4;
    pub(in crate::split) const EXPORT: u8 = 7;
    pub(in crate::split) const START: u8 = 8;
    pub(in crate::split) const ELEMENT: u8 = 9;
    pub(in crate::split) const GLOBAL: u8 = 6;
    pub(in crate::split) const CODE: u8 = 10;
    pub(in crate::split) const DATA: u8 = 11;
}

/// The first eight bytes of every module.
pub(super) const HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";

/// A module, borrowed from its bytes.
pub(super) struct Module<'a> {
    /// Every section in order: its number, and what it holds.
    pub(super) sections: Vec<(u8, &'a [u8])>,
    /// Types of the functions that are imported: they come first.
    pub(super) imports: Vec<u32>,
    /// Types of the functions that are defined here.
    pub(super) types: Vec<u32>,
    /// Bodies of those functions.
    pub(super) bodies: Vec<&'a [u8]>,
    /// Names of functions, of all indices.
    pub(super) names: HashMap<u32, String>,
    /// Functions that must stay: exported, started, or held by something else than a slot of the table.
    pub(super) bound: HashSet<u32>,
    /// The slots of the function table that hold a function.
    pub(super) slots: HashMap<u32, Vec<u32>>,
    /// How many parameters each type has.
    pub(super) parameters: Vec<u32>,
    /// The type of a function that takes and gives nothing.
    pub(super) plain: Option<u32>,
    /// The type of the memory's limits, to import it with: its bytes.
    pub(super) memory: &'a [u8],
    /// The function table: its bytes in the table section.
    pub(super) table: Limits,
    /// The globals: the type and whether they can change.
    pub(super) globals: Vec<[u8; 2]>,
}

/// Limits of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) least: u32,
    pub(super) most: Option<u32>,
}

impl<'a> Module<'a> {
    /// Reads a module.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        if !bytes.starts_with(&HEADER) {
            return Err(Problem::new("this is no WebAssembly module"));
        }
        let mut module = Self {
            sections: Vec::new(),
            imports: Vec::new(),
            types: Vec::new(),
            bodies: Vec::new(),
            names: HashMap::new(),
            bound: HashSet::new(),
            slots: HashMap::new(),
            parameters: Vec::new(),
            plain: None,
            memory: &[],
            table: Limits { least: 0, most: None },
            globals: Vec::new(),
        };
        let mut file = Cursor::new(&bytes[HEADER.len()..]);
        while !file.done() {
            let (number, content) = (file.byte()?, file.counted()?);
            module.sections.push((number, content));
            let at = Cursor::new(content);
            match number {
                section::CUSTOM => module.custom(at)?,
                section::TYPE => module.types(at)?,
                section::IMPORT => module.imports(at)?,
                section::FUNCTION => module.types = list(at, Cursor::number)?,
                section::TABLE => module.table = table(at)?,
                5 => module.memory = memory(content)?,
                section::GLOBAL => module.globals(at)?,
                section::EXPORT => module.exports(at)?,
                section::START => drop(module.bound.insert(Cursor::new(content).number()?)),
                section::ELEMENT => module.elements(at)?,
                section::CODE => module.bodies = list(at, Cursor::counted)?,
                _ => {}
            }
        }
        if module.types.len() != module.bodies.len() {
            return Err(Problem::new("the wasm file has not as many functions as bodies"));
        }
        Ok(module)
    }

    /// The type of a function, imported or defined here.
    pub(super) fn type_of(&self, function: u32) -> u32 {
        match self.imports.get(function as usize) {
            Some(kind) => *kind,
            None => self.types[function as usize - self.imports.len()],
        }
    }

    /// The body of a function that is defined here.
    pub(super) fn body(&self, function: u32) -> &'a [u8] {
        self.bodies[function as usize - self.imports.len()]
    }

    /// The indices of the functions that are defined here.
    pub(super) fn defined(&self) -> std::ops::Range<u32> {
        let imported = self.imports.len() as u32;
        imported..imported + self.types.len() as u32
    }

    fn types(&mut self, mut at: Cursor<'_>) -> Result<()> {
        for index in 0..at.number()? {
            if at.byte()? != 0x60 {
                return Err(Problem::new("the splitter knows function types only"));
            }
            let (takes, gives) = (at.counted()?, at.counted()?);
            self.parameters.push(takes.len() as u32);
            if takes.is_empty() && gives.is_empty() {
                self.plain = Some(index);
            }
        }
        Ok(())
    }

    fn imports(&mut self, mut at: Cursor<'_>) -> Result<()> {
        for _ in 0..at.number()? {
            at.counted()?;
            at.counted()?;
            if at.byte()? != 0 {
                return Err(Problem::new("the splitter knows imports of functions only"));
            }
            self.imports.push(at.number()?);
        }
        Ok(())
    }

    fn globals(&mut self, mut at: Cursor<'_>) -> Result<()> {
        for _ in 0..at.number()? {
            self.globals.push([at.byte()?, at.byte()?]);
            constant(&mut at)?;
        }
        Ok(())
    }

    fn exports(&mut self, mut at: Cursor<'_>) -> Result<()> {
        for _ in 0..at.number()? {
            at.counted()?;
            let (kind, index) = (at.byte()?, at.number()?);
            if kind == 0 {
                self.bound.insert(index);
            }
        }
        Ok(())
    }

    fn elements(&mut self, mut at: Cursor<'_>) -> Result<()> {
        for _ in 0..at.number()? {
            let kind = at.number()?;
            let mut slot = None;
            if kind & 1 == 0 {
                let table = if kind & 2 == 0 { 0 } else { at.number()? };
                slot = constant(&mut at)?.filter(|_| table == 0);
            }
            if kind & 3 != 0 {
                at.byte()?;
            }
            for index in 0..at.number()? {
                let function = if kind & 4 == 0 { Some(at.number()?) } else { reference(&mut at)? };
                match (function, slot) {
                    (Some(function), Some(slot)) => {
                        self.slots.entry(function).or_default().push(slot + index);
                    }
                    (Some(function), None) => drop(self.bound.insert(function)),
                    (None, _) => {}
                }
            }
        }
        Ok(())
    }

    fn custom(&mut self, mut at: Cursor<'_>) -> Result<()> {
        if at.name()? != "name" {
            return Ok(());
        }
        while !at.done() {
            let (kind, content) = (at.byte()?, at.counted()?);
            let mut names = Cursor::new(content);
            if kind == 1 {
                for _ in 0..names.number()? {
                    let (index, name) = (names.number()?, names.name()?);
                    self.names.insert(index, name);
                }
            }
        }
        Ok(())
    }
}

fn list<'a, T>(mut at: Cursor<'a>, read: impl Fn(&mut Cursor<'a>) -> Result<T>) -> Result<Vec<T>> {
    (0..at.number()?).map(|_| read(&mut at)).collect()
}

/// The function table: the first one.
fn table(mut at: Cursor<'_>) -> Result<Limits> {
    at.number()?;
    if at.byte()? != 0x70 {
        return Err(Problem::new("the first table of the wasm file holds no functions"));
    }
    let bounded = at.byte()? & 1 == 1;
    Ok(Limits { least: at.number()?, most: bounded.then(|| at.number()).transpose()? })
}

/// The limits of the only memory.
fn memory(content: &[u8]) -> Result<&[u8]> {
    match content {
        [1, limits @ ..] => Ok(limits),
        _ => Err(Problem::new("the splitter knows one memory only")),
    }
}

/// A constant expression; its value when it is an `i32.const`.
fn constant(at: &mut Cursor<'_>) -> Result<Option<u32>> {
    let value = match at.byte()? {
        0x41 => u32::try_from(at.signed()?).ok(),
        0x43 => at.take(4).map(|_| None)?,
        0x44 => at.take(8).map(|_| None)?,
        0x42 | 0x23 | 0xd0 | 0xd2 => at.skip_number().map(|()| None)?,
        other => return Err(Problem::new(format!("the splitter does not know the constant {other:#04x}"))),
    };
    match at.byte()? {
        0x0b => Ok(value),
        _ => Err(Problem::new("the splitter knows constants of one instruction only")),
    }
}

/// An element that is an expression: `ref.func` or `ref.null`.
fn reference(at: &mut Cursor<'_>) -> Result<Option<u32>> {
    let function = match at.byte()? {
        0xd2 => Some(at.number()?),
        0xd0 => at.skip_number().map(|()| None)?,
        other => return Err(Problem::new(format!("the splitter does not know the element {other:#04x}"))),
    };
    at.byte()?;
    Ok(function)
}

/// Appends a section.
pub(super) fn put_section(out: &mut Vec<u8>, number: u8, content: &[u8]) {
    out.push(number);
    put_counted(out, content);
}

/// A section that is a list.
pub(super) fn put_list(out: &mut Vec<u8>, number: u8, items: &[Vec<u8>]) {
    let mut content = Vec::new();
    put(&mut content, items.len() as u32);
    for item in items {
        content.extend_from_slice(item);
    }
    put_section(out, number, &content);
}
