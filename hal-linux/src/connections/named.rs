//! What an admin may name over HTTP: only whoever sits at the machine reaches all of its files.

use std::path::Path;

use super::wishes::Refused;
use crate::input::Address;
use crate::logs::Source;

/// The folder, below the configuration folder, whose files an address may name: passwords, tokens, certificates for brokers and servers.
/// Not all of the configuration folder: the owner's token and the accounts lie there, too, and what stands in a file goes to whoever
/// is named.
const SECRETS: &str = "skiff/secrets";

/// Refuses an input that only whoever sits at the machine may name.
pub(super) fn may_be_asked_for(url: &str, address: &Address) -> Result<(), Refused> {
    match address {
        Address::Log(Source::Stdin) => refused("standard input is for the command line"),
        Address::Log(Source::File(path)) if path.is_relative() => refused("write the whole path of the file"),
        // What stands in a file of this machine would go to whoever is named.
        Address::Server(_) if url.contains("token-file=") => refused("give the token itself: token="),
        _ => Ok(()),
    }
}

/// Refuses files that an address names anywhere else than in `skiff/secrets` of the configuration folder.
pub(super) fn files_may_be_named(url: &str, folder: Option<&Path>) -> Result<(), Refused> {
    let options = url.rsplit_once('?').map_or("", |(_, options)| options).split('&');
    for (name, file) in options.filter_map(|option| option.split_once('=')).filter(|(name, _)| name.ends_with("_file"))
    {
        // As the system sees it: no link and no `..` leads out.
        let place = folder.and_then(|folder| folder.join(SECRETS).canonicalize().ok());
        let is_there =
            place.is_some_and(|place| Path::new(file).canonicalize().is_ok_and(|file| file.starts_with(place)));
        if !is_there {
            return refused(&format!("over the network {name} names a file in {SECRETS} of the configuration folder"));
        }
    }
    Ok(())
}

fn refused(clause: &str) -> Result<(), Refused> {
    Err(Refused(400, clause.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_files_of_the_folder_for_secrets_are_named_over_the_network() {
        let home = tempfile::tempdir().unwrap();
        let secrets = home.path().join(SECRETS);
        fs::create_dir_all(&secrets).unwrap();
        fs::write(home.path().join("skiff/token"), "owner").unwrap();
        fs::write(secrets.join("broker"), "p").unwrap();
        symlink(home.path().join("skiff/token"), secrets.join("link")).unwrap();
        let named = |file: &str| {
            let url = format!("mqtt://me@nas?every=1&password_file={}/{file}", secrets.display());
            files_may_be_named(&url, Some(home.path())).is_ok()
        };
        assert!(named("broker"));
        for file in ["../token", "link", "none", "../../../../../etc/passwd", ""] {
            assert_eq!(named(file), file.is_empty(), "{file}");
        }
        let url = "influx://nas:8086?db=a&token_file=/etc/hostname";
        assert!(files_may_be_named(url, Some(home.path())).is_err() && files_may_be_named(url, None).is_err());
        assert!(files_may_be_named("influx://nas:8086?db=a", None).is_ok());
    }
}
