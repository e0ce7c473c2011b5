//! A page that writes the firmware from a browser: esptool-js, served to this machine alone.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::shipped::{MANIFEST, WHOLE};
use crate::{npm, process};

/// Espressif's tool for browsers, and its version (npm).
const PACKAGE: (&str, &str) = ("esptool-js", "0.7.0");
const PAGE: [(&str, &str); 3] = [
    ("index.html", include_str!("flasher/index.html")),
    ("flasher.css", include_str!("flasher/flasher.css")),
    ("flasher.js", include_str!("flasher/flasher.js")),
];
/// Web Serial is there for pages of this machine without TLS.
const ADDRESS: &str = "127.0.0.1";

/// Runs `xtask flasher [--port N]`; serves until it is interrupted.
///
/// # Errors
/// What cannot be built, installed or served.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let port = match arguments {
        [] => "8032",
        [flag, port] if flag == "--port" && port.parse::<u16>().is_ok() => port,
        _ => return Err("the only argument is --port N".into()),
    };
    let images = process::target().join("esp32c6");
    if !images.join(MANIFEST).is_file() {
        super::run(&[])?;
    }
    let site = process::target().join("flasher");
    lay_out(&images, &site)?;
    println!("http://{ADDRESS}:{port}/ in Chrome or Edge; Ctrl-C ends it");
    let mut server = Command::new("python3");
    server.args(["-m", "http.server", "--bind", ADDRESS, "--directory"]).arg(&site).arg(port);
    process::run(&mut server)
}

/// Puts page, tool and image into a folder.
fn lay_out(images: &Path, site: &Path) -> Result<(), String> {
    let packages = process::target().join("flasher-npm");
    npm::install(&packages, "flasher", &[PACKAGE])?;
    let _ = fs::remove_dir_all(site);
    for (name, text) in PAGE {
        process::write(&site.join(name), text)?;
    }
    let tool = packages.join("node_modules").join(PACKAGE.0);
    process::copy(&tool.join("bundle.js"), &site.join("esptool.js"))?;
    process::copy(&tool.join("LICENSE"), &site.join("esptool.js.LICENSE"))?;
    for name in [MANIFEST, WHOLE] {
        process::copy(&images.join(name), &site.join(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_nobody_else() {
        for (name, text) in PAGE {
            assert!(!text.contains("http:") && !text.contains("https:") && !text.contains("//cdn"), "{name}");
        }
        let script = PAGE[2].1;
        // Before a port is asked for.
        assert!(script.find("crypto.subtle.digest") < script.find("requestPort"), "hashed first");
    }
}
