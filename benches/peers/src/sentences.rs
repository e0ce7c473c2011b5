//! Sentences of NMEA 0183 of every kind that the peer has, with edge values and empty fields on purpose.
//!
//! Nothing of the runtime is used: what it reads was not written by itself.

use serde_json::{Value, json};

use crate::random::Random;

/// Talker and kind, and the fields behind them, parted by blanks: `t` time, `Y` date, `P` a position of four fields,
/// `@` a name, `h` a byte in hexadecimal digits, `#Bn` the letter B and n letters from A to P, `lo:hi:decimals` a number,
/// else one of the words between `|`.
const FORMS: [(&str, &str); 65] = [
    ("GPAPB", "A|A|A|V A|A|A|V 0:2:2 L|R N|K A|V A|V 0:360:1 M|T @ 0:360:1 M|T 0:360:1 M|T"),
    ("GPBOD", "0:360:1 T|M 0:360:1 M|T @ @"),
    ("GPBWC", "t P 0:360:1 T 0:360:1 M 0:50:2 N|K @"),
    ("GPBWR", "t P 0:360:1 T|M 0:360:1 M|T 0:50:2 N|K @"),
    ("SDDBK", "0:300:1 f 0:100:1 M 0:50:1 F"),
    ("SDDBS", "0:300:1 f 0:100:1 M 0:50:1 F"),
    ("SDDBT", "0:300:1 f 0:100:1 M 0:50:1 F"),
    ("SDDPT", "0:100:1 -3:3:1 100"),
    (
        "CDDSC",
        "12 2000000010 12 00|01|02|03|04|05|06|07|08|09|10|11|12 00 0423108312|1423108312|2000510030|3891217959|9999999999 2019 S E",
    ),
    ("CDDSC", "20 2000000010 00|08|10 21|22 26 1423108312 1902 B E"),
    ("GPGGA", "t P 0|1|2|4|5|6|8|9 0:12:0 0:9:1 -5:90:1 M -60:60:1 M 0:9:1 0:1023:0"),
    ("GPGLL", "P t A|A|V A|D|N"),
    ("GNGNS", "t P AN|AAN|NNN|DADNN|S|FR 0:20:0 0:9:1 -5:90:1 -60:60:1 0:9:1 0:1023:0 S|C|U|V"),
    ("HCHDG", "0:360:1 0:5:1 E|W 0:20:1 E|W"),
    ("HCHDM", "0:360:1 M"),
    ("HEHDT", "0:360:1 T"),
    ("HEHDT", "350:370:1 T"),
    ("APHSC", "0:360:1 T|M 0:360:1 M|T"),
    ("WIMDA", "25:31:2 I 0:2:3 B -20:40:1 C 0:30:1 C 0:100:1 0:100:1 -20:30:1 C 0:360:1 T 0:360:1 M 0:60:1 N 0:30:1 M"),
    ("WIMTA", "-20:40:1 C|C|F"),
    ("YXMTW", "-2:35:1 C"),
    ("WIMWD", "0:360:1 T 0:360:1 M 0:60:1 N 0:30:1 M|M|m"),
    ("WIMWV", "-10:370:1 R|T|R|T|X 0:60:1 K|N|M|S A|A|A|V"),
    ("PBVE", "#B46"),
    ("PBVE", "#D46"),
    ("PBVE", "#E46"),
    ("PNKEP", "01 1:20:1 N 1:40:1 K"),
    ("PNKEP", "02 0:360:1"),
    ("PNKEP", "03 0:180:1 0:120:1 0:120:1"),
    ("GPRMB", "A|A|V 0:5:2 L|R @ @ P 0:99:2 0:360:1 -5:20:1 A|V"),
    ("GPRMC", "t A|A|A|V P 0:40:1 0:360:1 Y 0:20:1 E|W A|D|N"),
    ("TIROT", "-30:30:1 A|A|V"),
    ("IIRPM", "S|E 0:4:0 0:4000:1 0:90:1 A|A|V"),
    ("IIRSA", "-40:40:1 A|A|V 0:40:1 A|V"),
    ("IIVDR", "0:360:1 T 0:360:1 M 0:9:1 N"),
    ("VWVHW", "0:360:1 T 0:360:1 M 0:30:1 N 0:50:1 K"),
    ("VWVLW", "0:9999:1 N 0:999:1 N"),
    ("IIVPW", "-9:9:1 N -4:4:1 M"),
    ("GPVTG", "0:360:1 T 0:360:1 M 0:40:1 N 1:70:1 K A|D|N"),
    ("IIVWR", "0:180:1 L|R 0:60:1 N 0:30:1 M 0:99:1 K"),
    ("IIVWT", "0:180:1 L|R|r 0:60:1 N 0:30:1 M 0:99:1 K"),
    ("GPXTE", "A|A|V A|A|V 0:5:2 L|R N|K"),
    ("GPZDA", "t 01|15|28 01|06|12 1999|2023|2026 00|-02 00|30"),
    ("STALK", "00 02 h h h"),
    ("STALK", "10 01 00|01|02 h"),
    ("STALK", "11 01 h 00|05|09"),
    ("STALK", "20 01 h h"),
    ("STALK", "21 02 h h h"),
    ("STALK", "22 02 h h 00"),
    ("STALK", "25 04|14 h h h h h"),
    ("STALK", "26 04 h h h h h"),
    ("STALK", "27 01 h 00|01|02"),
    ("STALK", "51 02 h h h"),
    ("STALK", "52 01 h h"),
    ("STALK", "53 00|10|50|B0|F0 h"),
    ("STALK", "56 11|61|C1|D1 01|0F|1C 18|1A"),
    ("STALK", "57 10|50|90 h"),
    ("STALK", "82 05 h h h h h h"),
    ("STALK", "84 06|26|46|86|C6|F6 h h h h h h h"),
    ("STALK", "84 06 00 00 02 00 00 00 08"),
    ("STALK", "85 06|16 h h h h h 00 h"),
    ("STALK", "99 00 h"),
    ("STALK", "9C 01|21|41|81|C1|F1 h h"),
    ("PSMDST", "R 52 01 h h"),
    ("PSMDST", "27 01 h 00|01"),
];

