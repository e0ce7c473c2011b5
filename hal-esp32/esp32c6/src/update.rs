//! The two slots of the firmware: which one runs, whether it stays, and writing the other one.

use alloc::format;
use alloc::string::String;

use esp_bootloader_esp_idf::ota::OtaImageState;
use esp_bootloader_esp_idf::ota_updater::OtaUpdater;
use esp_bootloader_esp_idf::partitions::{Error, PARTITION_TABLE_MAX_LEN};
use esp_storage::FlashStorage;

fn with<T>(
    flash: &mut FlashStorage<'static>,
    work: impl FnOnce(&mut OtaUpdater<'_, 'static>) -> Result<T, Error>,
) -> Result<T, String> {
    let mut buffer = alloc::boxed::Box::new([0; PARTITION_TABLE_MAX_LEN]);
    let failed = |error| format!("firmware slots: {error:?}");
    work(&mut OtaUpdater::new(flash, &mut buffer).map_err(failed)?).map_err(failed)
}

/// Tells whether the firmware that runs is on trial.
pub fn is_new(flash: &mut FlashStorage<'static>) -> bool {
    let state = with(flash, |slots| slots.current_ota_state());
    matches!(state, Ok(OtaImageState::New | OtaImageState::PendingVerify))
}

/// Marks the firmware that runs as good, or as bad.
///
/// # Errors
/// A clause that says what was not written.
pub fn judge(flash: &mut FlashStorage<'static>, good: bool) -> Result<(), String> {
    let state = if good { OtaImageState::Valid } else { OtaImageState::Invalid };
    with(flash, |slots| slots.set_current_ota_state(state))
}

/// Writes a piece of a new firmware to the slot that does not run; `offset` and length are whole sectors, except at the
/// end.
///
/// # Errors
/// A clause that says what was not written.
pub fn write(flash: &mut FlashStorage<'static>, offset: u32, data: &[u8]) -> Result<(), String> {
    with(flash, |slots| {
        let (mut slot, _) = slots.next_partition()?;
        slot.write(offset, data)
    })
}

/// Makes the other slot the one that is started next, on trial.
///
/// # Errors
/// A clause that says what was not written.
pub fn activate(flash: &mut FlashStorage<'static>) -> Result<(), String> {
    with(flash, |slots| {
        slots.activate_next_partition()?;
        slots.set_current_ota_state(OtaImageState::New)
    })
}
