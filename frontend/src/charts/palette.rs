//! Which colour a line has: the same name the same colour in every chart, and no two alike in one chart. Pure.

/// How many colours the style sheet names: `--series-1` to `--series-8`.
pub const COLOURS: usize = 8;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Which of the palette's colours, from 0.
    pub colour: usize,
    /// Dashed: the second time a colour comes round.
    pub dashed: bool,
}

/// A look for each name, in the order of the names. The name's hash picks the colour; when it is taken, the
/// next free one is, names in alphabetical order first, so that the same set of lines always looks the same.
/// A line without a name is alone in its chart and takes the first colour.
pub fn looks(names: &[&str]) -> Vec<Look> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|&index| names[index]);
    let mut uses = [0_usize; COLOURS];
    let mut all = vec![Look { colour: 0, dashed: false }; names.len()];
    for index in order {
        let wanted = if names[index].is_empty() { 0 } else { hash(names[index]) as usize % COLOURS };
        let least = uses.iter().copied().min().unwrap_or(0);
        let free =
            (0..COLOURS).map(|offset| (wanted + offset) % COLOURS).find(|&colour| uses[colour] == least);
        let colour = free.unwrap_or(wanted);
        all[index] = Look { colour, dashed: uses[colour] % 2 == 1 };
        uses[colour] += 1;
    }
    all
}

/// FNV-1a, folded: stable over versions and machines, unlike the standard library's.
fn hash(name: &str) -> u32 {
    let full =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    full ^ (full >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lines_of_a_chart_look_alike() {
        let names: Vec<String> = (0..16).map(|index| format!("line {index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let all = looks(&names);
        for (index, look) in all.iter().enumerate() {
            assert!(!all[..index].contains(look), "{index} {look:?}");
        }
        assert!(looks(&names[..8]).iter().all(|look| !look.dashed));
    }

    #[test]
    fn a_name_keeps_its_colour() {
        assert_eq!(looks(&["in"]), looks(&["in"]));
        let forward = looks(&["in", "out", "both"]);
        let backward = looks(&["both", "out", "in"]);
        assert_eq!(forward[0], backward[2]);
        assert_eq!(looks(&[""])[0], Look { colour: 0, dashed: false });
        assert!(looks(&[]).is_empty());
    }
}
