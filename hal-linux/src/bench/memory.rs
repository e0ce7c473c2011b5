//! Memory of plugins: what a further one takes of the machine, and what the program itself takes.

use skiff_runtime::host::Call;
use skiff_runtime::package::Package;

use super::guest::{Guest, delta};
use super::workloads::Subject;

/// Plugins that are loaded beside each other.
const COPIES: usize = 16;

/// What one plugin takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerPlugin {
    /// Linear memory, bytes.
    pub linear_bytes: u64,
    /// Growth of the resident set with each, bytes, mean of 16; `None` where the system does not tell.
    pub resident_bytes: Option<u64>,
}

/// Returns the resident set of this process, bytes (proc(5), `/proc/pid/statm`).
pub fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages.saturating_mul(rustix::param::page_size() as u64))
}

/// Loads and starts copies of a plugin, gives each a few deltas, and looks at the resident set before and after.
///
/// The copies come from the caller's heap: whoever wants the whole growth asks before other plugins have come and gone.
pub fn per_plugin(subject: &Subject) -> Result<PerPlugin, String> {
    // The first one brings code of the interpreter into memory, which later ones share.
    let first = worked(&subject.package, subject)?;
    let before = resident_bytes();
    // Kept until the end, or the next would take the memory of the last.
    let copies = (0..COPIES).map(|_| worked(&subject.package, subject)).collect::<Result<Vec<_>, _>>()?;
    let growth = before.zip(resident_bytes()).map(|(before, after)| after.saturating_sub(before) / COPIES as u64);
    drop(copies);
    Ok(PerPlugin { linear_bytes: first.linear_bytes(), resident_bytes: growth })
}

fn worked(package: &Package, subject: &Subject) -> Result<Guest, String> {
    let mut guest = Guest::load(package)?;
    guest.start(&subject.config)?;
    for text in subject.before.iter().chain(&subject.answered).chain([&subject.unwanted]) {
        guest.call(Call::Delta(delta(text)?))?;
    }
    Ok(guest)
}
