//! Cuts the app's WebAssembly in two: what the first page needs, and the rest, which is fetched when it is
//! first needed (`docs/decisions/0008-one-element-type.md`).
//!
//! What the first page needs is worked out, not guessed: the linker says which function refers to which data and
//! takes which slot of the function table, and the first part is all that JavaScript reaches without going through
//! the door. Constant data that only the rest reaches goes with it.
//!
//! Both parts share memory, globals and the function table. In the first part the door is a stub: it calls the
//! table's last slot, where `static/boot.js` puts a function that loads the rest at once, and then goes through its
//! own slot, where the rest has put the real one. So a call is always right, however early it comes; the app has
//! the rest fetched before it opens the door, and the stub is there for what nobody foresaw.
//!
//! | module | is |
//! |---|---|
//! | `bytes` | numbers and lists of the binary format |
//! | `module` | sections, and what is said of each function |
//! | `linked` | what the linker says of functions and data |
//! | `code` | instructions, and the indices in them |
//! | `names` | short names for what JavaScript gives |
//! | `reach` | what the first part needs |
//! | `cut` | writes the two |

mod bytes;
mod code;
mod cut;
mod linked;
mod module;
pub(crate) mod names;
mod reach;

use crate::problem::{Problem, Result};
use cut::Cut;
use linked::Linked;
use module::Module;
use std::collections::BTreeMap;

/// A module in two parts.
pub(crate) struct Parts {
    /// What is there at once.
    pub(crate) first: Vec<u8>,
    /// What is fetched later.
    pub(crate) rest: Vec<u8>,
    /// How many functions the rest has.
    pub(crate) functions: usize,
}