/// Names of waypoints.
const NAMES: [&str; 4] = ["BAY", "HOME", "0012", "B-7"];
/// Times of day, from the first to the last.
const TIMES: [&str; 5] = ["000000", "235959.99", "120000.00", "073015.5", "183059"];
/// Dates of a leap day, of both centuries, of today's receivers.
const DATES: [&str; 4] = ["290224", "311285", "010100", "150626"];
/// Fields that are empty, in a hundred.
const EMPTY: u64 = 6;
/// Sentences of which every field is empty, in a hundred.
const ALL_EMPTY: u64 = 4;

/// Adds the check sum.
fn summed(body: &str) -> String {
    let sum = body.bytes().skip(1).fold(0, |sum, byte| sum ^ byte);
    format!("{body}*{sum:02X}")
}

/// Makes sentences, a row each: `sentence`, and `before`, those that it needs.
pub struct Sentences {
    /// What chooses.
    pub random: Random,
}

impl Sentences {
    /// Makes `count` rows of each form.
    pub fn rows(&mut self, count: usize) -> Vec<Value> {
        let mut rows = Vec::new();
        for _ in 0..count {
            for (address, form) in FORMS {
                rows.push(self.row(address, form));
            }
            rows.push(self.sky());
            rows.extend(self.targets());
        }
        rows
    }

    fn row(&mut self, address: &str, form: &str) -> Value {
        let is_empty = self.random.chance(ALL_EMPTY) && !matches!(address, "STALK" | "PSMDST" | "PBVE" | "PNKEP");
        let may_be_empty = !matches!(address, "STALK" | "PSMDST" | "PBVE" | "CDDSC");
        let mut body = format!("${address}");
        for token in form.split(' ') {
            for field in self.fields(token) {
                body.push(',');
                let is_left_out = is_empty || may_be_empty && self.random.chance(EMPTY);
                body.push_str(if is_left_out { "" } else { &field });
            }
        }
        // The other half of what comes in two.
        let before = match form.get(..2) {
            Some("51") if address == "STALK" => vec![summed("$STALK,50,02,36,B8,0B")],
            Some("56") if address == "STALK" => vec![summed("$STALK,54,51,7A,0A")],
            _ => Vec::new(),
        };
        json!({ "sentence": summed(&body), "before": before })
    }

    fn fields(&mut self, token: &str) -> Vec<String> {
        let random = &mut self.random;
        match token {
            "t" => vec![random.pick(&TIMES).into()],
            "Y" => vec![random.pick(&DATES).into()],
            "@" => vec![random.pick(&NAMES).into()],
            "h" => vec![format!("{:02X}", random.below(256))],
            "P" => {
                let (latitude, longitude) = (random.below(90), random.below(180));
                let (north, east) = (random.below(60_000), random.below(60_000));
                let minutes = |minutes: u64| format!("{:02}.{:03}", minutes / 1000, minutes % 1000);
                vec![
                    format!("{latitude:02}{}", minutes(north)),
                    random.pick(&["N", "S"]).into(),
                    format!("{longitude:03}{}", minutes(east)),
                    random.pick(&["E", "W"]).into(),
                ]
            }
            _ => vec![self.word(token)],
        }
    }

