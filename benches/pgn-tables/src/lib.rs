//! Makes `runtime/src/n2k/tables` of canboat's PGN database: only facts (numbers, ids of fields and PGNs, lookup texts).

pub mod collect;
pub mod database;
pub mod selection;
pub mod write;
