//! The emulated board's flash: plugins are installed over the network, and are there after a reset.

use std::fs;
use std::path::Path;
use std::process::Command;

use board::{BoardClient, Live, PATIENCE, Partition, boot_live, file_of, free_port};
use serde_json::Value;

/// The package that is installed, and its id.
const PACKAGE: &str = "plugins/rust/true-wind";
/// See above.
const ID: &str = "_skiff_true-wind";
/// A module that wants more memory than the board has: 16 pages of 64 KiB.
const TOO_LARGE: &str = "(module (memory (export \"memory\") 16))";

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --storage"]
fn a_stranger_installs_nothing() -> Result<(), String> {
    with_empty_flash(|_, client| {
        install(&client.stranger(), &packed(None)?, 401)?;
        let rows = client.get("/skServer/plugins")?.1;
        if rows.contains(ID) { Err(format!("a stranger's package is there: {rows}")) } else { Ok(()) }
    })
}

#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --storage"]
fn an_installed_plugin_runs_in_place_after_a_reset() -> Result<(), String> {
    with_empty_flash(|live, client| {
        installed(client)?;
        restart(live, client)?;
        // Its network can be up before its plugins are.
        if !live.talk().iter().any(|line| line.contains("read in place")) {
            live.wait_for("read in place", PATIENCE)?;
        }
        runs(client, &version_of(PACKAGE)?)?;
        println!("after a reset it runs, read in place");
        Ok(())
    })
}

/// One after the other on one board, whose measurements are printed at its end.
#[test]
#[ignore = "boots the emulated board: cargo xtask qemu --storage"]
fn a_package_that_does_not_fit_leaves_the_old_one_and_a_new_version_replaces_it() -> Result<(), String> {
    with_empty_flash(|live, client| {
        installed(client)?;
        restart(live, client)?;
        let refused = install(client, &packed(Some(("9.0.0", Some(TOO_LARGE))))?, 507)?;
        if !refused.contains("\"needed\":") || !refused.contains("\"free\":") {
            return Err(format!("the refusal names no bytes: {refused}"));
        }
        println!("a package that does not fit: {refused}");
        runs(client, &version_of(PACKAGE)?)?;

        let body = install(client, &packed(Some(("9.1.0", None)))?, 201)?;
        println!("replaced: {body}");
        runs(client, "9.1.0")?;
        restart(live, client)?;
        runs(client, "9.1.0")?;
        println!("after a reset the new version runs");
        live.finish(&["heap peak", "heap arena", "allocations refused"], PATIENCE).map(drop)
    })
}

/// Boots the board with an empty flash and has it used.
fn with_empty_flash(used: impl FnOnce(&mut Live, &BoardClient) -> Result<(), String>) -> Result<(), String> {
    let port = free_port()?;
    let mut live = boot_live(&Partition::sample_seconds(60).words("net storage no-packages"), port)?;
    let outcome = live.wait_for("token, told once: ", PATIENCE).and_then(|token| {
        live.wait_for("network address ", PATIENCE)?;
        used(&mut live, &BoardClient { port, token })
    });
    live.explain(outcome)
}

fn installed(client: &BoardClient) -> Result<(), String> {
    let body = install(client, &packed(None)?, 201)?;
    println!("\ninstalled: {body}");
    runs(client, &version_of(PACKAGE)?)
}

/// Resets the board and waits until it serves again with the token it had.
fn restart(live: &mut Live, client: &BoardClient) -> Result<(), String> {
    live.send(b'b')?;
    live.wait_for("the token is known already", PATIENCE)?;
    live.wait_for("network address ", PATIENCE)?;
    client.answered().map_err(|reason| format!("after a reset: {reason}"))
}

/// Installs a package and checks the status of the answer, whose body is returned.
fn install(client: &BoardClient, package: &[u8], expected: u16) -> Result<String, String> {
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
fn runs(client: &BoardClient, version: &str) -> Result<(), String> {
    let (status, body) = client.get("/skServer/plugins")?;
    let rows: Value = serde_json::from_str(&body).map_err(|error| format!("{status} {body}: {error}"))?;
    let row = rows.as_array().into_iter().flatten().find(|row| row["id"] == ID).cloned().unwrap_or_default();
    if row["version"] == version && row["state"] == "running" {
        return Ok(());
    }
    Err(format!("version {version} does not run: {status} {body}"))
}

/// Packs the package with `npm pack`; `change` gives it another version, and another module.
fn packed(change: Option<(&str, Option<&str>)>) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join("package").join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    fs::create_dir(folder.path().join("package")).map_err(|error| error.to_string())?;
    for name in ["package.json", "plugin.wasm", "plugin-small.wasm", "README.md"] {
        write(name, &file_of(PACKAGE, name)?)?;
    }
    if let Some((version, module)) = change {
        let manifest = String::from_utf8(file_of(PACKAGE, "package.json")?).map_err(|error| error.to_string())?;
        let before = format!("\"version\": \"{}\"", version_of(PACKAGE)?);
        write("package.json", manifest.replace(&before, &format!("\"version\": \"{version}\"")).as_bytes())?;
        if let Some(module) = module {
            let module = wat::parse_str(module).map_err(|error| error.to_string())?;
            write("plugin.wasm", &module)?;
            write("plugin-small.wasm", &module)?;
        }
    }
    let file = npm_pack(folder.path())?;
    let path = folder.path().join(file.trim());
    fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn npm_pack(folder: &Path) -> Result<String, String> {
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--pack-destination"]).arg(folder).arg(folder.join("package")).current_dir(folder);
    let output = npm.output().map_err(|error| format!("cannot start npm: {error}"))?;
    let talk = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("npm pack: {}", talk.trim()))
    }
}

fn version_of(package: &str) -> Result<String, String> {
    let json: Value = serde_json::from_slice(&file_of(package, "package.json")?).map_err(|error| error.to_string())?;
    json["version"].as_str().map(String::from).ok_or_else(|| format!("{package} has no version"))
}