    fn word(&mut self, token: &str) -> String {
        let random = &mut self.random;
        if let Some((letter, count)) = token.strip_prefix('#').and_then(|token| token.split_at_checked(1)) {
            let mut word = letter.to_owned();
            for _ in 1..count.parse().unwrap_or(1) {
                word.push(char::from(b'A' + u8::try_from(random.below(16)).unwrap_or(0)));
            }
            // Units of the United States.
            if random.chance(50) {
                word.replace_range(15..17, "AA");
            }
            return word;
        }
        let numbers: Vec<i64> = token.split(':').filter_map(|part| part.parse().ok()).collect();
        if let [low, high, decimals] = numbers[..] {
            let scale = 10_i64.pow(u32::try_from(decimals).unwrap_or(0));
            let span = u64::try_from((high - low) * scale).unwrap_or(0);
            let raw = match random.below(20) {
                0 => low * scale,
                1 => high * scale,
                _ => low * scale + i64::try_from(random.below(span + 1)).unwrap_or(0),
            };
            let sign = if raw < 0 { "-" } else { "" };
            let (whole, rest) = (raw.abs() / scale, raw.abs() % scale);
            let width = usize::try_from(decimals).unwrap_or(0);
            return if width == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:0width$}") };
        }
        let words: Vec<&str> = token.split('|').collect();
        random.pick(&words).to_owned()
    }

    /// Satellites in view, four a sentence.
    fn sky(&mut self) -> Value {
        let talker = self.random.pick(&["GP", "GL", "GA", "GB", "GQ", "GN"]);
        let count = self.random.below(13);
        let of = count.div_ceil(4).max(1);
        let mut sentences: Vec<String> = (1..=of).map(|this| format!("${talker}GSV,{of},{this},{count:02}")).collect();
        for satellite in 0..count {
            let Some(body) = sentences.get_mut(usize::try_from(satellite / 4).unwrap_or(0)) else { break };
            body.push_str(&format!(",{:02}", self.random.between(1, 96)));
            for most in [90, 359, 50] {
                let number = self.random.below(most + 1);
                let field = if self.random.chance(EMPTY) { String::new() } else { format!("{number:02}") };
                body.push_str(&format!(",{field}"));
            }
        }
        let last = sentences.pop().unwrap_or_default();
        let before: Vec<_> = sentences.iter().map(|body| summed(body)).collect();
        json!({ "sentence": summed(&last), "before": before })
    }

    /// AIS messages of every type that is mapped.
    fn targets(&mut self) -> Vec<Value> {
        let mut rows = Vec::new();
        for (number, form) in MESSAGES {
            let mut bits = Bits::default();
            bits.push(*number, 6);
            bits.push(self.random.below(4), 2);
            let mmsi = self.random.pick(&[2_000_001, 200_000_001, 982_000_001, 111_000_001, 992_000_001]);
            bits.push(mmsi, 30);
            for (what, width) in *form {
                self.part(&mut bits, what, *width);
            }
            let (payload, fill) = bits.armored();
            let kind = if *number < 4 && self.random.chance(10) { "VDO" } else { "VDM" };
            let parts: Vec<&str> =
                (0..payload.len()).step_by(60).filter_map(|at| payload.get(at..payload.len().min(at + 60))).collect();
            let (of, id) = (parts.len(), if parts.len() > 1 { "3" } else { "" });
            let mut sentences: Vec<String> = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                let fill = if index + 1 == of { fill } else { 0 };
                sentences.push(summed(&format!("!AI{kind},{of},{},{id},A,{part},{fill}", index + 1)));
            }
            let last = sentences.pop().unwrap_or_default();
            rows.push(json!({ "sentence": last, "before": sentences }));
        }
        rows
    }

    fn part(&mut self, bits: &mut Bits, what: &str, width: u32) {
        let random = &mut self.random;
        let signed = |value: i64| value.cast_unsigned() & ((1 << width) - 1);
        let ones = (1_u64 << width.min(63)) - 1;
        match what {
            // Degrees in so many parts: somewhere, nowhere, at the edge.
            "lon" | "lat" => {
                let per_degree = if width > 26 {
                    600_000
                } else if width > 20 {
                    60_000
                } else {
                    600
                };
                let most = if what == "lon" { 180 } else { 90 };
                let span = u64::try_from(2 * most * per_degree).unwrap_or(0);
                let value = match random.below(12) {
                    0 => (most + 1) * per_degree,
                    1 => most * per_degree,
                    2 => 0,
                    _ => i64::try_from(random.below(span)).unwrap_or(0) - most * per_degree,
                };
                // The peer takes message 27's for unsigned.
                bits.push(signed(if width < 20 { value.abs() } else { value }), width);
            }
            "text" => {
                let word = random.pick(&["ALFA", "SEA DOG", "  LEAD", "A NAME OF TWENTY LET", ""]);
                let letters = usize::try_from(width / 6).unwrap_or(0);
                let padding = random.pick(&['@', ' ']);
                for letter in word.chars().chain(std::iter::repeat(padding)).take(letters) {
                    bits.push(u64::from(u32::from(letter) & 0x3f), 6);
                }
            }
            "cog" => {
                let value = random.below(3601);
                bits.push(value, width);
            }
            "heading" => {
                let value = if random.chance(20) { 511 } else { random.below(360) };
                bits.push(value, width);
            }
            // Day, hour, minute, and the number of the site.
            "site" => {
                for (value, width) in [(15, 5), (9, 5), (30, 6), (12, 7)] {
                    bits.push(value, width);
                }
            }
            // Of every month and of none.
            "month" => bits.push(random.below(13), width),
            "day" => bits.push(random.between(0, 28), width),
            "hour" => bits.push(random.below(25), width),
            "minute" => bits.push(random.below(61), width),
            "version" => bits.push(random.below(3), width),
            _ if !what.is_empty() => bits.push(what.parse().unwrap_or(0), width),
            _ => {
                let value = match random.below(8) {
                    0 => 0,
                    1 => ones,
                    _ => random.bits() & ones,
                };
                bits.push(value, width);
            }
        }
    }
}

