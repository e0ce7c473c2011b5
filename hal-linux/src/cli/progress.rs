//! One line on a terminal that tells how far a command is, and how long it will still take.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::talk;
use crate::logs::Source;

/// Nothing is shown before: what is done by then needs no line.
const QUIET: Duration = Duration::from_secs(1);
/// Time between two lines.
const EVERY: Duration = Duration::from_millis(200);
/// Columns of the bar.
const BAR_COLUMNS: usize = 24;
/// Columns of the whole line, for the narrowest terminal in use.
const LINE_COLUMNS: usize = 79;

/// A line stands on the terminal, without an end.
static STANDS: AtomicBool = AtomicBool::new(false);

/// Takes the line away, so that another can be written.
pub(super) fn clear() {
    if STANDS.swap(false, Ordering::SeqCst) {
        // Nobody can be told that stderr is gone.
        let _ = write!(io::stderr(), "\r{:LINE_COLUMNS$}\r", "");
    }
}

/// Shows how far something is; it goes when this is dropped.
pub(super) struct Progress {
    is_shown: bool,
    began: Instant,
    shown: Option<Instant>,
}

impl Progress {
    /// Begins now. Shown is it on a terminal, unless `-q` was given.
    pub fn begin() -> Self {
        let is_shown = io::stderr().is_terminal() && log::log_enabled!(log::Level::Warn);
        Self { is_shown, began: Instant::now(), shown: None }
    }

    /// Tells which part is done (0 to 1, where that is known), and what of it.
    pub fn tell(&mut self, part: Option<f64>, what: impl FnOnce(Duration) -> String) {
        let now = Instant::now();
        let elapsed = now.saturating_duration_since(self.began);
        if !self.is_shown || !is_due(elapsed, self.shown.map(|shown| now.saturating_duration_since(shown))) {
            return;
        }
        self.shown = Some(now);
        let line = line(part, elapsed, &what(elapsed));
        STANDS.store(true, Ordering::SeqCst);
        // Nobody can be told that stderr is gone.
        let _ = write!(io::stderr(), "\r{}", talk::sanitised(&line));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        clear();
    }
}

/// Progress of a log that is read.
pub(super) struct LogProgress {
    progress: Progress,
    /// Bytes of the file; unknown for what is no file.
    total: Option<u64>,
    read: u64,
}

impl LogProgress {
    /// Begins to read a log. Where stdout is a terminal, too, its lines tell enough.
    pub fn begin(source: &Source) -> Self {
        let mut progress = Progress::begin();
        progress.is_shown &= !io::stdout().is_terminal();
        let total = match source {
            Source::Stdin => None,
            Source::File(path) => fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|file| file.len()),
        };
        Self { progress, total, read: 0 }
    }

    /// Tells how many bytes were read. Asked for each entry: the clock is looked at for each piece that was read.
    pub fn tell(&mut self, read: u64) {
        if read == self.read {
            return;
        }
        self.read = read;
        self.progress.tell(part(read, self.total), |elapsed| rate(read, elapsed));
    }
}

/// Progress of an archive that is loaded over the network.
pub(super) struct DownloadProgress(Progress);

impl DownloadProgress {
    /// Begins to load.
    pub fn begin() -> Self {
        Self(Progress::begin())
    }

    /// Tells how many bytes have come, and of how many where that is known.
    pub fn tell(&mut self, read: u64, of: Option<u64>) {
        self.0.tell(part(read, of), |elapsed| rate(read, elapsed));
    }
}

/// Returns which part of so many bytes was read.
fn part(read: u64, of: Option<u64>) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "shown as a percentage")]
    of.filter(|total| *total > 0).map(|total| read as f64 / total as f64)
}

fn is_due(elapsed: Duration, since_shown: Option<Duration>) -> bool {
    elapsed >= QUIET && since_shown.is_none_or(|since| since >= EVERY)
}

/// Says how much was read, and how fast.
fn rate(bytes: u64, elapsed: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let megabytes = bytes as f64 / 1e6;
    let per_second = megabytes / elapsed.as_secs_f64().max(0.001);
    format!("{megabytes:.1} MB, {per_second:.1} MB/s")
}

fn line(part: Option<f64>, elapsed: Duration, what: &str) -> String {
    let text = match part.map(|part| part.clamp(0.0, 1.0)) {
        Some(part) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
            let percent = (part * 100.0) as usize;
            let filled = "#".repeat(percent * BAR_COLUMNS / 100);
            let left = left(part, elapsed).map(|left| format!("{left} left  ")).unwrap_or_default();
            format!("[{filled:<BAR_COLUMNS$}] {percent:>3} %  {left}{what}")
        }
        None => what.to_owned(),
    };
    let cut: String = text.chars().take(LINE_COLUMNS).collect();
    format!("{cut:<LINE_COLUMNS$}")
}

/// Says how long the rest takes at the pace so far; nothing is known at the beginning.
fn left(part: f64, elapsed: Duration) -> Option<String> {
    let left = Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 - part) / part).ok()?;
    Some(match left.as_secs() {
        seconds @ 0..=99 => format!("{seconds} s"),
        seconds @ 100..=5999 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3600)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn what_is_quick_shows_nothing_and_the_rest_five_lines_a_second() {
        assert!(!is_due(Duration::from_millis(999), None));
        assert!(is_due(seconds(1), None));
        assert!(!is_due(seconds(2), Some(Duration::from_millis(199))));
        assert!(is_due(seconds(2), Some(EVERY)));
    }

    #[test]
    fn a_line_has_bar_percent_time_left_and_rate() {
        let shown = line(Some(0.25), seconds(10), &rate(50_000_000, seconds(10)));
        assert_eq!(shown.trim_end(), "[######                  ]  25 %  30 s left  50.0 MB, 5.0 MB/s");
        assert_eq!(line(Some(2.0), seconds(1), "x").trim_end(), format!("[{}] 100 %  0 s left  x", "#".repeat(24)));
        assert_eq!(line(None, seconds(1), &rate(1_500_000, seconds(1))).trim_end(), "1.5 MB, 1.5 MB/s");
        // A line of another length would leave the end of the one before.
        assert_eq!(line(Some(0.5), seconds(1), &"long ".repeat(50)).chars().count(), LINE_COLUMNS);
        assert_eq!(line(None, seconds(1), "").chars().count(), LINE_COLUMNS);
    }

    #[test]
    fn a_part_is_known_where_the_whole_is() {
        assert_eq!(part(1, Some(4)), Some(0.25));
        assert_eq!((part(1, None), part(0, Some(0))), (None, None));
    }

    #[test]
    fn the_time_left_is_said_in_a_fitting_unit() {
        assert_eq!(left(0.0, seconds(5)), None);
        assert_eq!(left(0.5, seconds(99)).as_deref(), Some("99 s"));
        assert_eq!(left(0.1, seconds(100)).as_deref(), Some("15 min"));
        assert_eq!(left(0.001, seconds(60)).as_deref(), Some("17 h"));
        assert_eq!(left(1e-300, seconds(60)), None, "longer than anybody waits");
    }
}
