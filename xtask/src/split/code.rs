//! Walks over the instructions of a function: what it refers to, and the same function with other indices.

use super::bytes::{Cursor, put};
use crate::problem::{Problem, Result};

/// What an instruction names by an index that differs between two modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    /// A function that is called.
    Call(u32),
    /// A function of which a reference is taken.
    Function(u32),
    /// A global.
    Global(u32),
    /// Something that the second part cannot have: another table, a segment, a tag.
    Bound,
}

/// Calls back for each reference, in order, with the bytes of its index.
fn walk(body: &[u8], mut hear: impl FnMut(Reference, std::ops::Range<usize>)) -> Result<()> {
    let mut code = Cursor::new(body);
    for _ in 0..code.number()? {
        code.skip_number()?;
        code.byte()?;
    }
    while !code.done() {
        let opcode = code.byte()?;
        let start = code.at();
        match opcode {
            0x10 | 0x12 => {
                let index = code.number()?;
                hear(Reference::Call(index), start..code.at());
            }
            0xd2 => {
                let index = code.number()?;
                hear(Reference::Function(index), start..code.at());
            }
            0x23 | 0x24 => {
                let index = code.number()?;
                hear(Reference::Global(index), start..code.at());
            }
            // call_indirect: a type, which both parts have, and a table.
            0x11 | 0x13 => {
                code.skip_number()?;
                if code.number()? != 0 {
                    hear(Reference::Bound, start..start);
                }
            }
            0x25 | 0x26 => {
                code.skip_number()?;
                hear(Reference::Bound, start..start);
            }
            // Block types, labels, locals, constants, heap types.
            0x02..=0x04 | 0x0c | 0x0d | 0x20..=0x22 | 0x41 | 0x42 | 0xd0 => code.skip_number()?,
            0x0e => {
                for _ in 0..=code.number()? {
                    code.skip_number()?;
                }
            }
            0x1c => drop(code.counted()?),
            0x28..=0x3e => {
                code.skip_number()?;
                code.skip_number()?;
            }
            0x3f | 0x40 => drop(code.byte()?),
            0x43 => drop(code.take(4)?),
            0x44 => drop(code.take(8)?),
            0xfc => prefixed(&mut code, &mut hear)?,
            0x00 | 0x01 | 0x05 | 0x0b | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 | 0xd1 => {}
            _ => {
                return Err(Problem::new(format!(
                    "the splitter does not know the instruction {opcode:#04x}"
                )));
            }
        }
    }
    Ok(())
}

fn prefixed(code: &mut Cursor<'_>, hear: &mut impl FnMut(Reference, std::ops::Range<usize>)) -> Result<()> {
    let start = code.at();
    match code.number()? {
        0..=7 => {}
        // memory.copy and memory.fill: memories, of which there is one.
        10 => drop(code.take(2)?),
        11 => drop(code.take(1)?),
        operation @ (8 | 9 | 12..=17) => {
            for _ in 0..if matches!(operation, 8 | 12 | 14) { 2 } else { 1 } {
                code.skip_number()?;
            }
            hear(Reference::Bound, start..start);
        }
        other => {
            return Err(Problem::new(format!("the splitter does not know the instruction 0xfc {other}")));
        }
    }
    Ok(())
}

/// What a function refers to.
pub(super) fn references(body: &[u8]) -> Result<Vec<Reference>> {
    let mut found = Vec::new();
    walk(body, |reference, _| found.push(reference))?;
    Ok(found)
}

/// The same function with the indices of another module.
pub(super) fn renumbered(
    body: &[u8],
    function: impl Fn(u32) -> u32,
    global: impl Fn(u32) -> u32,
) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let mut copied = 0;
    walk(body, |reference, place| {
        let index = match reference {
            Reference::Call(index) | Reference::Function(index) => function(index),
            Reference::Global(index) => global(index),
            Reference::Bound => return,
        };
        out.extend_from_slice(&body[copied..place.start]);
        put(&mut out, index);
        copied = place.end;
    })?;
    out.extend_from_slice(&body[copied..]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn indices_change_and_nothing_else_does() {
        // One local; i32.const 0x10 (no call), call 3, global.get 1, i64.const -1, memory.copy, ref.func 300.
        let body =
            [1, 1, 0x7f, 0x41, 0x10, 0x10, 3, 0x23, 1, 0x42, 0x7f, 0xfc, 10, 0, 0, 0xd2, 0xac, 2, 0x0b];
        let found = references(&body).unwrap();
        assert_eq!(found, [Reference::Call(3), Reference::Global(1), Reference::Function(300)]);
        let other = renumbered(&body, |index| index + 200, |_| 0).unwrap();
        let expected =
            [1, 1, 0x7f, 0x41, 0x10, 0x10, 0xcb, 1, 0x23, 0, 0x42, 0x7f, 0xfc, 10, 0, 0, 0xd2, 0xf4, 3, 0x0b];
        assert_eq!(other, expected);
        assert!(references(&[0, 0xfb]).is_err());
    }
}
