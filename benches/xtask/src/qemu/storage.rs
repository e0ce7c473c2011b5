//! The emulated board's flash: plugins are installed over the network, and are there after a reset.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::board::{self, Live};
use super::net::{Client, free_port};
use super::partition::Partition;
use crate::process;

/// Time for anything that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// The package that is installed, and its id.
const PACKAGE: &str = "plugins/rust/true-wind";
/// See above.
const ID: &str = "_skiff_true-wind";
/// A module that wants more memory than the board has: 16 pages of 64 KiB.
const TOO_LARGE: &str = "(module (memory (export \"memory\") 16))";

/// Boots the board with an empty flash and installs plugins.
///
/// # Errors
/// What does not work.
pub fn run(image: &Path) -> Result<(), String> {
    let port = free_port()?;
    let partition = Partition::sample_seconds(60).words("net storage no-packages");
    let mut live = board::boot_live(image, &partition, port)?;
    let result = use_it(&mut live, port);
    if result.is_err() {
        eprintln!("the board said:\n  {}", live.talk().join("\n  "));
    }
    result
}

fn use_it(live: &mut Live, port: u16) -> Result<(), String> {
    let token = live.wait_for("token, told once: ", PATIENCE)?;
    live.wait_for("network address ", PATIENCE)?;
    let client = Client { port, token };
    let stranger = Client { port, token: "guessed".into() };
    let first = packed("first", None)?;
    expect(&stranger, &first, 401)?;

    let body = expect(&client, &first, 201)?;
    println!("installed: {body}");
    runs(&client, &version_of(PACKAGE)?)?;
    restart(live, &client)?;
    live_said(live, "read in place")?;
    runs(&client, &version_of(PACKAGE)?)?;
    println!("after a reset it runs, read in place");

    let refused = expect(&client, &packed("large", Some(("9.0.0", Some(TOO_LARGE))))?, 507)?;
    if !refused.contains("\"needed\":") || !refused.contains("\"free\":") {
        return Err(format!("the refusal names no bytes: {refused}"));
    }
    println!("a package that does not fit: {refused}");
    runs(&client, &version_of(PACKAGE)?)?;

    let body = expect(&client, &packed("second", Some(("9.1.0", None)))?, 201)?;
    println!("replaced: {body}");
    runs(&client, "9.1.0")?;
    restart(live, &client)?;
    runs(&client, "9.1.0")?;
    println!("after a reset the new version runs");

    live.send(b'q')?;
    live.wait_for("= heap peak ", PATIENCE)?;
    let ended = live.end(PATIENCE)?;
    ended.expect_exit(0)?;
    for name in ["heap peak", "heap arena", "allocations refused"] {
        println!("{name:<28} {:>12}", ended.measure(name).ok_or_else(|| format!("{name} was not measured"))?);
    }
    Ok(())
}

/// Resets the board and waits until it serves again with the token it had.
fn restart(live: &mut Live, client: &Client) -> Result<(), String> {
    live.send(b'b')?;
    live.wait_for("the token is known already", PATIENCE)?;
    live.wait_for("network address ", PATIENCE)?;
    let began = Instant::now();
    while client.get("/signalk").map_or(true, |(status, _)| status != 200) {
        if began.elapsed() > PATIENCE {
            return Err("the board does not answer after a reset".into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn live_said(live: &Live, text: &str) -> Result<(), String> {
    let said = live.talk().iter().any(|line| line.contains(text));
    if said { Ok(()) } else { Err(format!("the board did not say `{text}`")) }
}

/// Installs a package and checks the status of the answer, which is returned.
fn expect(client: &Client, package: &[u8], expected: u16) -> Result<String, String> {
    let mut request = format!(
        "POST /skiff/v1/plugins HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\
         Content-Type: application/gzip\r\nConnection: close\r\n\r\n",
        client.token,
        package.len()
    )
    .into_bytes();
    request.extend_from_slice(package);
    let (status, body) = client.exchange(&request)?;
    if status == expected { Ok(body) } else { Err(format!("a package was answered with {status}: {body}")) }
}

/// Checks that the plugin runs in a version.
fn runs(client: &Client, version: &str) -> Result<(), String> {
    let (status, body) = client.get("/skServer/plugins")?;
    let rows: serde_json::Value = serde_json::from_str(&body).map_err(|error| format!("{status} {body}: {error}"))?;
    let row = rows.as_array().into_iter().flatten().find(|row| row["id"] == ID).cloned().unwrap_or_default();
    if row["version"] == version && row["state"] == "running" {
        return Ok(());
    }
    Err(format!("version {version} does not run: {status} {body}"))
}

/// Packs the package with `npm pack`; `change` gives it another version, and another module.
fn packed(name: &str, change: Option<(&str, Option<&str>)>) -> Result<Vec<u8>, String> {
    if !process::found("npm") {
        crate::debian::packages(&["nodejs", "npm"])?;
    }
    let out = process::top().join("target/qemu/packed").join(name);
    let folder = copy(&out)?;
    if let Some((version, module)) = change {
        let path = folder.join("package.json");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let before = format!("\"version\": \"{}\"", version_of(PACKAGE)?);
        process::write(&path, &text.replace(&before, &format!("\"version\": \"{version}\"")))?;
        if let Some(module) = module {
            let module = wat::parse_str(module).map_err(|error| error.to_string())?;
            for file in ["plugin.wasm", "plugin-small.wasm"] {
                fs::write(folder.join(file), &module).map_err(|error| format!("{file}: {error}"))?;
            }
        }
    }
    let mut npm = process::command("npm", ["pack", "--silent", "--pack-destination"]);
    npm.arg(&out).arg(&folder);
    let file = process::output(&mut npm)?;
    let path = out.join(file.trim());
    fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Copies what belongs to the package.
fn copy(out: &Path) -> Result<PathBuf, String> {
    let folder = out.join("package");
    for file in ["package.json", "plugin.wasm", "plugin-small.wasm", "README.md"] {
        process::copy(&process::top().join(PACKAGE).join(file), &folder.join(file))?;
    }
    Ok(folder)
}

fn version_of(package: &str) -> Result<String, String> {
    let path = process::top().join(package).join("package.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    json["version"].as_str().map(String::from).ok_or_else(|| format!("{} has no version", path.display()))
}
