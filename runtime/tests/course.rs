//! The Course API: where the vessel goes, and what follows from that.
