//! How the values of a row become one.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::f64::consts::TAU;

use super::sample::{Sample, told};
use crate::json::{self, List};
use crate::time::UnixMillis;

/// Samples of a moving average; `sma` without a parameter has 5.
const SMA_MAX: u16 = 1000;

/// A method, named as in the History API of Signal K.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Mean; of angles the angle of their mean direction.
    Average,
    /// Least.
    Min,
    /// Greatest.
    Max,
    /// The first in time.
    First,
    /// The last in time.
    Last,
    /// Half way between the least and the greatest.
    Mid,
    /// The one in the middle of their order in time.
    MiddleIndex,
    /// Mean of the averages of so many rows.
    Sma(u16),
    /// The averages, each weighing so much against those before.
    Ema(f64),
}

impl Method {
    /// Reads name and parameter; `None` when there is no such method, or it cannot have that parameter.
    #[must_use]
    pub fn parse(name: &str, parameter: Option<&str>) -> Option<Self> {
        Some(match (name, parameter) {
            ("sma", None) => Self::Sma(5),
            ("sma", Some(samples)) => {
                Self::Sma(samples.parse().ok().filter(|samples| (1..=SMA_MAX).contains(samples))?)
            }
            ("ema", None) => Self::Ema(0.2),
            ("ema", Some(alpha)) => Self::Ema(json::number(alpha).filter(|alpha| *alpha > 0.0 && *alpha <= 1.0)?),
            ("average", _) => Self::Average,
            ("min", _) => Self::Min,
            ("max", _) => Self::Max,
            ("first", _) => Self::First,
            ("last", _) => Self::Last,
            ("mid", _) => Self::Mid,
            ("middle_index", _) => Self::MiddleIndex,
            _ => return None,
        })
    }

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::Min => "min",
            Self::Max => "max",
            Self::First => "first",
            Self::Last => "last",
            Self::Mid => "mid",
            Self::MiddleIndex => "middle_index",
            Self::Sma(_) => "sma",
            Self::Ema(_) => "ema",
        }
    }
}

/// What the numbers of one row come to.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    /// A sum, of angles that of the sines; or the least or the greatest.
    first: f64,
    /// Of angles the sum of the cosines; or the greatest.
    second: f64,
    count: u32,
}

/// A value of one row, as it is told.
#[derive(Clone, Debug)]
struct Kept {
    at: UnixMillis,
    text: String,
}

#[derive(Debug)]
enum Cells {
    Numbers(Vec<Cell>),
    /// One value of each row.
    Kept(Vec<Option<Kept>>),
}

/// The values of one path in rows.
#[derive(Debug)]
pub struct Column {
    method: Method,
    is_angle: bool,
    /// An angle below zero was told: the path's angles go from -π to π, else from 0 to 2π.
    below: bool,
    cells: Cells,
    /// Values of the latest row from the middle on, for [`Method::MiddleIndex`], and whether one more moves the middle.
    middle: (usize, VecDeque<Kept>, bool),
    /// What the values so far were smoothed to.
    smooth: VecDeque<(f64, f64)>,
}

impl Column {
    /// Makes a column without a value.
    #[must_use]
    pub fn new(method: Method, is_angle: bool, rows: usize) -> Self {
        let cells = match method {
            Method::First | Method::Last | Method::MiddleIndex => Cells::Kept(alloc::vec![None; rows]),
            _ => Cells::Numbers(alloc::vec![Cell::default(); rows]),
        };
        Self { method, is_angle, below: false, cells, middle: (0, VecDeque::new(), false), smooth: VecDeque::new() }
    }

