//! `skiff token`: tokens of programs, and the owner's made anew.

use std::path::Path;

use axum::http::Method;
use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};
use skiff_runtime::accounts::{NewToken, Role, Token, TokenKind, expiry};
use skiff_runtime::hal::Clock;
use skiff_runtime::server::Access;
use skiff_runtime::time::UnixMillis;

use super::admin::{AdminTarget, TargetArgs, ask, change_accounts, load_accounts, parse, parse_role, segment};
use super::client::Body;
use super::exit::{self, Failure};
use super::talk::{aligned, print, sanitised};
use crate::hal::{Folder, SystemClock, SystemRng};
use crate::home::{self, Lock, TOKEN_FILE};

/// Make, list and revoke tokens of programs; make the owner's token anew
///
/// A token lets a program in that cannot log in: a script, Node-RED, another Signal K server. It has a name and a role.
#[derive(Debug, ClapArgs)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  \
    skiff token add node-red --role readwrite    prints the token, this once\n  \
    skiff token add guest --role readonly --expires 30d\n  \
    skiff token revoke node-red                  its streams end at once\n  \
    skiff token new                              the owner's, when skiff/token or skiff/auth.json is lost\n\n\
    With `new` the owner's token before is good for nothing. The gateway on the folder must be stopped meanwhile."
)]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the tokens of programs
    List {
        /// As JSON, one array
        #[arg(long)]
        json: bool,
    },
    /// Make a token and print it; one of this name before is good for nothing then
    Add {
        /// Name of the program
        name: String,

        /// What it may do
        #[arg(long, value_name = "readonly|readwrite|admin", default_value = "readonly", value_parser = parse_role)]
        role: Role,

        /// When it ends, for example 12h, 30d, 1y [default: never]
        #[arg(long, value_name = "TIME", default_value = "never", hide_default_value = true)]
        expires: String,
    },
    /// Take a token away
    Revoke {
        /// Name of the program
        name: String,
    },
    /// Make the owner's token anew, print it, and keep the command line's copy in skiff/token
    New,
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    match &args.verb {
        Verb::List { json } => list(args.target.find()?, *json),
        Verb::Add { name, role, expires } => add(args.target.find()?, name, *role, expires),
        Verb::Revoke { name } => revoke(args.target.find()?, name),
        Verb::New if args.target.url.is_some() => {
            Err(Failure::new(exit::USAGE, "the owner's token is made in the folder, --config DIR; not at --url"))
        }
        Verb::New => renew(&args.target.folder()?),
    }
}

fn list(target: AdminTarget, as_json: bool) -> Result<(), Failure> {
    let rows = match target {
        AdminTarget::Gateway(client) => parse(&ask(&client, Method::GET, "/skServer/security/tokens", None)?)?,
        AdminTarget::Folder(mut folder) => {
            let tokens = load_accounts(&mut folder)?.tokens;
            let row = |token: &Token| {
                let mut row =
                    json!({ "name": token.name, "role": token.role.name(), "description": token.description });
                if let Some(ends) = token.ends {
                    row["expires"] = ends.text().to_string().into();
                }
                row
            };
            tokens.of_kind(TokenKind::Named).map(row).collect()
        }
    };
    if as_json {
        return print([format!("{rows:#}")]);
    }
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        log::info!("there are no tokens but the owner's; `skiff token add NAME` makes one");
        return Ok(());
    }
    let cell = |row: &Value, name: &str, or: &str| sanitised(row[name].as_str().unwrap_or(or));
    let header = ["TOKEN", "ROLE", "ENDS"].map(str::to_owned).to_vec();
    let cells =
        rows.iter().map(|row| vec![cell(row, "name", ""), cell(row, "role", ""), cell(row, "expires", "never")]);
    print(aligned(&std::iter::once(header).chain(cells).collect::<Vec<_>>()))
}

fn add(target: AdminTarget, name: &str, role: Role, expires: &str) -> Result<(), Failure> {
    let text = match target {
        AdminTarget::Gateway(client) => {
            let token = json!({ "role": role.name(), "expiration": expires }).to_string();
            let made = parse(&ask(&client, Method::POST, &address(name), Some(Body::Json(token)))?)?;
            made["token"].as_str().unwrap_or_default().to_owned()
        }
        AdminTarget::Folder(mut folder) => {
            let now = SystemClock::start().wall().unwrap_or(UnixMillis::UNKNOWN);
            let Some(ends) = expiry(expires, now) else {
                return Err(Failure::new(exit::USAGE, "--expires is like 30d, 12h, 1y or never, and needs the time"));
            };
            let mut rng = SystemRng::open().map_err(|error| Failure::new(exit::UNAVAILABLE, error))?;
            let mut text = String::new();
            change_accounts(&mut folder, |accounts| {
                let token = NewToken { kind: TokenKind::Named, name, role, description: "", ends };
                text = accounts.tokens.issue(token, now, &mut rng).map_err(|full| Failure::new(exit::VERDICT, full))?;
                Ok(())
            })?;
            text
        }
    };
    log::info!("the token of {}, {role}, shown this once", sanitised(name));
    print([text])
}

fn revoke(target: AdminTarget, name: &str) -> Result<(), Failure> {
    match target {
        AdminTarget::Gateway(client) => _ = ask(&client, Method::DELETE, &address(name), None)?,
        AdminTarget::Folder(mut folder) => change_accounts(&mut folder, |accounts| {
            let known = accounts.tokens.revoke(TokenKind::Named, name);
            if known { Ok(()) } else { Err(Failure::new(exit::VERDICT, "there is no such token")) }
        })?,
    }
    log::info!("{}: revoked", sanitised(name));
    Ok(())
}

fn address(name: &str) -> String {
    format!("/skServer/security/tokens/{}", segment(name))
}

fn renew(folder: &Path) -> Result<(), Failure> {
    let unavailable = |clause: &dyn std::fmt::Display| {
        Failure::new(exit::UNAVAILABLE, format_args!("{}: {clause}", folder.display()))
    };
    if !folder.is_dir() {
        return Err(Failure::new(exit::INPUT_MISSING, format_args!("{}: no such folder", folder.display())));
    }
    let Some(_lock) = Lock::take(folder).map_err(|error| unavailable(&error))? else {
        return Err(unavailable(&"a gateway runs on this folder; stop it, and start it again afterwards"));
    };
    let mut rng = SystemRng::open().map_err(|error| Failure::new(exit::UNAVAILABLE, error))?;
    let mut storage = Folder::new(folder);
    let token = Access::renew(&mut storage, &mut rng).map_err(|error| unavailable(&error))?;
    if let Err(error) = home::write(&mut storage, TOKEN_FILE, token.as_str()) {
        log::warn!("{}: {error}; `skiff plugin` needs the token in SKIFF_TOKEN", folder.join(TOKEN_FILE).display());
    }
    log::info!("a new token, shown this once; a copy is in {}", folder.join(TOKEN_FILE).display());
    print([token.as_str().to_owned()])
}
