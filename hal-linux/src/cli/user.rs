//! `skiff user`: people with a password.

use std::io::{self, BufRead, IsTerminal};

use axum::http::Method;
use clap::{Args as ClapArgs, Subcommand};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::{Value, json};
use skiff_runtime::accounts::{Accounts, PASSWORD_BYTES_MAX, Role, User, check_name, check_password};

use super::admin::{AdminTarget, TargetArgs, ask, change_accounts, load_accounts, parse, parse_role, segment};
use super::client::Body;
use super::exit::{self, Failure};
use super::sign_in;
use super::talk::{self, aligned, print, sanitised};
use crate::hal::hash_password;
use crate::home;

/// Add, list and remove the people who log in with a password
///
/// Users log in on the sign-in page and in web apps (KIP, Freeboard-SK and others); what they may do there is their role,
/// `readwrite` at the most. Those of a Signal K folder (`security.json`) are known, too.
#[derive(Debug, ClapArgs)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  \
    skiff user add skipper                         asks for the password\n  \
    skiff user add crew --role readonly < secret   takes the password from the first line\n  \
    skiff user link                                a link that lets you in once, without a password\n  \
    skiff user list"
)]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the users
    List {
        /// As JSON, one array
        #[arg(long)]
        json: bool,
    },
    /// Add a user; the password is asked for, or read from standard input
    Add {
        /// Name to log in with
        name: String,

        /// What the user may do
        #[arg(long, value_name = "readonly|readwrite|admin", default_value = "readwrite", value_parser = parse_role)]
        role: Role,
    },
    /// Set a user's password anew; every login of this user ends
    Password {
        /// Name of the user
        name: String,
    },
    /// Give a user another role
    Role {
        /// Name of the user
        name: String,

        /// What the user may do
        #[arg(value_name = "readonly|readwrite|admin", value_parser = parse_role)]
        role: Role,
    },
    /// Remove a user; every login of this user ends
    Remove {
        /// Name of the user
        name: String,
    },
    /// Print a link that lets its owner in once, within ten minutes
    Link,
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    let target = args.target.find()?;
    match &args.verb {
        Verb::List { json } => list(target, *json),
        Verb::Add { name, role } => add(target, name, *role),
        Verb::Password { name } => set_password(target, name),
        Verb::Role { name, role } => set_role(target, name, *role),
        Verb::Remove { name } => remove(target, name),
        Verb::Link => {
            // Mostly it is a phone that is let in.
            let folder = args.target.url.is_none().then(|| args.target.folder().ok()).flatten();
            link(&target, folder.and_then(|folder| home::outside(&folder)))
        }
    }
}

fn list(target: AdminTarget, as_json: bool) -> Result<(), Failure> {
    let rows = match target {
        AdminTarget::Gateway(client) => parse(&ask(&client, Method::GET, "/skServer/security/users", None)?)?,
        AdminTarget::Folder(mut folder) => {
            let row = |user: &User| json!({ "userId": user.name, "type": user.role.name() });
            load_accounts(&mut folder)?.users.iter().map(row).collect()
        }
    };
    if as_json {
        return print([format!("{rows:#}")]);
    }
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        log::info!("there are no users; `skiff user add NAME` makes one");
        return Ok(());
    }
    let cell = |row: &Value, name: &str| sanitised(row[name].as_str().unwrap_or_default());
    let header = vec!["USER".to_owned(), "ROLE".to_owned()];
    let cells = rows.iter().map(|row| vec![cell(row, "userId"), cell(row, "type")]);
    print(aligned(&std::iter::once(header).chain(cells).collect::<Vec<_>>()))
}

fn add(target: AdminTarget, name: &str, role: Role) -> Result<(), Failure> {
    check_name(name).map_err(|error| Failure::new(exit::USAGE, error))?;
    let password = new_password()?;
    match target {
        AdminTarget::Gateway(client) => {
            let user = json!({ "password": password, "type": role.name() }).to_string();
            ask(&client, Method::POST, &address(name), Some(Body::Json(user)))?;
        }
        AdminTarget::Folder(mut folder) => change_accounts(&mut folder, |accounts| {
            if accounts.users.of_name(name).is_some() {
                return Err(Failure::new(exit::VERDICT, "there is a user of this name already"));
            }
            let hash = hash(&password)?;
            accounts.users.set(name, role, &hash).map_err(|error| Failure::new(exit::VERDICT, error))
        })?,
    }
    log::info!("{}: added, {role}", sanitised(name));
    Ok(())
}

