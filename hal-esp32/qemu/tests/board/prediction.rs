//! What admission predicts of a plugin's memory and of its load, beside what the board measured.

use crate::Ended;

/// What is predicted for a plugin at work is at most this many percent of what it takes.
const PERCENT_MAX: u64 = 110;
/// Instructions that a board executes in a microsecond, at 160 MHz.
const INSTRUCTIONS_PER_US: u64 = 160;

/// Prints what was predicted for each plugin and what it took: never below, and at most a tenth above it.
///
/// # Errors
/// A plugin whose prediction does not hold, or that there is none.
pub fn expect_close_predictions(played: &Ended, remark: &str) -> Result<(), String> {
    expect(played, remark, PERCENT_MAX)
}

/// Prints the same, and holds that nothing was predicted too small.
///
/// # Errors
/// As [`expect_close_predictions`].
pub fn expect_safe_predictions(played: &Ended) -> Result<(), String> {
    expect(played, "", u64::MAX)
}

fn expect(played: &Ended, remark: &str, percent_max: u64) -> Result<(), String> {
    let mut count = 0;
    for (name, predicted) in played.numbers("predicted: ") {
        let [heap, linear, load_us] = predicted[..] else { return Err(format!("no prediction in: {predicted:?}")) };
        let (_, peak, _) = taken(played, name)?;
        let (.., load) = taken(played, &format!("{name}, its load"))?;
        let (predicted, measured) = (heap + linear, peak);
        let (name, percent) = (format!("{name}{remark}"), predicted * 100 / measured);
        println!("{name:<36} {predicted:>10} {measured:>10}  {}.{:02}", percent / 100, percent % 100);
        if predicted < measured || percent > percent_max {
            return Err(format!("{name}: {predicted} bytes predicted, {measured} measured"));
        }
        let (load, took_us) = (format!("{name}, load, us"), load / INSTRUCTIONS_PER_US);
        println!("{load:<36} {load_us:>10} {took_us:>10}");
        if load_us < took_us {
            return Err(format!("{name}: a load of {load_us} us predicted, it took {took_us}"));
        }
        count += 1;
    }
    if count == 0 { Err("the board predicted nothing".into()) } else { Ok(()) }
}

/// Returns what the board says that something took: heap at its end, heap at its peak, instructions.
fn taken(played: &Ended, name: &str) -> Result<(u64, u64, u64), String> {
    let taken = played.numbers("took: ").find(|(other, _)| *other == name);
    match taken.as_ref().map(|(_, numbers)| &numbers[..]) {
        Some([heap, peak, instructions]) => Ok((*heap, *peak, *instructions)),
        _ => Err(format!("{name}: the board measured nothing")),
    }
}
