//! The closed list of differences: each is explained, none is there that does not occur any more.

/// Patterns with the reason that stands above them.
#[derive(Debug)]
pub struct List {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    line: usize,
    pattern: String,
    reason: usize,
    times: usize,
    /// It depends on the moment whether it occurs.
    is_rare: bool,
}

/// What a list says of differences.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    /// Differences that no pattern names.
    pub unknown: Vec<String>,
    /// Patterns without a difference.
    pub outlived: Vec<String>,
    /// Reason, and how many differences it explains.
    pub explained: Vec<(String, usize)>,
}

impl List {
    /// Reads a list: a line that begins with `#` is the reason of the patterns below it, where `*` is any text; behind `? ` stands
    /// one that does not occur each time.
    ///
    /// # Errors
    /// A pattern without a reason, a reason without a pattern, a pattern that stands twice.
    pub fn parse(text: &str) -> Result<(Self, Vec<String>), String> {
        let (mut rules, mut reasons): (Vec<Rule>, Vec<String>) = (Vec::new(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            let (line, number) = (line.trim(), number + 1);
            let has_none = |rules: &[Rule]| {
                reasons.len().checked_sub(1).is_some_and(|last| rules.iter().all(|rule| rule.reason != last))
            };
            if let Some(reason) = line.strip_prefix('#') {
                if has_none(&rules) {
                    return Err(format!("line {number}: the reason above has no pattern"));
                }
                reasons.push(reason.trim().to_owned());
            } else if !line.is_empty() {
                let reason =
                    reasons.len().checked_sub(1).ok_or(format!("line {number}: no reason stands above the pattern"))?;
                let (line, is_rare) = line.strip_prefix("? ").map_or((line, false), |rare| (rare, true));
                if rules.iter().any(|rule| rule.pattern == line) {
                    return Err(format!("line {number}: the pattern stands twice"));
                }
                rules.push(Rule { line: number, pattern: line.to_owned(), reason, times: 0, is_rare });
            }
        }
        Ok((Self { rules }, reasons))
    }

    /// Judges the differences of a walk.
    pub fn judge(mut self, reasons: &[String], found: &[String]) -> Verdict {
        let mut unknown = Vec::new();
        for one in found {
            // All that fit: a wide pattern does not outlive a narrow one, nor the other way round.
            let mut fitting = self.rules.iter_mut().filter(|rule| fits(&rule.pattern, one)).peekable();
            if fitting.peek().is_none() {
                unknown.push(one.clone());
            }
            // Counted once, by the first.
            fitting.enumerate().for_each(|(at, rule)| rule.times += if at == 0 { COUNTED } else { 1 });
        }
        let outlived = self.rules.iter().filter(|rule| rule.times == 0 && !rule.is_rare);
        let outlived = outlived.map(|rule| format!("line {}: {}", rule.line, rule.pattern)).collect();
        let count =
            |at: usize| self.rules.iter().filter(|rule| rule.reason == at).map(|rule| rule.times / COUNTED).sum();
        let explained = reasons.iter().enumerate().map(|(at, reason)| (reason.clone(), count(at))).collect();
        Verdict { unknown, outlived, explained }
    }
}

/// A match that counts, beside those that only keep a pattern alive.
const COUNTED: usize = 1 << 20;

/// Tells whether `text` fits a pattern, where `*` is any text, also none.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(before) = last.replace(part) {
            let Some(at) = rest.find(before) else { return false };
            rest = &rest[at + before.len()..];
        }
    }
    last.map_or(rest.is_empty(), |end: &str| rest.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(list: &str, found: &[&str]) -> Verdict {
        let (list, reasons) = List::parse(list).expect("a list");
        list.judge(&reasons, &found.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn stars_are_any_text() {
        for (pattern, text, fit) in [
            ("a*c", "abbbc", true),
            ("a*c", "ac", true),
            ("a*c", "acd", false),
            ("*", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("*b*b*", "b", false),
            ("*b*b*", "abab", true),
            ("a*b*a", "aba", true),
            ("aa*aa", "aaa", false),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
        }
    }

    #[test]
    fn the_list_is_closed_in_both_directions() {
        let list = "# texts are our own\nGET /a /message: *\n\n# gone\nGET /b *\n";
        let verdict = judge(list, &["GET /a /message: 1 -> 2", "GET /c status: 1 -> 2"]);
        assert_eq!(verdict.unknown, ["GET /c status: 1 -> 2"]);
        assert_eq!(verdict.outlived, ["line 5: GET /b *"]);
        assert_eq!(verdict.explained, [("texts are our own".to_owned(), 1), ("gone".to_owned(), 0)]);
    }

    #[test]
    fn what_depends_on_the_moment_need_not_occur() {
        let verdict = judge("# times\n? GET /a *\n", &[]);
        assert!(verdict.outlived.is_empty());
        assert_eq!(judge("# times\n? GET /a *\n", &["GET /a b"]).explained, [("times".to_owned(), 1)]);
    }

    #[test]
    fn a_difference_counts_once_and_keeps_every_pattern_that_fits() {
        let verdict = judge("# one\nGET *\n# other\n*: 1 -> 2\n", &["GET /a: 1 -> 2"]);
        assert!(verdict.outlived.is_empty() && verdict.unknown.is_empty());
        assert_eq!(verdict.explained, [("one".to_owned(), 1), ("other".to_owned(), 0)]);
    }

    #[test]
    fn every_pattern_has_a_reason_and_every_reason_a_pattern() {
        for bad in ["GET /a\n", "# one\n# two\nx\n", "# one\nx\nx\n"] {
            assert!(List::parse(bad).is_err(), "{bad}");
        }
    }
}