fn set_password(target: AdminTarget, name: &str) -> Result<(), Failure> {
    let password = new_password()?;
    match target {
        AdminTarget::Gateway(client) => {
            let address = format!("/skServer/security/user/{}/password", segment(name));
            ask(&client, Method::PUT, &address, Some(Body::Json(json!(password).to_string())))?;
        }
        AdminTarget::Folder(mut folder) => change_accounts(&mut folder, |accounts| {
            let role = accounts.users.of_name(name).map(|user| user.role).ok_or_else(nobody)?;
            let hash = hash(&password)?;
            accounts.users.set(name, role, &hash).map_err(|error| Failure::new(exit::VERDICT, error))?;
            accounts.logins.close_all_of(name);
            Ok(())
        })?,
    }
    log::info!("{}: the password is set", sanitised(name));
    Ok(())
}

fn set_role(target: AdminTarget, name: &str, role: Role) -> Result<(), Failure> {
    match target {
        AdminTarget::Gateway(client) => {
            let user = json!({ "type": role.name() }).to_string();
            ask(&client, Method::PUT, &address(name), Some(Body::Json(user)))?;
        }
        AdminTarget::Folder(mut folder) => {
            let set = |accounts: &mut Accounts| accounts.users.set_role(name, role).then_some(()).ok_or_else(nobody);
            change_accounts(&mut folder, set)?;
        }
    }
    log::info!("{}: {role}", sanitised(name));
    Ok(())
}

fn remove(target: AdminTarget, name: &str) -> Result<(), Failure> {
    match target {
        AdminTarget::Gateway(client) => _ = ask(&client, Method::DELETE, &address(name), None)?,
        AdminTarget::Folder(mut folder) => change_accounts(&mut folder, |accounts| {
            accounts.logins.close_all_of(name);
            if accounts.users.remove(name) { Ok(()) } else { Err(nobody()) }
        })?,
    }
    log::info!("{}: removed", sanitised(name));
    Ok(())
}

fn link(target: &AdminTarget, outside: Option<String>) -> Result<(), Failure> {
    let AdminTarget::Gateway(client) = target else {
        let clause = "a link is made by a running gateway, and none runs on this folder; --url names one elsewhere";
        return Err(Failure::new(exit::UNAVAILABLE, clause));
    };
    let made = parse(&ask(client, Method::POST, "/skServer/security/signInCode", None)?)?;
    let code = made["code"].as_str().unwrap_or_default();
    log::info!("good once, within ten minutes:");
    let link = sign_in::link(&outside.unwrap_or_else(|| client.base()), code);
    sign_in::show_code(&link);
    print([link])
}

fn address(name: &str) -> String {
    format!("/skServer/security/users/{}", segment(name))
}

fn nobody() -> Failure {
    Failure::new(exit::VERDICT, "there is no such user")
}

fn hash(password: &str) -> Result<String, Failure> {
    hash_password(password).map_err(|error| Failure::new(exit::UNAVAILABLE, error))
}

/// Asks for a password twice at a terminal, without showing it; elsewhere it is the first line of standard input.
fn new_password() -> Result<String, Failure> {
    let stdin = io::stdin();
    let password = if stdin.is_terminal() {
        let first = hidden("Password:")?;
        if first != hidden("Again:")? {
            return Err(Failure::new(exit::VERDICT, "the passwords differ; nothing was changed"));
        }
        first
    } else {
        first_line(&mut stdin.lock())?
    };
    check_password(&password).map_err(|error| Failure::new(exit::VERDICT, error))?;
    Ok(password)
}

/// Reads a line that the terminal does not show.
fn hidden(prompt: &str) -> Result<String, Failure> {
    let stdin = io::stdin();
    let unreadable = |error: rustix::io::Errno| Failure::new(exit::INPUT_MISSING, error);
    let shown = tcgetattr(&stdin).map_err(unreadable)?;
    let mut silent = shown.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    talk::say(prompt);
    tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(unreadable)?;
    let line = first_line(&mut stdin.lock());
    // A terminal that is gone by now shows nothing either.
    let _ = tcsetattr(&stdin, OptionalActions::Flush, &shown);
    line
}

fn first_line(input: &mut dyn BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    let limit = PASSWORD_BYTES_MAX as u64 + 2;
    io::Read::take(input, limit)
        .read_line(&mut line)
        .map_err(|error| Failure::new(exit::INPUT_MISSING, format_args!("no password on standard input: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line() {
        assert_eq!(first_line(&mut "secret one\r\nmore\n".as_bytes()).unwrap(), "secret one");
        assert_eq!(first_line(&mut "".as_bytes()).unwrap(), "");
        assert_eq!(first_line(&mut "x".repeat(500).as_bytes()).unwrap().len(), PASSWORD_BYTES_MAX + 2, "and not more");
    }
}
