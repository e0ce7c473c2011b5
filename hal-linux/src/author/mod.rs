//! What plugin authors do: a new package from a template, building it, trying it while it changes.

pub mod build;
pub mod children;
pub mod dev;
mod files;
pub mod template;
