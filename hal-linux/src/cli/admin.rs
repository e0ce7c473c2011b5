//! Where plugins, users, tokens and devices are administered: a running gateway, or the configuration folder when none runs.

use std::path::PathBuf;

use axum::http::Method;
use clap::Args as ClapArgs;
use serde_json::{Map, Value};
use skiff_runtime::accounts::{Accounts, Role};
use skiff_runtime::hal::{Key, Storage, StorageError};

use super::client::{Body, ClientError, GatewayClient, GatewayResponse};
use super::exit::{self, Failure};
use crate::hal::Folder;
use crate::home::{self, Lock, TOKEN_FILE};
use crate::layout::{self, LayoutError};

/// Which gateway is meant; the same for every command that administers.
#[derive(Debug, ClapArgs)]
pub(super) struct TargetArgs {
    /// Configuration folder [default: ~/.skiff, else that of the installed service, /var/lib/skiff]
    #[arg(long, value_name = "DIR", global = true)]
    pub config: Option<PathBuf>,

    /// Address of a running gateway [default: the one that runs on the configuration folder]
    #[arg(long, value_name = "URL", global = true)]
    pub url: Option<String>,
}

impl TargetArgs {
    /// Returns the configuration folder.
    pub fn folder(&self) -> Result<PathBuf, Failure> {
        self.config.clone().map_or_else(super::administered_config, Ok)
    }

    /// Finds the gateway that is meant, or takes the folder when none runs.
    pub fn find(&self) -> Result<AdminTarget, Failure> {
        AdminTarget::find(self.folder()?, self.url.as_deref())
    }
}

/// Where something is administered.
pub(super) enum AdminTarget {
    Gateway(GatewayClient),
    Folder(Folder),
}

impl AdminTarget {
    /// Finds the gateway that is meant, or takes the folder when none runs.
    pub fn find(folder: PathBuf, url: Option<&str>) -> Result<Self, Failure> {
        let kept = home::address(&folder);
        let mut storage = Folder::new(folder);
        let token = std::env::var("SKIFF_TOKEN").ok().filter(|token| !token.is_empty());
        let token = token.or_else(|| read_text(&mut storage, TOKEN_FILE).map(|token| token.trim().to_owned()));
        if let Some(url) = url {
            let client = GatewayClient::new(url, token)
                .map_err(|error| Failure::new(exit::USAGE, format_args!("{url}: {error}")))?;
            return Ok(Self::Gateway(client));
        }
        let Some(client) = kept.and_then(|url| GatewayClient::new(&url, token).ok()) else {
            return Ok(Self::Folder(storage));
        };
        match client.send(Method::GET, "/signalk", None) {
            Ok(_) => Ok(Self::Gateway(client)),
            Err(error) => {
                log::debug!("{error}; the configuration folder is used");
                Ok(Self::Folder(storage))
            }
        }
    }
}

/// Keeps the folder to this command, and its files in the layout of today.
pub(super) fn begin_change(folder: &mut Folder) -> Result<Option<Lock>, Failure> {
    let root = folder.root().to_owned();
    let lock = match Lock::take(&root) {
        Ok(Some(lock)) => Some(lock),
        Ok(None) => {
            let clause = format_args!("{}: a gateway runs on this folder, and does not answer yet", root.display());
            return Err(Failure::new(exit::UNAVAILABLE, clause));
        }
        // What cannot be locked cannot be written either, and that is told where it is tried.
        Err(_) => None,
    };
    match layout::bring_up_to_date(folder) {
        Ok(()) | Err(LayoutError::Step(_)) => Ok(lock),
        Err(error) => Err(Failure::new(exit::UNAVAILABLE, format_args!("{}: {error}", root.display()))),
    }
}

/// Reads the accounts of a folder.
pub(super) fn load_accounts(folder: &mut Folder) -> Result<Accounts, Failure> {
    Accounts::load(folder).map_err(|error| Failure::new(exit::INPUT_CORRUPT, error))
}

/// Changes the accounts of a folder on which no gateway runs.
pub(super) fn change_accounts(
    folder: &mut Folder,
    change: impl FnOnce(&mut Accounts) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let _lock = begin_change(folder)?;
    let before = load_accounts(folder)?;
    let mut accounts = before.clone();
    change(&mut accounts)?;
    accounts.save_changes(&before, folder).map_err(|error| Failure::new(exit::UNAVAILABLE, error))
}

fn read_text(storage: &mut Folder, file: &str) -> Option<String> {
    const BYTES_MAX: u32 = 4096;
    let key = Key::parse(file).ok()?;
    match storage.read_all(&key, BYTES_MAX) {
        Ok(data) => String::from_utf8(data).ok(),
        Err(StorageError::NotFound) => None,
        Err(error) => {
            log::warn!("{}: {error}", storage.root().join(file).display());
            None
        }
    }
}

/// Sends a request and turns a refusal into a failure.
pub(super) fn ask(client: &GatewayClient, method: Method, path: &str, body: Option<Body>) -> Result<Vec<u8>, Failure> {
    let GatewayResponse { status, body } = client.send(method, path, body).map_err(|error| match &error {
        ClientError::Url => Failure::new(exit::USAGE, error),
        ClientError::Unreachable(_) | ClientError::Broken(_) => Failure::new(exit::UNAVAILABLE, error),
    })?;
    if (200..300).contains(&status) {
        return Ok(body);
    }
    let told = serde_json::from_slice::<Map<String, Value>>(&body).unwrap_or_default();
    let reason = told.get("error").and_then(Value::as_str).map(str::to_owned);
    let mut reason = reason.unwrap_or_else(|| format!("status {status}"));
    let asks = told.get("asks").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let asks = asks.collect::<Vec<_>>().join(",");
    if !asks.is_empty() {
        reason.push_str(&format!("; add --grant {asks}"));
    }
    Err(match status {
        401 | 403 => {
            let help = "the token is read from skiff/token in the configuration folder (--config DIR) or from SKIFF_TOKEN; \
                 `skiff token new` makes another";
            Failure::new(exit::UNAUTHORISED, format_args!("the gateway refuses: {reason}; {help}"))
        }
        _ => Failure::new(exit::VERDICT, format_args!("the gateway refuses: {reason}")),
    })
}

/// Reads the answer of a gateway.
pub(super) fn parse(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::new(exit::VERDICT, format_args!("the gateway's answer is no JSON: {error}")))
}

/// Codes a text as one segment of an address (RFC 3986 §2.1).
pub(super) fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let coded = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(coded).collect()
}

/// Reads the name of a role.
pub(super) fn parse_role(text: &str) -> Result<Role, String> {
    Role::from_name(text).ok_or_else(|| "roles are readonly, readwrite and admin".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment() {
        assert_eq!(segment("1234-45653"), "1234-45653");
        assert_eq!(segment("a/b ?ü"), "a%2Fb%20%3F%C3%BC");
    }

    #[test]
    fn roles_have_names() {
        assert_eq!(parse_role("readonly"), Ok(Role::ReadOnly));
        assert!(parse_role("captain").unwrap_err().contains("readwrite"));
    }
}
