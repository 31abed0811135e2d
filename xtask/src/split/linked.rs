//! What the linker says of a module: which function refers to which constant data and takes which slot of the
//! function table, and the same of the data (WebAssembly's tool conventions, "Linking"; `-Clink-arg=--emit-relocs`
//! has it written).

use std::collections::HashMap;

use super::bytes::Cursor;
use super::module::{HEADER, section};
use crate::problem::{Problem, Result};

/// The data that never changes.
const CONSTANT: &str = ".rodata";

/// What the linker knew.
#[derive(Debug, Default)]
pub(super) struct Linked {
    /// What functions refer to, by their names.
    functions: HashMap<String, Needs>,
    /// What data that can change refers to.
    pub(super) variable: Needs,
    /// The constant data, in order and without overlap.
    pub(super) objects: Vec<Object>,
}

/// A piece of constant data.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Object {
    /// Its address.
    pub(super) start: u32,
    /// The address after it.
    pub(super) end: u32,
    /// What it refers to.
    pub(super) needs: Needs,
}

/// What something refers to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Constant data, by its place in [`Linked::objects`].
    pub(super) objects: Vec<usize>,
    /// Slots of the function table.
    pub(super) slots: Vec<u32>,
}

impl Linked {
    /// Reads the tables of a module as the linker wrote it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let file = File::read(bytes)?;
        let mut linked = Self::default();
        let objects = file.objects();
        let place = |address: u32| place(&objects, address);
        // Where a symbol lies decides; what is added to it may point anywhere.
        let object = |symbol: u32| file.symbols.get(symbol as usize).copied().flatten().and_then(place);

        for relocation in &file.in_code {
            let Some(function) = file.function_at(relocation.offset) else { continue };
            // wasm-bindgen takes the hash from the names of its own.
            for name in [Some(function), without_hash(function)].into_iter().flatten() {
                let needs = linked.functions.entry(name.to_owned()).or_default();
                match relocation.what {
                    Target::Data => needs.objects.extend(object(relocation.symbol)),
                    Target::Slot => {
                        let mut value = Cursor::new(file.code.get(relocation.offset..).unwrap_or_default());
                        needs.slots.extend(u32::try_from(value.signed()?).ok());
                    }
                }
            }
        }
        let mut found: HashMap<usize, Needs> = HashMap::new();
        for relocation in &file.in_data {
            let needs = match file.address_of(relocation.offset).and_then(place) {
                Some(at) => found.entry(at).or_default(),
                None => &mut linked.variable,
            };
            match relocation.what {
                Target::Data => needs.objects.extend(object(relocation.symbol)),
                Target::Slot => needs.slots.extend(file.data.get(relocation.offset..).and_then(word)),
            }
        }
        linked.objects = objects;
        for (at, needs) in found {
            linked.objects[at].needs = needs;
        }
        Ok(linked)
    }

    /// All slots that something refers to.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        let functions = self.functions.values();
        let objects = self.objects.iter().map(|object| &object.needs);
        functions.chain(objects).chain([&self.variable]).flat_map(|needs| needs.slots.iter().copied())
    }

    /// What a function refers to; nothing for one that the linker did not know.
    pub(super) fn function(&self, name: &str) -> Option<&Needs> {
        self.functions.get(name)
    }
}

/// The object at an address.
fn place(objects: &[Object], address: u32) -> Option<usize> {
    let before = objects.partition_point(|object| object.start <= address).checked_sub(1)?;
    (address < objects[before].end).then_some(before)
}

/// `name_0123456789abcdef` without its end.
fn without_hash(name: &str) -> Option<&str> {
    let (front, hash) = name.rsplit_once('_')?;
    (hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(front)
}

fn word(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|word| u32::from_le_bytes(*word))
}

/// What a relocation stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Data,
    Slot,
}

struct Relocation {
    what: Target,
    /// From the start of what the section holds.
    offset: usize,
    symbol: u32,
}

/// A part of the memory: where its bytes lie in the section, and its address.
struct Segment {
    offset: usize,
    length: usize,
    address: u32,
    name: String,
}