    /// Takes a value of a row; returns how many more bytes of text are kept.
    pub fn take(&mut self, row: usize, at: UnixMillis, value: &Sample<'_>) -> usize {
        let is_middle = self.method == Method::MiddleIndex;
        match &mut self.cells {
            Cells::Numbers(cells) => {
                if let (Some(cell), Some(number)) = (cells.get_mut(row), value.number()) {
                    self.below |= number < 0.0;
                    cell.add(self.method, self.is_angle, number);
                }
                0
            }
            Cells::Kept(_) if is_middle => self.take_middle(row, Kept { at, text: told(value) }),
            Cells::Kept(kept) => {
                let Some(slot) = kept.get_mut(row) else { return 0 };
                let is_better = slot.as_ref().is_none_or(|kept| match self.method {
                    Method::First => at < kept.at,
                    _ => at >= kept.at,
                });
                if !is_better {
                    return 0;
                }
                let before = slot.as_ref().map_or(0, |kept| kept.text.len());
                let text = told(value);
                let more = text.len().saturating_sub(before);
                *slot = Some(Kept { at, text });
                more
            }
        }
    }

    /// Keeps those of the latest row from the middle on: every second one that comes moves the middle by one.
    fn take_middle(&mut self, row: usize, kept: Kept) -> usize {
        let more = kept.text.len();
        let (latest, waiting, moves) = &mut self.middle;
        if *latest != row {
            waiting.clear();
            (*latest, *moves) = (row, false);
        }
        waiting.push_back(kept);
        if core::mem::replace(moves, !*moves) {
            waiting.pop_front();
        }
        if let (Cells::Kept(cells), Some(middle)) = (&mut self.cells, waiting.front())
            && let Some(cell) = cells.get_mut(row)
        {
            *cell = Some(middle.clone());
        }
        more
    }

    /// Tells whether a row has a value.
    #[must_use]
    pub fn has(&self, row: usize) -> bool {
        match &self.cells {
            Cells::Numbers(cells) => cells.get(row).is_some_and(|cell| cell.count > 0),
            Cells::Kept(kept) => kept.get(row).is_some_and(Option::is_some),
        }
    }

    /// Writes what a row comes to, `null` where it has no value; rows are written in their order.
    pub fn write(&mut self, row: usize, out: &mut List<'_>) {
        let cell = match &self.cells {
            Cells::Kept(kept) => {
                match kept.get(row).and_then(Option::as_ref) {
                    Some(kept) => out.json(&kept.text),
                    None => out.null(),
                };
                return;
            }
            Cells::Numbers(cells) => cells.get(row).copied().filter(|cell| cell.count > 0),
        };
        match cell.and_then(|cell| self.number(cell)) {
            Some(number) => out.number(number),
            None => out.null(),
        };
    }