/// Splits a module that wasm-bindgen made from `linked`, at the function whose name ends with `door`. `None` when
/// there is no such function, e.g. because the file holds no names.
pub(crate) fn split(bytes: &[u8], linked: &[u8], door: &str) -> Result<Option<Parts>> {
    let module = Module::read(bytes)?;
    let linked = Linked::read(linked)?;
    let references = reach::references_of(&module)?;
    let rest = reach::choose(&module, &references, &linked, door);
    let doors = module.defined().filter(|function| reach::is_door(&module, door, *function));
    let doors: BTreeMap<u32, u32> = doors.zip(module.table.least..).collect();
    if doors.is_empty() {
        return Ok(None);
    }
    let plain = module.plain.ok_or_else(|| Problem::new("no function of the app takes and gives nothing"))?;
    let table = module.table.least + doors.len() as u32 + 1;
    let cut =
        Cut { module: &module, references: &references, linked: &linked, rest: &rest, doors, table, plain };
    Ok(Some(Parts { first: cut.first()?, rest: cut.rest()?, functions: rest.functions.len() }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::bytes::{Cursor, put, put_counted};
    use super::module::{HEADER, Limits, put_list, put_section, section};
    use super::*;

    /// `.rodata` at 1024: `used`, a table with slot 1 and 2, and `later`, a table with slot 3.
    const RODATA: &[u8] = b"used\x01\0\0\0\x02\0\0\0later...\x03\0\0\0";

    /// Seven functions: `main` calls `fleet` and the door, and refers to `used`; the door calls `page` and
    /// `fleet`, and refers to `later`; the table holds `shim` (1), `door` (2) and `closure` (3), which calls
    /// `fleet`. Nobody calls `dead`.
    fn module() -> Vec<u8> {
        let body = |code: &[u8]| {
            let mut out = Vec::new();
            put_counted(&mut out, &[&[0], code, &[0x0b]].concat());
            out
        };
        let mut out = HEADER.to_vec();
        put_list(&mut out, section::TYPE, &[vec![0x60, 0, 0]]);
        put_list(&mut out, section::FUNCTION, &vec![vec![0]; 7]);
        put_list(&mut out, section::TABLE, &[vec![0x70, 1, 4, 4]]);
        put_section(&mut out, 5, &[1, 0, 1]);
        put_list(&mut out, section::EXPORT, &[vec![4, b'm', b'a', b'i', b'n', 0, 0]]);
        put_list(&mut out, section::ELEMENT, &[vec![0, 0x41, 1, 0x0b, 3, 4, 2, 5]]);
        let bodies = [
            // i32.const 1024, drop; call fleet; call door.
            body(&[0x41, 0x80, 8, 0x1a, 0x10, 1, 0x10, 2]),
            body(&[]),
            // call page; call fleet; i32.const 1036, drop.
            body(&[0x10, 3, 0x10, 1, 0x41, 0x8c, 8, 0x1a]),
            body(&[]),
            body(&[]),
            body(&[0x10, 1]),
            body(&[]),
        ];
        put_list(&mut out, section::CODE, &bodies);
        put_list(
            &mut out,
            section::DATA,
            &[[&[0, 0x41, 0x80, 8, 0x0b, RODATA.len() as u8], RODATA].concat()],
        );
        let names = |all: &[&str]| {
            let mut names = Vec::new();
            put(&mut names, all.len() as u32);
            for (index, name) in all.iter().enumerate() {
                put(&mut names, index as u32);
                put_counted(&mut names, name.as_bytes());
            }
            names
        };
        let mut name = Vec::new();
        let functions = ["main", "fleet", "door", "page", "shim", "closure", "dead"];
        for (kind, all) in [(1, &functions[..]), (9, &[".rodata"])] {
            name.push(kind);
            put_counted(&mut name, &names(all));
        }
        // Version 2; the symbol table: `used` and `later`, both data of segment 0.
        let symbols = [&[2][..], &[1, 0, 1, b'u', 0, 0, 12], &[1, 0, 1, b'l', 0, 12, 12]].concat();
        let mut linking = vec![2, 8];
        put_counted(&mut linking, &symbols);
        // Where the constants of `main` and of the door stand, and the slots in the data.
        let in_code = [10, 2, 4, 4, 0, 0, 4, 22, 1, 0];
        let in_data = [11, 3, 2, 11, 0, 2, 15, 0, 2, 27, 0];
        let customs: [(&str, &[u8]); 4] =
            [("name", &name), ("linking", &linking), ("reloc.CODE", &in_code), ("reloc.DATA", &in_data)];
        for (title, content) in customs {
            let mut custom = Vec::new();
            put_counted(&mut custom, title.as_bytes());
            custom.extend_from_slice(content);
            put_section(&mut out, section::CUSTOM, &custom);
        }
        out
    }

    fn section_of(bytes: &[u8], number: u8) -> Vec<u8> {
        let mut at = Cursor::new(&bytes[HEADER.len()..]);
        while !at.done() {
            let (found, content) = (at.byte().unwrap(), at.counted().unwrap());
            if found == number {
                return content.to_vec();
            }
        }
        Vec::new()
    }

    #[test]
    fn the_rest_is_what_only_the_door_leads_to() {
        let bytes = module();
        let whole = Module::read(&bytes).unwrap();
        let references = reach::references_of(&whole).unwrap();
        let linked = Linked::read(&bytes).unwrap();
        let slots: Vec<&[u32]> = linked.objects.iter().map(|object| &object.needs.slots[..]).collect();
        assert_eq!(slots, [&[1, 2][..], &[3]]);
        let rest = reach::choose(&whole, &references, &linked, "door");
        assert_eq!(rest.functions, [2, 3, 5, 6].into(), "the door, its page, its closure, what nobody calls");
        assert_eq!(rest.objects, [1].into());
        let all = reach::choose(&whole, &references, &linked, "no such door");
        assert_eq!((all.functions, all.objects), ([6].into(), [].into()));
        assert!(split(&bytes, &bytes, "no such door").unwrap().is_none());
    }

    #[test]
    fn both_parts_are_modules_that_share_table_and_memory() {
        let bytes = module();
        let parts = split(&bytes, &bytes, "door").unwrap().unwrap();
        assert_eq!(parts.functions, 4);
        let first = Module::read(&parts.first).unwrap();
        assert_eq!(first.bodies.len(), 7, "every function keeps its place");
        // The table had four slots; the door has a new one, and the last is for what loads the rest.
        assert_eq!(first.table, Limits { least: 6, most: Some(6) });
        assert_eq!(
            first.bodies[2],
            [0, 0x41, 5, 0x11, 0, 0, 0x41, 4, 0x11, 0, 0, 0x0b],
            "the stub of the door"
        );
        assert_eq!(first.bodies[3], [0, 0x00, 0x0b], "nobody calls it from here");
        assert!(first.names.is_empty());
        let data = |part: &[u8]| section_of(part, section::DATA);
        let zeros = [&RODATA[..12], &[0; 12]].concat();
        assert_eq!(data(&parts.first), [&[1, 0, 0x41, 0x80, 8, 0x0b, 24], &zeros[..]].concat());
        assert_eq!(data(&parts.rest), [&[1, 0, 0x41, 0x8c, 8, 0x0b, 12], &RODATA[12..]].concat());
        // The rest imports `fleet`, and has the door, its page, the closure and the dead one: 1, 2, 3, 4.
        assert_eq!(section_of(&parts.rest, section::ELEMENT), [1, 0, 0x41, 2, 0x0b, 3, 1, 3, 1]);
        for cut in [40, bytes.len() - 1] {
            assert!(split(&bytes[..cut], &bytes, "door").is_err());
            assert!(split(&bytes, &bytes[..cut], "door").is_err());
        }
        let silent = &bytes[..bytes.len() - section_of(&bytes, section::CUSTOM).len()];
        assert!(split(&bytes, silent, "door").is_err());
    }
}