/// The sections that matter here.
#[derive(Default)]
struct File<'a> {
    code: &'a [u8],
    data: &'a [u8],
    /// Where each function's body begins in the code section.
    bodies: Vec<usize>,
    segments: Vec<Segment>,
    /// Names of the functions that are defined here, in the order of `bodies`.
    names: Vec<String>,
    /// For each symbol that is constant data its address.
    symbols: Vec<Option<u32>>,
    /// Address and size of the constant data.
    sizes: Vec<(u32, u32)>,
    in_code: Vec<Relocation>,
    in_data: Vec<Relocation>,
}

impl<'a> File<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let content =
            bytes.strip_prefix(&HEADER).ok_or_else(|| Problem::new("this is no WebAssembly module"))?;
        let mut file = Self::default();
        let mut customs = HashMap::new();
        let mut imported = 0;
        let mut at = Cursor::new(content);
        while !at.done() {
            let (number, content) = (at.byte()?, at.counted()?);
            match number {
                section::CUSTOM => {
                    let mut custom = Cursor::new(content);
                    let name = custom.name()?;
                    customs.insert(name, &content[custom.at()..]);
                }
                section::IMPORT => imported = imported_functions(content)?,
                section::CODE => file.code(content)?,
                section::DATA => file.data(content)?,
                _ => {}
            }
        }
        let custom = |name: &str| customs.get(name).copied();
        let missing = || {
            Problem::new("the app's WebAssembly has no tables of its linker")
                .fix("unset CARGO_ENCODED_RUSTFLAGS and RUSTFLAGS: .cargo/config.toml asks for them")
        };
        file.names(custom("name").unwrap_or_default(), imported)?;
        file.symbols(custom("linking").ok_or_else(missing)?)?;
        file.in_code = relocations(custom("reloc.CODE").ok_or_else(missing)?)?;
        file.in_data = relocations(custom("reloc.DATA").unwrap_or(&[0, 0]))?;
        Ok(file)
    }

    fn code(&mut self, content: &'a [u8]) -> Result<()> {
        self.code = content;
        let mut at = Cursor::new(content);
        for _ in 0..at.number()? {
            let length = at.number()? as usize;
            self.bodies.push(at.at());
            at.take(length)?;
        }
        Ok(())
    }

    fn data(&mut self, content: &'a [u8]) -> Result<()> {
        self.data = content;
        for (address, bytes) in segments(content)? {
            let offset = bytes.as_ptr().addr() - content.as_ptr().addr();
            self.segments.push(Segment { offset, length: bytes.len(), address, name: String::new() });
        }
        Ok(())
    }

    fn names(&mut self, content: &[u8], imported: u32) -> Result<()> {
        self.names = vec![String::new(); self.bodies.len()];
        let mut at = Cursor::new(content);
        while !at.done() {
            let (kind, content) = (at.byte()?, at.counted()?);
            let mut names = Cursor::new(content);
            if !matches!(kind, 1 | 9) {
                continue;
            }
            for _ in 0..names.number()? {
                let (index, name) = (names.number()?, names.name()?);
                let place = match kind {
                    1 => index.checked_sub(imported).and_then(|index| self.names.get_mut(index as usize)),
                    _ => self.segments.get_mut(index as usize).map(|segment| &mut segment.name),
                };
                if let Some(place) = place {
                    *place = name;
                }
            }
        }
        Ok(())
    }

    fn symbols(&mut self, content: &[u8]) -> Result<()> {
        const SYMBOL_TABLE: u8 = 8;
        let mut at = Cursor::new(content);
        at.number()?;
        while !at.done() {
            let (kind, content) = (at.byte()?, at.counted()?);
            if kind == SYMBOL_TABLE {
                let mut table = Cursor::new(content);
                for _ in 0..table.number()? {
                    let symbol = self.symbol(&mut table)?;
                    self.symbols.push(symbol);
                }
            }
        }
        Ok(())
    }

    /// The address of the next symbol, where that is constant data.
    fn symbol(&mut self, table: &mut Cursor<'_>) -> Result<Option<u32>> {
        const UNDEFINED: u32 = 0x10;
        const EXPLICIT_NAME: u32 = 0x40;
        let (kind, flags) = (table.byte()?, table.number()?);
        let defined = flags & UNDEFINED == 0;
        match kind {
            1 => {
                table.counted()?;
                if !defined {
                    return Ok(None);
                }
                let (segment, offset, size) = (table.number()?, table.number()?, table.number()?);
                let segment = self.segments.get(segment as usize).filter(|segment| segment.name == CONSTANT);
                let address = segment.map(|segment| segment.address + offset);
                self.sizes.extend(address.map(|address| (address, size)));
                Ok(address)
            }
            3 => table.number().map(|_| None),
            _ => {
                table.number()?;
                if defined || flags & EXPLICIT_NAME != 0 {
                    table.counted()?;
                }
                Ok(None)
            }
        }
    }

    /// The constant data: what overlaps is one object.
    fn objects(&self) -> Vec<Object> {
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable();
        let mut objects: Vec<Object> = Vec::new();
        for (start, size) in sizes.into_iter().filter(|(_, size)| *size > 0) {
            let end = start.saturating_add(size);
            match objects.last_mut() {
                Some(last) if start < last.end => last.end = last.end.max(end),
                _ => objects.push(Object { start, end, needs: Needs::default() }),
            }
        }
        objects
    }

    /// The name of the function that holds a place of the code section.
    fn function_at(&self, offset: usize) -> Option<&str> {
        let index = self.bodies.partition_point(|start| *start <= offset).checked_sub(1)?;
        self.names.get(index).map(String::as_str)
    }

    /// The address of a place of the data section.
    fn address_of(&self, offset: usize) -> Option<u32> {
        let holds = |segment: &&Segment| (segment.offset..segment.offset + segment.length).contains(&offset);
        self.segments.iter().find(holds).map(|segment| segment.address + (offset - segment.offset) as u32)
    }
}