/// Parts of a message behind its MMSI: what and bits (ITU-R M.1371-5, annex 8).
type Parts = &'static [(&'static str, u32)];

const POSITION_A: Parts = &[
    ("", 4),
    ("", 8),
    ("", 10),
    ("", 1),
    ("lon", 28),
    ("lat", 27),
    ("cog", 12),
    ("heading", 9),
    ("", 6),
    ("", 2),
    ("0", 3),
    ("", 1),
    ("", 19),
];
const BASE: Parts = &[
    ("", 14),
    ("month", 4),
    ("day", 5),
    ("hour", 5),
    ("minute", 6),
    ("", 6),
    ("", 1),
    ("lon", 28),
    ("lat", 27),
    ("", 4),
    ("0", 10),
    ("", 1),
    ("", 19),
];
const SITE_TIME: (&str, u32) = ("site", 23);
const BOW: (&str, u32) = ("", 9);
const STERN: (&str, u32) = ("", 9);
const PORT: (&str, u32) = ("", 6);
const STARBOARD: (&str, u32) = ("", 6);

const MESSAGES: &[(u64, Parts)] = &[
    (1, POSITION_A),
    (3, POSITION_A),
    (4, BASE),
    (11, BASE),
    (
        5,
        &[
            ("version", 2),
            ("", 30),
            ("text", 42),
            ("text", 120),
            ("", 8),
            BOW,
            STERN,
            PORT,
            STARBOARD,
            ("", 4),
            ("month", 4),
            ("day", 5),
            ("hour", 5),
            ("minute", 6),
            ("", 8),
            ("text", 120),
            ("", 1),
            ("0", 1),
        ],
    ),
    (
        9,
        &[
            ("", 12),
            ("", 10),
            ("", 1),
            ("lon", 28),
            ("lat", 27),
            ("cog", 12),
            ("", 6),
            ("0", 8),
            ("", 1),
            ("0", 3),
            ("", 1),
            ("", 1),
            ("", 20),
        ],
    ),
    (14, &[("0", 2), ("text", 120)]),
    (
        18,
        &[
            ("0", 8),
            ("", 10),
            ("", 1),
            ("lon", 28),
            ("lat", 27),
            ("cog", 12),
            ("heading", 9),
            ("", 6),
            ("0", 2),
            ("", 7),
            ("", 20),
        ],
    ),
    (
        19,
        &[
            ("0", 8),
            ("", 10),
            ("", 1),
            ("lon", 28),
            ("lat", 27),
            ("cog", 12),
            ("heading", 9),
            ("", 6),
            ("0", 4),
            ("text", 120),
            ("", 8),
            BOW,
            STERN,
            PORT,
            STARBOARD,
            ("", 4),
            ("", 3),
            ("0", 4),
        ],
    ),
    (
        21,
        &[
            ("", 5),
            ("text", 120),
            ("", 1),
            ("lon", 28),
            ("lat", 27),
            BOW,
            STERN,
            PORT,
            STARBOARD,
            ("", 4),
            ("", 6),
            ("", 1),
            ("", 8),
            ("", 1),
            ("", 1),
            ("", 1),
            ("0", 1),
        ],
    ),
    (24, &[("0", 2), ("text", 120), ("0", 8)]),
    (24, &[("1", 2), ("", 8), ("text", 42), ("text", 42), BOW, STERN, PORT, STARBOARD, ("0", 6)]),
    (27, &[("", 1), ("", 1), ("", 4), ("lon", 18), ("lat", 17), ("", 6), ("", 9), ("", 1), ("0", 1)]),
    (
        8,
        &[
            ("0", 2),
            ("1", 10),
            ("31", 6),
            ("lon", 25),
            ("lat", 24),
            ("", 1),
            ("day", 5),
            ("hour", 5),
            ("minute", 6),
            ("", 61),
            ("", 61),
            ("", 61),
            ("", 61),
            ("0", 10),
        ],
    ),
    (
        8,
        &[
            ("0", 2),
            ("1", 10),
            ("11", 6),
            ("lat", 24),
            ("lon", 25),
            ("day", 5),
            ("hour", 5),
            ("minute", 6),
            ("", 61),
            ("", 61),
            ("", 61),
            ("", 49),
            ("0", 6),
        ],
    ),
    (8, &[("0", 2), ("200", 10), ("10", 6), ("text", 48), ("", 13), ("", 10), ("", 14), ("0", 3), ("", 11), ("0", 11)]),
    (
        8,
        &[
            ("0", 2),
            ("367", 10),
            ("33", 6),
            ("0", 4),
            SITE_TIME,
            ("", 6),
            ("lon", 28),
            ("lat", 27),
            ("", 24),
            ("2", 4),
            SITE_TIME,
            ("", 61),
            ("", 24),
        ],
    ),
    (
        8,
        &[
            ("0", 2),
            ("367", 10),
            ("33", 6),
            ("9", 4),
            SITE_TIME,
            ("", 61),
            ("", 24),
            ("3", 4),
            SITE_TIME,
            ("", 61),
            ("", 24),
        ],
    ),
    (8, &[("0", 2), ("367", 10), ("33", 6), ("1", 4), SITE_TIME, ("text", 84), ("0", 1)]),
];

