//! What is asked of the values: paths with a method each, how fine, by which sources.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::aggregate::Method;
use super::range::Range;
use crate::json;
use crate::time::UnixMillis;

/// Paths of one query.
const PATHS_MAX: usize = 32;
/// Rows where none asks for a resolution: as many as a chart is wide.
const ROWS_WANTED: i64 = 500;
/// Resolutions that are chosen then, s.
const STEPS_S: &[i64] =
    &[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/// One of the paths.
#[derive(Clone, Debug, PartialEq)]
pub struct PathSpec {
    /// The path.
    pub path: String,
    /// How the values of a row become one.
    pub method: Method,
    /// The only source that counts, where one was named.
    pub source: Option<String>,
}

/// A query of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Time range.
    pub range: Range,
    /// Time of a row, ms.
    pub resolution_ms: i64,
    /// Paths, in the order of the columns.
    pub paths: Vec<PathSpec>,
    /// Each source has a column of its own.
    pub by_source: bool,
}

impl Query {
    /// Reads the parameters of a query.
    ///
    /// # Errors
    /// A clause for each of them that is wrong.
    pub fn read(parameter: &dyn Fn(&str) -> Option<String>, now: UnixMillis) -> Result<Self, Vec<String>> {
        let (range, mut wrong) = match Range::read(parameter, now) {
            Ok(range) => (Some(range), Vec::new()),
            Err(wrong) => (None, wrong),
        };
        let given = |name: &str| parameter(name).filter(|text| !text.is_empty());
        let resolution_ms = given("resolution").map(|text| resolution(text.trim()));
        if resolution_ms == Some(None) {
            wrong.push(String::from("resolution must be seconds above 0, or such as 1s, 15m, 2h, 1d"));
        }
        let by_source = given("sourcePolicy");
        if by_source.as_deref().is_some_and(|policy| policy != "all") {
            wrong.push(String::from("sourcePolicy must be all"));
        }
        let mut paths = Vec::new();
        for text in given("paths").unwrap_or_default().split(',').filter(|text| !text.is_empty()) {
            match spec(text) {
                Ok(spec) => paths.push(spec),
                Err(clause) => wrong.push(clause),
            }
            if paths.len() > PATHS_MAX || wrong.len() > PATHS_MAX {
                break;
            }
        }
        if paths.len() > PATHS_MAX || paths.is_empty() && wrong.is_empty() {
            wrong.push(format!("paths must name 1 to {PATHS_MAX} paths, separated by commas"));
        }
        let Some(range) = range.filter(|_| wrong.is_empty()) else { return Err(wrong) };
        let resolution_ms = resolution_ms.flatten().unwrap_or_else(|| {
            let wanted = STEPS_S.iter().map(|step| step.saturating_mul(1000));
            wanted.into_iter().find(|step| range.millis() <= step.saturating_mul(ROWS_WANTED)).unwrap_or(86_400_000)
        });
        Ok(Self { range, resolution_ms, paths, by_source: by_source.is_some() })
    }

    /// Returns when the first row begins: rows begin at whole multiples of their length, whatever the range begins with.
    #[must_use]
    pub fn origin(&self) -> UnixMillis {
        let from = self.range.from.0;
        UnixMillis(from.saturating_sub(from.checked_rem_euclid(self.resolution_ms).unwrap_or(0)))
    }

    /// Returns how many rows there can be.
    #[must_use]
    pub fn rows(&self) -> usize {
        let span = self.range.to.0.saturating_sub(self.origin().0);
        let rows = span.checked_div(self.resolution_ms).unwrap_or(0).saturating_add(1);
        usize::try_from(rows).unwrap_or(usize::MAX)
    }
}

