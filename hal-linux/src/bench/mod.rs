//! What this machine does: the workloads of `skiff bench`, how they are measured, and what is written about them.
//!
//! [`workloads`] lists the rows; each room below it answers for some of them. Times are processor time of one thread,
//! medians of interleaved rounds (`skiff_measure::rounds`).

mod chart;
pub mod compare;
mod crossing;
mod guest;
mod machine;
mod memory;
pub mod report;
mod run;
mod table;
mod whole;
pub mod workloads;

pub use chart::svg;
pub use machine::Machine;
pub use report::Report;
pub use run::{Bench, run};
pub use table::text;