/// Bits of a message, the highest first.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn push(&mut self, value: u64, width: u32) {
        self.0.extend((0..width).rev().map(|bit| value >> bit & 1 == 1));
    }

    /// Returns the letters, six bits each, and how many bits of the last are filled up.
    fn armored(&self) -> (String, usize) {
        let letters = self.0.chunks(6).map(|six| {
            let value = (0..6).fold(0_u8, |sum, bit| sum << 1 | u8::from(six.get(bit).copied().unwrap_or(false)));
            char::from(if value < 40 { value + 48 } else { value + 56 })
        });
        (letters.collect(), (6 - self.0.len() % 6) % 6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_sentences_and_they_are_of_every_kind() {
        let rows = |seed| Sentences { random: Random::new(seed) }.rows(3);
        assert_eq!(rows(1), rows(1));
        assert_ne!(rows(1), rows(2));
        let lines: Vec<String> = rows(1).iter().map(|row| row["sentence"].as_str().unwrap().to_owned()).collect();
        for kind in ["APB", "GSV", "VDM", "ZDA", "PBVE", "ALK"] {
            assert!(lines.iter().any(|line| line.contains(kind)), "{kind}");
        }
        assert!(lines.iter().all(|line| line.is_ascii() && line.as_bytes()[line.len() - 3] == b'*'));
    }

    #[test]
    fn what_comes_in_parts_has_those_before_it() {
        let rows = Sentences { random: Random::new(4) }.rows(5);
        let of = |row: &Value| row["sentence"].as_str().unwrap().split(',').nth(1).unwrap().parse::<usize>().unwrap();
        let parts = rows.iter().filter(|row| row["sentence"].as_str().unwrap().contains("GSV,"));
        assert!(
            parts.clone().count() == 5
                && parts.clone().all(|row| row["before"].as_array().unwrap().len() + 1 == of(row))
        );
    }
}
