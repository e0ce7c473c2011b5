//! Makes the page of `server/index` as it is sent: one file, compressed, so that a chip's flash holds a third of it; and the
//! hashes by which its policy names script and style.
//!
//! With the feature `page` it is what `runtime/page` gives, checked in as it was built; without it a small one that only
//! shows, without its indentation and comments.
//!
//! Makes the API documents of `gateway/server_routes/documents`, compressed together.

#[path = "src/gateway/server_routes/documents/made/mod.rs"]
mod made;

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

const WHOLE: &str = "src/server/index/built";
const SMALL: &str = "src/server/index/small";
/// What the script of the whole page draws in.
const WHOLE_BODY: &str = "<div id=\"page\"></div>\n<noscript>This page needs JavaScript.</noscript>\n";
/// Asked for while the script is still read; the script's own request is answered by it.
const WHOLE_HEAD: &str = "<link rel=\"preload\" href=\"/skiff/v1/machine\" as=\"fetch\" crossorigin>\n";
/// Of ten: the page is compressed once.
const COMPRESSION_LEVEL: u8 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let (head, body, style, script) = if env::var_os("CARGO_FEATURE_PAGE").is_some() {
        (WHOLE_HEAD, WHOLE_BODY.to_owned(), read(WHOLE, "page.css")?, read(WHOLE, "page.js")?)
    } else {
        ("", read(SMALL, "page.html")?, lean(&read(SMALL, "page.css")?), lean(&read(SMALL, "page.js")?))
    };
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Skiff</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         {head}<style>{style}</style>\n</head>\n<body>\n{body}<script>{script}</script>\n</body>\n</html>\n"
    );
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    fs::write(out.join("page.zlib"), miniz_oxide::deflate::compress_to_vec_zlib(page.as_bytes(), COMPRESSION_LEVEL))?;
    let mut code = String::new();
    writeln!(code, "/// Bytes of the page.\nconst PAGE_BYTES: usize = {};", page.len())?;
    for (name, text) in [("STYLE", &style), ("SCRIPT", &script)] {
        // As CSP Level 3 §2.3.1 names it.
        let hash = Base64::encode_string(&Sha256::digest(text));
        writeln!(code, "/// SHA-256 of a part of the page.\nconst {name}_HASH: &str = \"{hash}\";")?;
    }
    fs::write(out.join("page.rs"), code)?;
    documents(out)
}

/// Writes the API documents, and their names as code.
fn documents(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/gateway/server_routes/documents/made");
    let made = made::documents(&env::var("CARGO_PKG_VERSION")?)?;
    let compressed = miniz_oxide::deflate::compress_to_vec_zlib(made.text.as_bytes(), COMPRESSION_LEVEL);
    fs::write(out.join("documents.zlib"), compressed)?;
    let mut code = format!("/// Bytes of all documents.\nconst DOCUMENTS_BYTES: usize = {};\n", made.text.len());
    for (name, rows) in [("OPENAPI", made.openapi), ("ASYNCAPI", made.asyncapi)] {
        writeln!(
            code,
            "/// Name and title of each document.\nconst {name}: [(&str, &str); {}] = {rows:?};",
            rows.len()
        )?;
    }
    fs::write(out.join("documents.rs"), code)?;
    Ok(())
}

fn read(folder: &str, name: &str) -> Result<String, Box<dyn Error>> {
    let path = Path::new(folder).join(name);
    println!("cargo::rerun-if-changed={}", path.display());
    Ok(fs::read_to_string(path)?)
}

/// Returns the lines of a text without indentation and comments of whole lines.
fn lean(text: &str) -> String {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.fold(String::from("\n"), |out, line| out + line + "\n")
}
