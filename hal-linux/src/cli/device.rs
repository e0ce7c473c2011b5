//! `skiff device`: sensors and programs that ask to be let in, and those that are.

use axum::http::Method;
use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};
use skiff_runtime::accounts::{Role, TokenKind};

use super::admin::{AdminTarget, TargetArgs, ask, change_accounts, load_accounts, parse_role, segment};
use super::client::Body;
use super::exit::{self, Failure};
use super::talk::{aligned, print, sanitised};

/// Let devices in that ask for access, list and remove them
///
/// A sensor or a program asks for access by itself (SensESP, pypilot and others do); it gets a token of its own when you
/// approve. Requests wait in the running gateway, for 24 hours at most.
#[derive(Debug, ClapArgs)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  \
    skiff device list                              who waits, and who is let in\n  \
    skiff device approve 1234-45653                with what it asked for, readwrite at most\n  \
    skiff device approve 1234-45653 --role readonly --expires 30d\n  \
    skiff device remove 1234-45653                 its token is good for nothing then"
)]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the devices that wait for an answer, and those that are let in
    List {
        /// As JSON, one array
        #[arg(long)]
        json: bool,
    },
    /// Let a device in
    Approve {
        /// What the device calls itself
        id: String,

        /// What it may do [default: what it asked for, readwrite at most]
        #[arg(long, value_name = "readonly|readwrite|admin", value_parser = parse_role)]
        role: Option<Role>,

        /// When its token ends, for example 12h, 30d, 1y [default: never]
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// Do not let a device in
    Deny {
        /// What the device calls itself
        id: String,
    },
    /// Take a device's token away
    Remove {
        /// What the device calls itself
        id: String,
    },
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    let target = args.target.find()?;
    match &args.verb {
        Verb::List { json } => list(target, *json),
        Verb::Approve { id, role, expires } => {
            let mut answer = json!({});
            if let Some(role) = role {
                answer["permissions"] = role.name().into();
            }
            if let Some(expires) = expires {
                answer["expiration"] = expires.as_str().into();
            }
            reply(&target, id, "approved", &answer)
        }
        Verb::Deny { id } => reply(&target, id, "denied", &json!({})),
        Verb::Remove { id } => remove(target, id),
    }
}

/// One device in a listing.
struct Row {
    id: String,
    state: &'static str,
    role: String,
    ends: String,
    description: String,
}

fn list(target: AdminTarget, as_json: bool) -> Result<(), Failure> {
    let rows = match target {
        AdminTarget::Gateway(client) => {
            let of = |path: &str| -> Result<Vec<Value>, Failure> {
                let body = ask(&client, Method::GET, path, None)?;
                serde_json::from_slice(&body).map_err(|error| {
                    Failure::new(exit::VERDICT, format_args!("the gateway's answer is no list: {error}"))
                })
            };
            let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let waiting = of("/skServer/security/access/requests")?.into_iter().map(|row| Row {
                id: text(&row, "accessIdentifier"),
                state: "waiting",
                role: text(&row, "permissions"),
                ends: String::new(),
                description: text(&row, "accessDescription"),
            });
            let known = of("/skServer/security/devices")?.into_iter().map(|row| Row {
                id: text(&row, "clientId"),
                state: "let in",
                role: text(&row, "permissions"),
                ends: text(&row, "expires"),
                description: text(&row, "description"),
            });
            waiting.chain(known).collect::<Vec<_>>()
        }
        AdminTarget::Folder(mut folder) => {
            let tokens = load_accounts(&mut folder)?.tokens;
            let rows = tokens.of_kind(TokenKind::Device).map(|token| Row {
                id: token.name.clone(),
                state: "let in",
                role: token.role.to_string(),
                ends: token.ends.map(|ends| ends.text().to_string()).unwrap_or_default(),
                description: token.description.clone(),
            });
            rows.collect()
        }
    };
    if as_json {
        let row = |row: &Row| {
            let ends = Some(&row.ends).filter(|ends| !ends.is_empty());
            json!({ "id": row.id, "state": row.state, "role": row.role, "ends": ends, "description": row.description })
        };
        return print([format!("{:#}", Value::from(rows.iter().map(row).collect::<Vec<_>>()))]);
    }
    if rows.is_empty() {
        log::info!("no device waits, and none is let in");
        return Ok(());
    }
    let header = ["DEVICE", "STATE", "ROLE", "ENDS", "DESCRIPTION"].map(str::to_owned).to_vec();
    let cells = rows.iter().map(|row| {
        let ends = if row.ends.is_empty() { "never" } else { &row.ends };
        let ends = if row.state == "waiting" { "" } else { ends };
        [row.id.as_str(), row.state, &row.role, ends, &row.description].map(sanitised).to_vec()
    });
    print(aligned(&std::iter::once(header).chain(cells).collect::<Vec<_>>()))
}

fn reply(target: &AdminTarget, id: &str, reply: &str, answer: &Value) -> Result<(), Failure> {
    let AdminTarget::Gateway(client) = target else {
        let clause = "requests wait in a running gateway, and none runs on this folder; --url names one elsewhere";
        return Err(Failure::new(exit::UNAVAILABLE, clause));
    };
    let address = format!("/skServer/security/access/requests/{}/{reply}", segment(id));
    ask(client, Method::PUT, &address, Some(Body::Json(answer.to_string())))?;
    log::info!("{}: {reply}", sanitised(id));
    Ok(())
}

fn remove(target: AdminTarget, id: &str) -> Result<(), Failure> {
    match target {
        AdminTarget::Gateway(client) => {
            ask(&client, Method::DELETE, &format!("/skServer/security/devices/{}", segment(id)), None)?;
        }
        AdminTarget::Folder(mut folder) => {
            change_accounts(&mut folder, |accounts| {
                let known = accounts.tokens.revoke(TokenKind::Device, id);
                if known { Ok(()) } else { Err(Failure::new(exit::VERDICT, "there is no such device")) }
            })?;
        }
    }
    log::info!("{}: removed", sanitised(id));
    Ok(())
}
