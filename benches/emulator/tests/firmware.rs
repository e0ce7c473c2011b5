//! The ESP32-C6's image, without its radio, from flash: what no other test executes. `cargo xtask esp32c6 --emulate` builds
//! it and runs these.

mod bench;

use bench::{BOOT_US, FRAME_US, Setup, play, said, said_on_linux, sample, serve, wait};
use skiff_emulator::{Reset, Stopped};
use skiff_runtime::hal::CanFrame;

/// Seconds of the sample; the first minute was compared once (hal-esp32/docs/emulation.md).
fn seconds() -> u64 {
    std::env::var("SKIFF_CHIP_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

#[test]
#[ignore = "runs the firmware: cargo xtask esp32c6 --emulate"]
fn true_wind_says_on_the_chip_what_it_says_on_linux() -> Result<(), String> {
    let seconds = seconds();
    let mut chip = Setup::flashed()?.true_wind()?.power_on()?;
    serve(&mut chip)?;
    let (served_us, booted) = (chip.now_us(), chip.instructions);
    // `replay` begins when the plugin has started; here it does that after the board serves.
    chip.run(None, 2_000_000)?;
    let frames = play(&mut chip, sample(seconds));
    chip.run(None, seconds * 1_000_000 + 500_000)?;
    let (chips, linux) = (said(&chip)?, said_on_linux(seconds)?);
    println!(
        "serves after {served_us} us and {booted} instructions; {frames} frames, {} instructions more",
        chip.instructions - booted
    );
    println!("{} deltas of true wind on the chip, {} on Linux", chips.len(), linux.len());
    let differs = chips.iter().zip(&linux).position(|(chip, linux)| chip != linux);
    if let Some(at) = differs {
        let (from_chip, from_linux) = (chips.iter().skip(at).take(3), linux.iter().skip(at).take(3));
        let both: Vec<String> =
            from_chip.zip(from_linux).map(|(chip, linux)| format!("chip:  {chip}\nLinux: {linux}")).collect();
        return Err(format!("delta {at} differs\n{}", both.join("\n")));
    }
    if chips.is_empty() || chips.len() != linux.len() {
        return Err(format!(
            "{} deltas on the chip, {} on Linux; {}",
            chips.len(),
            linux.len(),
            chip.lines().join("\n")
        ));
    }
    match chip.bus.acknowledged {
        0 => Ok(()),
        number => Err(format!("it was to listen, and acknowledged {number} frames")),
    }
}

#[test]
#[ignore = "runs the firmware: cargo xtask esp32c6 --emulate"]
fn a_node_claims_its_address_once_the_bus_is_there_and_answers() -> Result<(), String> {
    let mut chip = Setup::flashed()?.file("skiff/n2k.json", b"{\"node\":true}")?.power_on()?;
    // Nothing is connected.
    chip.bus.others = false;
    serve(&mut chip)?;
    chip.run(None, 3_000_000)?;
    if !chip.bus.sent.is_empty() || !chip.lines().iter().any(|line| line.contains("bus: a node")) {
        return Err(format!("sent {:02x?} to nobody; {}", chip.bus.sent, chip.lines().join("\n")));
    }
    chip.bus.others = true;
    chip.run(None, 2_000_000)?;
    let pgn = |raw: &[u8; 13]| u32::from_be_bytes([raw[1], raw[2], raw[3], raw[4]]) >> 3 >> 16 & 0xff;
    let sent: Vec<u32> = chip.bus.sent.iter().map(|(_, raw)| pgn(raw)).collect();
    println!("sent once others are there: {sent:02x?}");
    // It asks who is there, then claims its address; after that its heartbeat.
    if !sent.starts_with(&[0xea, 0xee]) {
        return Err(format!("it does not ask and claim first: {:02x?}", chip.bus.sent));
    }
    // Another asks everybody for product information (126996).
    let request = CanFrame::new(0x18ea_ff23, &[0x14, 0xf0, 0x01]).ok_or("no frame")?;
    play(&mut chip, [(0, request)].into_iter());
    let before = chip.bus.sent.len();
    chip.run(None, 2_000_000)?;
    let of_product = chip.bus.sent[before..]
        .iter()
        .filter(|(_, raw)| u32::from_be_bytes([raw[1], raw[2], raw[3], raw[4]]) >> 3 >> 8 & 0x1_ffff == 126_996)
        .count();
    println!("{of_product} frames of product information, {} acknowledged", chip.bus.acknowledged);
    if of_product != 20 || chip.bus.acknowledged != 1 {
        return Err(format!(
            "{of_product} frames of 20, {} acknowledged: {:02x?}",
            chip.bus.acknowledged,
            &chip.bus.sent[before..]
        ));
    }
    Ok(())
}

#[test]
#[ignore = "runs the firmware: cargo xtask esp32c6 --emulate"]
fn a_full_bus_is_heard_while_the_flash_is_written() -> Result<(), String> {
    let mut chip = Setup::flashed()?.power_on()?;
    // The first start writes identity, password and token: frames come all the time from the moment that it listens.
    wait(&mut chip, "bus: ", BOOT_US)?;
    let changes = chip.bus.flash.changes;
    let frame = |number: u32| CanFrame::new(0x09f1_1203, &[number as u8, 0, 0, 0, 0, 0, 0, 0]);
    let count = play(&mut chip, (0..600_u32).filter_map(|number| Some((u64::from(number) * FRAME_US, frame(number)?))));
    serve(&mut chip)?;
    chip.run(None, 2_000_000)?;
    println!("{count} frames, {} changes of the flash meanwhile", chip.bus.flash.changes - changes);
    if chip.bus.flash.changes == changes || !chip.bus.frames.is_empty() {
        return Err("the flash was not written, or frames are left".into());
    }
    match chip.bus.twai_overruns() {
        0 => Ok(()),
        lost => Err(format!("{lost} frames found no room in the controller")),
    }
}

#[test]
#[ignore = "runs the firmware: cargo xtask esp32c6 --emulate"]
fn the_watchdog_resets_a_firmware_that_hangs_and_the_next_start_knows() -> Result<(), String> {
    let mut chip = Setup::flashed()?.power_on()?;
    serve(&mut chip)?;
    chip.hang();
    let hung_us = chip.now_us();
    let line = wait(&mut chip, "reset: ", 10_000_000)?;
    println!("{line}, {} us after it hung", chip.now_us() - hung_us);
    serve(&mut chip)?;
    if !line.contains("SysRtcWdt") || !chip.lines().iter().any(|line| line.contains("start: the watchdog")) {
        return Err(format!("{line}: {}", chip.lines().join("\n")));
    }
    let resets: Vec<Reset> = chip.starts.iter().map(|(reset, _)| *reset).collect();
    if resets == [Reset::PowerOn, Reset::Watchdog] { Ok(()) } else { Err(format!("{resets:?}")) }
}

#[test]
#[ignore = "runs the firmware: cargo xtask esp32c6 --emulate"]
fn an_update_that_hangs_is_rolled_back_after_its_starts() -> Result<(), String> {
    let mut chip = Setup::flashed()?.updated()?.power_on()?;
    for _ in 0..3 {
        serve(&mut chip)?;
        chip.hang();
    }
    serve(&mut chip)?;
    let slots: Vec<usize> = chip.starts.iter().map(|(_, slot)| *slot).collect();
    println!("slots started: {slots:?}");
    // Three starts of the second, a fourth that only moves the choice, the first.
    if slots == [1, 1, 1, 1, 0] { Ok(()) } else { Err(format!("{slots:?}: {}", chip.lines().join("\n"))) }
}

#[test]
#[ignore = "runs the firmware: cargo xtask esp32c6 --emulate"]
fn an_update_in_good_health_is_confirmed() -> Result<(), String> {
    let mut chip = Setup::flashed()?.updated()?.power_on()?;
    serve(&mut chip)?;
    // Frames, or it is not in good health; it has to be so for a minute.
    let heartbeat = CanFrame::new(0x1cf0_1120, &[0xff; 8]).ok_or("no frame")?;
    play(&mut chip, (0..130).map(|half| (half * 500_000, heartbeat)));
    // Its own task says so and runs: what hangs at any other moment may be the idle one, which nobody waits for.
    wait(&mut chip, "is confirmed", 65_000_000)?;
    for _ in 0..4 {
        chip.hang();
        serve(&mut chip)?;
    }
    let slots: Vec<usize> = chip.starts.iter().map(|(_, slot)| *slot).collect();
    println!("slots started: {slots:?}");
    if slots == [1; 5] { Ok(()) } else { Err(format!("{slots:?}: {}", chip.lines().join("\n"))) }
}

#[test]
#[ignore = "runs the firmware: cargo xtask esp32c6 --emulate"]
fn an_image_with_one_bit_changed_is_never_started() -> Result<(), String> {
    let mut chip = Setup::flashed()?.updated()?.damaged().power_on()?;
    serve(&mut chip)?;
    let slots: Vec<usize> = chip.starts.iter().map(|(_, slot)| *slot).collect();
    if slots == [0] { Ok(()) } else { Err(format!("{slots:?}")) }
}

#[test]
#[ignore = "runs the firmware: cargo xtask esp32c6 --emulate"]
fn the_power_may_go_in_any_change_of_the_first_start() -> Result<(), String> {
    let changes = {
        let mut chip = Setup::flashed()?.power_on()?;
        serve(&mut chip)?;
        chip.bus.flash.changes
    };
    for cut in 1..=changes {
        let mut chip = Setup::flashed()?.power_on()?;
        chip.bus.flash.cut_at = Some(cut);
        let stopped = chip.run(Some(bench::SERVES), BOOT_US)?;
        if stopped != Stopped::PowerCut {
            return Err(format!("change {cut} of {changes}: {stopped:?}"));
        }
        chip.power_on()?;
        serve(&mut chip).map_err(|error| format!("after a cut in change {cut}: {error}"))?;
    }
    println!("cut in each of {changes} changes, and came up again");
    Ok(())
}
