//! What a crossing costs: from the host to the guest and back with an empty export, and the other way with an import.

use skiff_measure::rounds::{Done, Work};
use skiff_runtime::host::Call;
use skiff_runtime::package::Package;

use super::guest::Guest;

/// `crossing.wat`, assembled.
const MODULE: &[u8] = include_bytes!("crossing.wasm");
/// Imports that its `plugin_stop` calls.
const IMPORTS: u64 = 1000;

fn guest() -> Result<Guest, String> {
    let package = Package::from_wasm("crossing", MODULE).map_err(|error| error.to_string())?;
    Guest::load(&package)
}

/// An empty export.
pub fn empty_call<'w>() -> Result<Work<'w>, String> {
    let mut guest = guest()?;
    Ok(Box::new(move |times| guest.measured(times, |_| Call::Poll)))
}

/// An import that does nothing but look at its argument.
pub fn empty_import<'w>() -> Result<Work<'w>, String> {
    let mut guest = guest()?;
    Ok(Box::new(move |times| {
        let done = guest.measured(times, |_| Call::Stop);
        Done { units: done.units.saturating_mul(IMPORTS), ..done }
    }))
}

/// Returns the fuel of the two.
pub fn fuel() -> Result<(u64, u64), String> {
    let mut guest = guest()?;
    let empty = guest.call(Call::Poll)?.fuel;
    let thousand = guest.call(Call::Stop)?.fuel;
    Ok((empty, thousand / IMPORTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_what_its_text_gives() {
        let module = wat::parse_str(include_str!("crossing.wat")).unwrap();
        assert!(module == MODULE, "crossing.wasm is not crossing.wat, assembled");
    }

    #[test]
    fn an_import_costs_fuel_and_an_empty_call_little() {
        let (empty, import) = fuel().unwrap();
        assert!(empty < 10 && import >= 64, "{empty} {import}");
        assert_eq!(empty_import().unwrap()(2).units, 2000);
        assert_eq!(empty_call().unwrap()(3).units, 3);
    }
}
