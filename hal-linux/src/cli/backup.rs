//! `skiff backup` and `skiff restore`.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use axum::http::Method;
use clap::Args as ClapArgs;
use serde_json::{Map, Value};

use super::admin::{AdminTarget, TargetArgs, ask, begin_change, parse};
use super::client::{Body, GatewayClient};
use super::exit::{self, Failure};
use super::talk::sanitised;
use crate::backup::{self, BackupError, Found};
use crate::hal::Folder;
use crate::home;
use crate::layout;
use crate::packages;

/// Bytes of a backup that is sent to a gateway; it has the limit of every body.
const SENT_BYTES_MAX: u64 = 10 * 1024 * 1024;
/// Packages without which a restored folder is told of by name.
const NAMED: usize = 10;

/// Save a configuration folder in a file
///
/// The file is a zip as Signal K Server makes it, readable for you alone: tokens, password hashes and certificates are in
/// it. The gateway can run meanwhile.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
    skiff backup boat.backup\n  \
    skiff backup boat.backup --no-packages --config ~/.signalk")]
pub struct BackupArgs {
    #[command(flatten)]
    target: TargetArgs,

    /// The file to write; it must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Leave the installed packages out
    #[arg(long)]
    no_packages: bool,
}

/// Put a saved configuration folder in place
///
/// Takes backups of Skiff and of Signal K Server. Files and folders of the backup take the place of those that are there, in
/// one step that a power cut does not tear; what the backup does not have stays. A running gateway begins with it when it
/// is started again.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
    skiff restore boat.backup\n  \
    skiff restore signalk-Nov-30-2026-11T33.backup --only settings.json --only resources")]
pub struct RestoreArgs {
    #[command(flatten)]
    target: TargetArgs,

    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Only this file or folder of the backup, as `skiff restore` names them; can be given more than once
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// Runs `skiff backup`.
pub fn backup(args: &BackupArgs) -> Result<(), Failure> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", args.file.display());
    let unwritable = |error: io::Error| Failure::new(exit::UNAVAILABLE, named(&error));
    if args.file.exists() {
        return Err(Failure::new(exit::VERDICT, named(&"is there already; name another file")));
    }
    if let Some(url) = &args.target.url {
        let client = gateway(&args.target, url)?;
        let address = format!("/skServer/backup?includePlugins={}", !args.no_packages);
        let bytes = ask(&client, Method::GET, &address, None)?;
        write_file(&args.file, |out| out.write_all(&bytes).map_err(BackupError::Disk)).map_err(
            |error| match error {
                BackupError::Disk(error) => unwritable(error),
                error => Failure::new(exit::VERDICT, named(&error)),
            },
        )?;
        log::info!("{}: saved, {} bytes", args.file.display(), bytes.len());
        return Ok(());
    }
    let folder = args.target.folder()?;
    if !folder.is_dir() {
        return Err(Failure::new(exit::INPUT_MISSING, format_args!("{}: no such folder", folder.display())));
    }
    let mut written = backup::Written::default();
    let saved = write_file(&args.file, |out| {
        written = backup::write(&folder, !args.no_packages, u64::MAX, out)?;
        Ok(())
    });
    saved.map_err(|error| match error {
        BackupError::Disk(error) => unwritable(error),
        error => Failure::new(exit::VERDICT, named(&error)),
    })?;
    if written.left_out > 0 {
        log::warn!("{} links and special files are not in it", written.left_out);
    }
    log::info!("{}: saved, {} files; keep it safe: secrets are in it", args.file.display(), written.files);
    Ok(())
}

/// Writes a file that is there whole or not at all, for its owner only.
fn write_file(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<(), BackupError>) -> Result<(), BackupError> {
    let mut part = path.to_owned().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    let mut out = BufWriter::new(file);
    let filled = fill(&mut out).and_then(|()| {
        out.into_inner().map_err(|error| BackupError::Disk(error.into_error()))?.sync_all()?;
        fs::rename(&part, path)?;
        Ok(())
    });
    if filled.is_err() {
        let _ = fs::remove_file(&part);
    }
    filled
}

/// Runs `skiff restore`.
pub fn restore(args: &RestoreArgs) -> Result<(), Failure> {
    match &args.target.url {
        Some(url) => restore_over_http(args, &gateway(&args.target, url)?),
        None => restore_in_folder(args),
    }
}