/// Reads `<path>[:<method>[:<parameter>]][|<source>]`.
fn spec(text: &str) -> Result<PathSpec, String> {
    let (rest, source) = match text.split_once('|') {
        Some((rest, source)) => (rest, Some(source).filter(|source| !source.is_empty()).map(String::from)),
        None => (text, None),
    };
    let mut parts = rest.split(':');
    let path = String::from(parts.next().unwrap_or_default().trim());
    // A position has no average.
    let default = if path == "navigation.position" { "first" } else { "average" };
    let name = parts.next().filter(|name| !name.is_empty()).unwrap_or(default);
    let method = Method::parse(name, parts.next().filter(|text| !text.is_empty()));
    match method {
        Some(method) if !path.is_empty() => Ok(PathSpec { path, method, source }),
        _ => Err(format!(
            "{text} is not path[:method[:parameter]][|source]; methods are average, min, max, first, last, mid, \
             middle_index, sma (samples, 1 to 1000) and ema (alpha, above 0 up to 1)"
        )),
    }
}

/// Reads seconds, or whole seconds, minutes, hours or days with a letter; ms.
fn resolution(text: &str) -> Option<i64> {
    let (number, unit) = match text.char_indices().next_back()? {
        (at, 's') => (text.get(..at)?, 1000),
        (at, 'm') => (text.get(..at)?, 60_000),
        (at, 'h') => (text.get(..at)?, 3_600_000),
        (at, 'd') => (text.get(..at)?, 86_400_000),
        _ => {
            let millis = json::number(text)? * 1000.0;
            // At least a millisecond, at most what a year has.
            #[expect(clippy::cast_possible_truncation, reason = "inside the range, and the fraction is cut")]
            return (1.0..=366.0 * 86_400_000.0).contains(&millis).then_some(millis as i64);
        }
    };
    let is_whole = !number.is_empty() && number.len() <= 6 && number.bytes().all(|byte| byte.is_ascii_digit());
    is_whole.then(|| number.parse::<i64>().ok()).flatten()?.checked_mul(unit).filter(|millis| *millis > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn read(query: &str) -> Result<Query, String> {
        let parameter =
            |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(String::from);
        Query::read(&parameter, NOW).map_err(|wrong| wrong.join(", "))
    }

    #[test]
    fn paths_have_a_method_and_can_have_a_source() {
        let query = read(
            "duration=60&paths=a.b,navigation.position,a.c:max,a.d:sma:7|n2k-on-ve.can0.115,a.e:ema,navigation.position:last",
        );
        let paths = query.unwrap().paths;
        let found: Vec<(&str, Method, Option<&str>)> =
            paths.iter().map(|spec| (spec.path.as_str(), spec.method, spec.source.as_deref())).collect();
        let expected = [
            ("a.b", Method::Average, None),
            ("navigation.position", Method::First, None),
            ("a.c", Method::Max, None),
            ("a.d", Method::Sma(7), Some("n2k-on-ve.can0.115")),
            ("a.e", Method::Ema(0.2), None),
            ("navigation.position", Method::Last, None),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_resolution_is_chosen_where_none_is_asked_for() {
        for (query, millis) in [
            ("duration=60", 1000),
            ("duration=P1D", 300_000),
            ("duration=PT1H", 10_000),
            ("duration=60&resolution=5", 5000),
            ("duration=60&resolution=0.5", 500),
            ("duration=60&resolution=15m", 900_000),
            ("duration=60&resolution=1d", 86_400_000),
        ] {
            assert_eq!(read(&format!("{query}&paths=a.b")).unwrap().resolution_ms, millis, "{query}");
        }
        assert_eq!(read("duration=60&paths=a.b").unwrap().rows(), 61);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let many = format!("duration=1&paths=a{}", ",a".repeat(PATHS_MAX));
        for (query, clause) in [
            ("duration=60", "paths must name 1 to 32"),
            ("paths=a.b", "from or duration is required"),
            ("duration=60&paths=a.b&resolution=0", "resolution must be"),
            ("duration=60&paths=a.b&resolution=-5s", "resolution must be"),
            ("duration=60&paths=a.b&resolution=x", "resolution must be"),
            ("duration=60&paths=a.b&sourcePolicy=some", "sourcePolicy must be all"),
            ("duration=60&paths=a.b:median", "a.b:median is not"),
            ("duration=60&paths=a.b:sma:0", "a.b:sma:0 is not"),
            ("duration=60&paths=a.b:ema:2", "a.b:ema:2 is not"),
            (&many, "paths must name 1 to 32"),
        ] {
            assert!(read(query).unwrap_err().contains(clause), "{query}: {:?}", read(query));
        }
    }
}