/// How many functions are imported.
fn imported_functions(content: &[u8]) -> Result<u32> {
    let mut at = Cursor::new(content);
    let mut functions = 0;
    for _ in 0..at.number()? {
        at.counted()?;
        at.counted()?;
        if at.byte()? != 0 {
            return Err(Problem::new("the splitter knows imports of functions only"));
        }
        at.number()?;
        functions += 1;
    }
    Ok(functions)
}

/// The segments of a data section: addresses and bytes.
pub(super) fn segments(content: &[u8]) -> Result<Vec<(u32, &[u8])>> {
    let mut at = Cursor::new(content);
    let mut all = Vec::new();
    for _ in 0..at.number()? {
        let (kind, opcode) = (at.number()?, at.byte()?);
        let address = at.signed()?;
        if (kind, opcode, at.byte()?) != (0, 0x41, 0x0b) {
            return Err(Problem::new("the splitter knows data at fixed addresses only"));
        }
        let address = u32::try_from(address).map_err(|_| Problem::new("the data has no address"))?;
        all.push((address, at.counted()?));
    }
    Ok(all)
}

/// The relocations that stand for data or for slots of the table.
fn relocations(content: &[u8]) -> Result<Vec<Relocation>> {
    let mut at = Cursor::new(content);
    at.number()?;
    let mut all = Vec::new();
    for _ in 0..at.number()? {
        let (kind, offset, symbol) = (at.byte()?, at.number()? as usize, at.number()?);
        let (what, added) = match kind {
            // R_WASM_MEMORY_ADDR_*: LEB, SLEB, I32, relative, relative to the place.
            3 | 4 | 5 | 11 | 23 => (Some(Target::Data), true),
            // R_WASM_TABLE_INDEX_*: SLEB, I32, relative.
            1 | 2 | 12 => (Some(Target::Slot), false),
            // Offsets of functions and sections.
            8 | 9 => (None, true),
            // Functions, types, globals, tags, tables.
            0 | 6 | 7 | 10 | 13 | 20 | 26 => (None, false),
            other => return Err(Problem::new(format!("the splitter does not know the relocation {other}"))),
        };
        if added {
            at.skip_number()?;
        }
        all.extend(what.map(|what| Relocation { what, offset, symbol }));
    }
    Ok(all)
}
