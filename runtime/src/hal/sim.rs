//! In-memory HAL with a virtual clock and faults: what every test and `replay` run on.
