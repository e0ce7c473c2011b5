//! Runs every command of README.md and of plugins/README.md, so that none of them goes stale.
//!
//! Each line of a `sh` block is a command. The one that runs the sample is started first and kept, so that those
//! that ask it find it; at the end it must stop cleanly. What CI runs by itself is not run a second time.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::toolchain::{GUEST, Toolchain};
use crate::{built, process};

/// Serves the others while they run.
const SERVER: &str = "cargo run --release -- run --sample";
/// The page for authors of plugins.
const AUTHORS: &str = "plugins/README.md";
/// Answers as soon as the gateway of that page listens.
const LISTENS: &str = "http://127.0.0.1:3100/signalk";
/// Folders that commands make; `skiff plugin new` refuses to write over one.
const MADE: [&str; 2] = ["target/tide", "target/boat"];
/// Beginning of the line after which everything that README asks for is there.
const LAST_TO_SPEAK: &str = "{\"_plugin\":\"@skiff/true-wind\"";
/// Commands that CI calls itself.
const BY_CI: [&str; 2] = ["cargo xtask test", ".ci/run"];
/// Beginnings of lines that are told to a reader but change this machine, or measure for minutes.
const NOT_HERE: [&str; 3] = ["cargo bench", "sudo ", "rustup "];

/// Runs `xtask readme`.
///
/// # Errors
/// The first command that failed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("takes no arguments".into());
    }
    let commands = commands_of("README.md")?;
    if !commands.iter().any(|command| command == SERVER) {
        return Err(format!("README.md has no command `{SERVER}`"));
    }
    let skiff = built::shipped()?;
    remove_made()?;
    let toolchain = Toolchain::ensure(GUEST)?;
    let mut server = start()?;
    let outcome = commands.iter().try_for_each(|command| one(command, toolchain, &skiff));
    let stopped = stop(&mut server);
    outcome.and(stopped)?;
    println!("every command of README.md ran: {}", commands.len());
    authors(toolchain, &skiff)
}

/// Runs the commands of the page for authors: from nothing to a value of a plugin over REST.
fn authors(toolchain: Toolchain, skiff: &Path) -> Result<(), String> {
    remove_made()?;
    let commands = commands_of(AUTHORS)?;
    let mut gateway = None;
    let outcome = commands.iter().try_for_each(|command| {
        if let Some(arguments) = command.strip_prefix("skiff run ") {
            println!("$ {command}   (running)");
            let mut run =
                process::command(&skiff.to_string_lossy(), std::iter::once("run").chain(arguments.split(' ')));
            let run = run.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
            gateway = Some(run.map_err(|error| format!("cannot start `{command}`: {error}"))?);
            return Ok(());
        }
        // It listens, and the plugin speaks, a moment later.
        let wait = "curl -s --retry 30 --retry-delay 1 --retry-connrefused --retry-all-errors ";
        let patient = match command.starts_with("skiff plugin install") {
            true => format!("{wait}-o target/listens {LISTENS}; {command}"),
            false => command.replace("curl -s ", wait),
        };
        one(&patient, toolchain, skiff)
    });
    let stopped = gateway.as_mut().map_or_else(|| Err(format!("{AUTHORS} runs no gateway")), stop);
    outcome.and(stopped)?;
    println!("every command of {AUTHORS} ran: {}", commands.len());
    Ok(())
}

fn commands_of(page: &str) -> Result<Vec<String>, String> {
    let path = process::top().join(page);
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(commands(&text))
}

fn remove_made() -> Result<(), String> {
    for folder in MADE.map(|folder| process::top().join(folder)).iter().filter(|folder| folder.exists()) {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(())
}

/// Returns the lines of the `sh` blocks; a line that ends in a backslash goes on in the next.
fn commands(text: &str) -> Vec<String> {
    let (mut inside, mut commands, mut open) = (false, Vec::new(), String::new());
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside && !line.trim().is_empty() && !line.starts_with('#') {
            open.push_str(line.trim_end_matches('\\'));
            if !line.ends_with('\\') {
                commands.push(std::mem::take(&mut open).trim().to_string());
            }
        }
    }
    commands
}

fn one(command: &str, toolchain: Toolchain, skiff: &Path) -> Result<(), String> {
    if command == SERVER {
        println!("$ {command}   (running)");
        return Ok(());
    }
    if BY_CI.contains(&command) || NOT_HERE.iter().any(|beginning| command.starts_with(beginning)) {
        println!("$ {command}   (not run here)");
        return Ok(());
    }
    println!("$ {command}");
    // An answer like 404 is a failure too.
    let command = command.replace("curl -s ", "curl -sSf ");
    // A command whose first stage fails is stale even when `head` after it is content.
    let mut shell = process::command("bash", ["-c", &format!("set -e; {command}")]);
    shell.current_dir(process::top()).env("PATH", path_with(skiff));
    // `skiff plugin build` calls cargo for the guests' target.
    toolchain.for_children(&mut shell);
    let output = process::output(&mut shell)?;
    if output.trim().is_empty() {
        return Err(format!("`{command}` printed nothing"));
    }
    println!("{}", output.lines().next().unwrap_or_default().chars().take(200).collect::<String>());
    Ok(())
}

/// README writes `skiff` for the built binary.
fn path_with(skiff: &Path) -> String {
    let folder = skiff.parent().unwrap_or(skiff);
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default())
}

/// Starts the sample and waits until a plugin has said something.
fn start() -> Result<Child, String> {
    let mut words = SERVER.split(' ');
    let mut cargo = process::command(words.next().unwrap_or_default(), words);
    cargo.current_dir(process::top()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = cargo.spawn().map_err(|error| format!("cannot start `{SERVER}`: {error}"))?;
    let Some(stdout) = child.stdout.take() else { return Err("no standard output".into()) };
    let mut reader = BufReader::new(stdout);
    let mut line = String::new();
    while !line.starts_with(LAST_TO_SPEAK) {
        line.clear();
        if !matches!(reader.read_line(&mut line), Ok(bytes) if bytes > 0) {
            let _ = child.kill();
            return Err(format!("`{SERVER}` ended before {LAST_TO_SPEAK} was printed"));
        }
    }
    // Somebody has to read on, or the gateway counts a reader that is too slow.
    std::thread::spawn(move || reader.lines().map_while(Result::ok).for_each(drop));
    Ok(child)
}

/// Stops it as a service manager would; it must exit with 0.
fn stop(child: &mut Child) -> Result<(), String> {
    process::output(&mut process::command("kill", ["-TERM", &child.id().to_string()]))?;
    let status = child.wait().map_err(|error| format!("cannot wait for the sample: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{SERVER}` ended with {status} after SIGTERM")) }
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[test]
    fn commands_are_the_lines_of_shell_blocks() {
        let text = "a\n```sh\none\n\n# comment\ntwo \\\n  three\n```\n```text\nfour\n```\n";
        assert_eq!(commands(text), ["one", "two   three"]);
    }
}