    fn number(&mut self, cell: Cell) -> Option<f64> {
        let count = f64::from(cell.count);
        let mean = (cell.first / count, cell.second / count);
        let mean = match self.method {
            Method::Mid => return Some(f64::midpoint(cell.first, cell.second)),
            Method::Sma(samples) => {
                if self.smooth.len() >= usize::from(samples) {
                    self.smooth.pop_front();
                }
                self.smooth.push_back(mean);
                let sum = self.smooth.iter().fold((0.0, 0.0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
                let count = f64::from(u32::try_from(self.smooth.len()).unwrap_or(1));
                (sum.0 / count, sum.1 / count)
            }
            Method::Ema(alpha) => {
                let before = self.smooth.pop_front().unwrap_or(mean);
                let next = (before.0 + alpha * (mean.0 - before.0), before.1 + alpha * (mean.1 - before.1));
                self.smooth.push_back(next);
                next
            }
            Method::Average => mean,
            _ => return Some(cell.first),
        };
        if !self.is_angle {
            return Some(mean.0);
        }
        // Directions that cancel each other have no mean; no instrument tells them finer.
        if libm::hypot(mean.0, mean.1) < 1e-6 {
            return None;
        }
        let angle = libm::atan2(mean.0, mean.1);
        Some(if angle < 0.0 && !self.below { angle + TAU } else { angle })
    }
}

impl Cell {
    fn add(&mut self, method: Method, is_angle: bool, number: f64) {
        let is_first = self.count == 0;
        match method {
            Method::Min if is_first || number < self.first => self.first = number,
            Method::Max if is_first || number > self.first => self.first = number,
            Method::Min | Method::Max => {}
            Method::Mid => {
                self.first = if is_first { number } else { self.first.min(number) };
                self.second = if is_first { number } else { self.second.max(number) };
            }
            _ if is_angle => {
                self.first += libm::sin(number);
                self.second += libm::cos(number);
            }
            _ => self.first += number,
        }
        self.count = self.count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Decimal;
    use core::f64::consts::PI;
    use std::format;

    fn decimal(number: f64) -> Sample<'static> {
        #[expect(clippy::cast_possible_truncation)]
        Sample::Number(Decimal::new((number * 1e6).round() as i64, -6))
    }

    /// What rows of numbers come to.
    fn of(method: &str, parameter: Option<&str>, is_angle: bool, rows: &[&[f64]]) -> String {
        let mut column = Column::new(Method::parse(method, parameter).unwrap(), is_angle, rows.len());
        for (row, numbers) in rows.iter().enumerate() {
            for (at, number) in numbers.iter().enumerate() {
                column.take(row, UnixMillis(i64::try_from(row * 100 + at).unwrap()), &decimal(*number));
            }
        }
        json::list(|out| (0..rows.len()).for_each(|row| column.write(row, out)))
    }

    #[test]
    fn each_method_says_what_its_name_does() {
        let rows: &[&[f64]] = &[&[3.0, 1.0, 4.0, 2.0, 7.5], &[], &[-2.0, 6.0]];
        for (method, expected) in [
            ("average", "[3.5,null,2]"),
            ("min", "[1,null,-2]"),
            ("max", "[7.5,null,6]"),
            ("first", "[3,null,-2]"),
            ("last", "[7.5,null,6]"),
            ("mid", "[4.25,null,2]"),
            ("middle_index", "[4,null,6]"),
        ] {
            assert_eq!(of(method, None, false, rows), expected, "{method}");
        }
        let rows: &[&[f64]] = &[&[1.0], &[3.0], &[], &[5.0], &[9.0]];
        assert_eq!(of("sma", Some("2"), false, rows), "[1,2,null,4,7]");
        assert_eq!(of("ema", Some("0.5"), false, rows), "[1,2,null,3.5,6.25]");
    }

    #[test]
    fn the_middle_is_that_of_the_order_in_time() {
        for count in 1..10_u32 {
            let numbers: Vec<f64> = (0..count).map(f64::from).collect();
            assert_eq!(of("middle_index", None, false, &[&numbers]), format!("[{}]", count / 2), "{count}");
        }
    }

    #[test]
    fn angles_are_averaged_by_their_direction() {
        let degrees = |numbers: &[f64]| -> f64 {
            let numbers: Vec<f64> = numbers.iter().map(|number| number * PI / 180.0).collect();
            let text = of("average", None, true, &[&numbers]);
            let number: f64 = text.trim_matches(['[', ']']).parse().unwrap_or(f64::NAN);
            (number * 180.0 / PI * 1000.0).round() / 1000.0
        };
        assert!([0.0, 360.0].contains(&degrees(&[359.0, 1.0])));
        assert_eq!((degrees(&[350.0, 340.0]), degrees(&[-10.0, -20.0])), (345.0, -15.0));
        assert!((degrees(&[170.0, -170.0]).abs() - 180.0).abs() < 0.01, "an angle that has a sign keeps it");
        assert!(degrees(&[0.0, 180.0]).is_nan(), "they cancel each other");
    }

    #[test]
    fn what_is_no_number_has_no_average_and_is_told_as_it_is() {
        let texts = [Sample::Json("\"a\""), Sample::Json("{\"b\":1}"), Sample::Json("null")];
        for (method, expected) in
            [("average", "[null]"), ("max", "[null]"), ("first", "[\"a\"]"), ("middle_index", "[{\"b\":1}]")]
        {
            let mut column = Column::new(Method::parse(method, None).unwrap(), false, 1);
            for (at, text) in texts.iter().enumerate() {
                column.take(0, UnixMillis(i64::try_from(at).unwrap()), text);
            }
            assert_eq!(json::list(|out| column.write(0, out)), expected, "{method}");
        }
    }
}