fn restore_in_folder(args: &RestoreArgs) -> Result<(), Failure> {
    let folder = &mut Folder::new(args.target.folder()?);
    let runs = matches!(args.target.find()?, AdminTarget::Gateway(_));
    // A gateway that runs has the folder; the exchange waits until it starts again.
    let lock = if runs { None } else { begin_change(folder)? };
    let found = backup::unpack_file(folder, &args.file).map_err(|error| not_taken(&args.file, folder, &error))?;
    let names = wanted(&found.names, &args.only)?;
    backup::commit(folder, &names).map_err(|error| not_taken(&args.file, folder, &error))?;
    if !runs {
        layout::bring_up_to_date(folder)
            .map_err(|error| Failure::new(exit::UNAVAILABLE, format_args!("{}: {error}", folder.root().display())))?;
    }
    drop(lock);
    tell(&found, &names);
    if runs || home::Lock::is_taken(folder.root()) {
        log::info!("a gateway runs on {}: restart it, and it begins with what was restored", folder.root().display());
    }
    Ok(())
}

fn restore_over_http(args: &RestoreArgs, client: &GatewayClient) -> Result<(), Failure> {
    let archive = packages::read(&args.file, SENT_BYTES_MAX).map_err(super::not_loaded)?;
    let names = parse(&ask(client, Method::POST, "/skServer/validateBackup", Some(Body::Backup(archive)))?)?;
    let names = names.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let names = wanted(&names.collect::<Vec<_>>(), &args.only)?;
    let body: Map<String, Value> = names.iter().map(|name| (name.clone(), Value::Bool(true))).collect();
    ask(client, Method::POST, "/skServer/restore", Some(Body::Json(Value::Object(body).to_string())))?;
    log::info!("restored with the next start of the gateway: {}", sanitised(&names.join(" ")));
    Ok(())
}

/// Returns the names of the backup that are wanted: all, or those that were asked for.
fn wanted(names: &[String], only: &[String]) -> Result<Vec<String>, Failure> {
    let plain = |name: &str| name.trim_end_matches('/').to_owned();
    if let Some(unknown) = only.iter().find(|only| !names.iter().any(|name| plain(name) == plain(only))) {
        let known = sanitised(&names.join(" "));
        return Err(Failure::new(exit::INPUT_MISSING, format_args!("the backup has no {unknown}; it has {known}")));
    }
    let is_wanted = |name: &&String| only.is_empty() || only.iter().any(|only| plain(only) == plain(name));
    Ok(names.iter().filter(is_wanted).cloned().collect())
}

fn tell(found: &Found, names: &[String]) {
    log::info!("restored {}", sanitised(&names.join(" ")));
    if found.left_out > 0 {
        log::warn!("{} links and files of the moment were left out", found.left_out);
    }
    if !found.missing.is_empty() {
        let named: Vec<&str> = found.missing.iter().take(NAMED).map(String::as_str).collect();
        let more = if found.missing.len() > NAMED { " …" } else { "" };
        let names = sanitised(&named.join(" "));
        log::warn!(
            "packages that the backup names and does not bring: {names}{more}; `skiff plugin install NAME` loads one"
        );
    }
}

fn gateway(target: &TargetArgs, url: &str) -> Result<GatewayClient, Failure> {
    match AdminTarget::find(target.folder()?, Some(url))? {
        AdminTarget::Gateway(client) => Ok(client),
        AdminTarget::Folder(_) => Err(Failure::new(exit::UNAVAILABLE, format_args!("{url}: no gateway answers"))),
    }
}

fn not_taken(file: &Path, folder: &Folder, error: &BackupError) -> Failure {
    match error {
        // What cannot be opened is the file; later it is the folder.
        BackupError::Disk(error) if !file.is_file() => {
            Failure::new(exit::INPUT_MISSING, format_args!("{}: {error}", file.display()))
        }
        BackupError::Disk(error) => {
            Failure::new(exit::UNAVAILABLE, format_args!("{}: {error}", folder.root().display()))
        }
        BackupError::Newer(_) => Failure::new(exit::VERDICT, format_args!("{}: {error}", file.display())),
        _ => Failure::new(exit::INPUT_CORRUPT, format_args!("{}: {error}", file.display())),
    }
}
