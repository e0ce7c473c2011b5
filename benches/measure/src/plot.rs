//! Plots as SVG (SVG 1.1) that can be read on light and on dark ground: bars, lines.
//!
//! Texts and lines have the colour of the reader's scheme (`prefers-color-scheme`), so a file serves both. Nothing in it is
//! loaded from elsewhere.

use std::fmt::Write as _;

/// One plot of a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Plot {
    /// Bars from the left, one below the other, on a logarithmic scale.
    Bars {
        /// What stands above it.
        title: String,
        /// Unit behind each number, such as `ns` or `bytes`.
        unit: Unit,
        /// Name and value of each bar; `None` shows the text instead of a bar.
        bars: Vec<(String, Result<f64, String>)>,
    },
    /// Lines over a number, both scales logarithmic.
    Lines {
        /// What stands above it.
        title: String,
        /// What the numbers below count.
        below: String,
        /// Unit of the numbers at the side.
        unit: Unit,
        /// Name and points of each line.
        lines: Vec<(String, Vec<(f64, f64)>)>,
    },
}

/// Unit of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// Times of something else.
    Times,
    /// Pieces of something.
    Count,
}

impl Unit {
    /// Writes a value with three digits: `12.3 µs`, `1.20 MB`.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        let (steps, names): (f64, &[&str]) = match self {
            Self::Nanoseconds => (1000.0, &["ns", "µs", "ms", "s"]),
            Self::Bytes => (1000.0, &["B", "KB", "MB", "GB"]),
            Self::Times => (f64::INFINITY, &["×"]),
            Self::Count => (1000.0, &["", "k", "M", "G"]),
        };
        let (mut value, mut place) = (value, 0);
        while value >= 999.5 && place + 1 < names.len() {
            value /= steps;
            place += 1;
        }
        let digits = match value {
            // A byte has no half, nor has a piece.
            _ if place == 0 && matches!(self, Self::Bytes | Self::Count) => 0,
            _ if value < 9.995 => 2,
            _ if value < 99.95 => 1,
            _ => 0,
        };
        let name = names.get(place).copied().unwrap_or_default();
        if name.is_empty() { format!("{value:.digits$}") } else { format!("{value:.digits$} {name}") }
    }
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 250.0;
const RIGHT: f64 = 90.0;
const BAR: f64 = 22.0;
const TITLE: f64 = 34.0;
const LINES_HEIGHT: f64 = 260.0;
/// Colours that stand out on white and on black (at least 3:1 on both, as WCAG 2.1 asks of graphics).
const COLOURS: [&str; 8] = ["#1f86d1", "#d9541e", "#1f9a5f", "#b0558f", "#a8830a", "#3a8f9e", "#8b6bd6", "#7a7a7a"];

/// Writes plots below each other as one SVG document.
#[must_use]
pub fn svg(plots: &[Plot]) -> String {
    let height: f64 = plots.iter().map(height_of).sum::<f64>() + 10.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" role=\"img\">\n<style>\n\
         .text {{ fill: #222 }} .line {{ stroke: #999 }}\n\
         @media (prefers-color-scheme: dark) {{ .text {{ fill: #ddd }} .line {{ stroke: #777 }} }}\n</style>\n"
    );
    let mut top = 0.0;
    for plot in plots {
        match plot {
            Plot::Bars { title, unit, bars } => write_bars(&mut out, top, title, *unit, bars),
            Plot::Lines { title, below, unit, lines } => write_lines(&mut out, top, title, below, *unit, lines),
        }
        top += height_of(plot);
    }
    out.push_str("</svg>\n");
    out
}

#[expect(clippy::cast_precision_loss, reason = "a few rows")]
fn height_of(plot: &Plot) -> f64 {
    match plot {
        Plot::Bars { bars, .. } => TITLE + BAR * bars.len() as f64 + 10.0,
        Plot::Lines { lines, .. } => TITLE + LINES_HEIGHT + 40.0 + 18.0 * lines.len() as f64,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn write_text(out: &mut String, x: f64, y: f64, anchor: &str, more: &str, text: &str) {
    // Writing into a String cannot fail.
    let _ = writeln!(
        out,
        "<text class=\"text\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{more}>{}</text>",
        escaped(text)
    );
}

/// What a plot shows, and how it is to be read.
fn write_title(out: &mut String, top: f64, title: &str, better: &str) {
    write_text(out, 10.0, top + 22.0, "start", " font-weight=\"bold\"", title);
    write_text(out, WIDTH - 10.0, top + 22.0, "end", " font-size=\"11\"", &format!("{better}; logarithmic"));
}

fn colour(index: usize) -> &'static str {
    COLOURS.get(index % COLOURS.len()).copied().unwrap_or("#777")
}

/// Where a value lies between two others on a logarithmic scale, 0 to 1.
fn place(value: f64, low: f64, high: f64) -> f64 {
    let (value, low, high) = (value.max(low).ln(), low.ln(), high.ln());
    if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 1.0 }
}

/// The least and the greatest of some values, the least rounded down to a power of ten.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|value| value.is_finite() && *value > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    if low.is_finite() { (10_f64.powf(low.log10().floor()), high) } else { (1.0, 10.0) }
}

