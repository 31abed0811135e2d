//! The five families that the simulator speaks for.

/// A node family. The simulator is the one part of the proxy that knows them by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Paraloom validators.
    Paraloom,
    /// deCDN delivery nodes.
    Decdn,
    /// DataMgmt nodes.
    DataMgmt,
    /// GenLayer validators.
    GenLayer,
    /// The-Block nodes.
    TheBlock,
}

impl Family {
    /// All five.
    pub const ALL: [Self; 5] = [Self::Paraloom, Self::Decdn, Self::DataMgmt, Self::GenLayer, Self::TheBlock];

    /// The family's id, as targets name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paraloom => "paraloom",
            Self::Decdn => "decdn",
            Self::DataMgmt => "datamgmt",
            Self::GenLayer => "genlayer",
            Self::TheBlock => "the-block",
        }
    }

    /// The family an id names.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// Its `n`th version: 0 is one that stragglers still run, 1 the usual one, then what is rolled out.
    pub fn version(self, n: u32) -> String {
        match (self, n) {
            (Self::Paraloom, 0) => "0.5.0-rc2".to_owned(),
            (Self::Paraloom, n) => format!("0.6.{}", n - 1),
            (Self::Decdn, n) => format!("0.1.{}", n + 2),
            (Self::DataMgmt, n) => format!("0.1.{n}"),
            (Self::GenLayer, n) => format!("v0.5.{}", n + 2),
            (Self::TheBlock, n) => format!("0.9.{}", n + 3),
        }
    }
}
