//! The link that lets the owner in once, and its QR code for a phone to read off the terminal.

use std::io::IsTerminal;

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::talk;

/// Returns the link with a code.
pub fn link(base: &str, code: &str) -> String {
    format!("{base}/login?code={code}")
}

/// Shows the QR code of a link, where somebody looks at a terminal.
pub fn show_code(link: &str) {
    if std::io::stderr().is_terminal() {
        lines(link).iter().for_each(|line| talk::say(line));
    }
}

/// Draws a QR code, two modules of height in each character; light on dark as terminals mostly are.
fn lines(link: &str) -> Vec<String> {
    // Nothing is in the way of a screen, so the lowest level of correction keeps it small.
    let Ok(code) = QrCode::with_error_correction_level(link, EcLevel::L) else { return Vec::new() };
    let drawn = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    drawn.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_drawn_as_a_square() {
        let lines = lines(&link("http://192.168.1.5:3000", &"x".repeat(43)));
        let width = lines[0].chars().count();
        assert!((30..60).contains(&width) && lines.iter().all(|line| line.chars().count() == width));
        assert!((lines.len() * 2).abs_diff(width) <= 1);
        assert!(super::lines(&"x".repeat(5000)).is_empty(), "too long for any code");
    }
}