#[expect(clippy::cast_precision_loss, reason = "a few rows")]
fn write_bars(out: &mut String, top: f64, title: &str, unit: Unit, bars: &[(String, Result<f64, String>)]) {
    write_title(out, top, title, "shorter is better");
    let (low, high) = range(bars.iter().filter_map(|(_, value)| value.as_ref().ok().copied()));
    // The shortest bar can still be seen.
    let low = low / 2.0;
    for (row, (name, value)) in bars.iter().enumerate() {
        let y = top + TITLE + BAR * row as f64;
        write_text(out, LEFT - 8.0, y + 14.0, "end", "", name);
        match value {
            Ok(value) => {
                let width = (WIDTH - LEFT - RIGHT) * place(*value, low, high);
                let _ = writeln!(
                    out,
                    "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
                    BAR - 5.0,
                    colour(0)
                );
                write_text(out, LEFT + width + 6.0, y + 14.0, "start", "", &unit.text(*value));
            }
            Err(reason) => write_text(out, LEFT, y + 14.0, "start", " font-style=\"italic\"", reason),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few rows")]
fn write_lines(out: &mut String, top: f64, title: &str, below: &str, unit: Unit, lines: &[(String, Vec<(f64, f64)>)]) {
    write_title(out, top, title, "lower is better");
    let points = || lines.iter().flat_map(|(_, points)| points);
    let (low, high) = range(points().map(|(_, value)| *value));
    let (first, last) = points().fold((f64::INFINITY, 1.0_f64), |(first, last), (x, _)| (first.min(*x), last.max(*x)));
    let (left, right, upper, lower) = (90.0, WIDTH - 30.0, top + TITLE + 6.0, top + TITLE + LINES_HEIGHT - 6.0);
    let x_of = |x: f64| left + (right - left) * place(x, first, last);
    let y_of = |value: f64| lower - (lower - upper) * place(value, low, high);
    let mut mark = low;
    while mark <= high {
        let y = y_of(mark);
        let _ = writeln!(
            out,
            "<line class=\"line\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke-width=\"0.5\"/>"
        );
        write_text(out, left - 8.0, y + 4.0, "end", "", &unit.text(mark));
        mark *= 10.0;
    }
    let mut marks: Vec<f64> = points().map(|(x, _)| *x).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    for x in marks {
        write_text(out, x_of(x), lower + 20.0, "middle", "", &format!("{x}"));
    }
    write_text(out, f64::midpoint(left, right), lower + 38.0, "middle", "", below);
    for (index, (name, points)) in lines.iter().enumerate() {
        let path: Vec<String> =
            points.iter().map(|(x, value)| format!("{:.1},{:.1}", x_of(*x), y_of(*value))).collect();
        let colour = colour(index);
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
            path.join(" ")
        );
        for point in &path {
            if let Some((x, y)) = point.split_once(',') {
                let _ = writeln!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3.5\" fill=\"{colour}\"/>");
            }
        }
        let y = lower + 56.0 + 18.0 * index as f64;
        let _ = writeln!(out, "<rect x=\"{left}\" y=\"{:.1}\" width=\"16\" height=\"10\" fill=\"{colour}\"/>", y - 9.0);
        let end = points.last().map(|(_, value)| unit.text(*value)).unwrap_or_default();
        write_text(out, left + 24.0, y, "start", "", &format!("{name} ({end})"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_the_unit_that_fits() {
        assert_eq!(Unit::Nanoseconds.text(1.0), "1.00 ns");
        assert_eq!(Unit::Nanoseconds.text(25_940.0), "25.9 µs");
        assert_eq!(Unit::Nanoseconds.text(999_900.0), "1.00 ms");
        assert_eq!(Unit::Bytes.text(512.0), "512 B");
        assert_eq!(Unit::Bytes.text(8_123_456.0), "8.12 MB");
        assert_eq!(Unit::Times.text(12_345.0), "12345 ×");
        assert_eq!(Unit::Count.text(1_600_000.0), "1.60 M");
    }

    #[test]
    fn a_picture_has_both_schemes_and_loads_nothing() {
        let bars = vec![("a & <b>".to_owned(), Ok(10.0)), ("c".to_owned(), Err("cannot be built".to_owned()))];
        let lines = vec![("x".to_owned(), vec![(1.0, 10.0), (50.0, 900.0)])];
        let picture = svg(&[
            Plot::Bars { title: "bars".into(), unit: Unit::Nanoseconds, bars },
            Plot::Lines { title: "lines".into(), below: "plugins".into(), unit: Unit::Bytes, lines },
        ]);
        for part in [
            "prefers-color-scheme: dark",
            "a &amp; &lt;b&gt;",
            "cannot be built",
            "10.0 ns",
            "<polyline",
            "plugins",
            "900 B",
        ] {
            assert!(picture.contains(part), "{part}: {picture}");
        }
        assert_eq!(picture.matches("http").count(), 1, "only the name space");
        assert_eq!(picture.matches("<svg").count(), picture.matches("</svg>").count());
        assert!(!picture.contains("NaN"), "{picture}");
    }

    #[test]
    fn plots_without_a_value_are_drawn_too() {
        let empty = svg(&[
            Plot::Bars { title: "t".into(), unit: Unit::Count, bars: vec![("a".into(), Err("void".into()))] },
            Plot::Lines { title: "t".into(), below: "b".into(), unit: Unit::Count, lines: Vec::new() },
        ]);
        assert!(!empty.contains("NaN") && !empty.contains("inf"), "{empty}");
    }

    #[test]
    fn longer_bars_are_larger_values() {
        assert!(place(1.0, 1.0, 100.0) < place(10.0, 1.0, 100.0));
        assert_eq!(place(1000.0, 1.0, 100.0), 1.0);
        assert_eq!(range([300.0, 20.0].into_iter()), (10.0, 300.0));
    }
}
