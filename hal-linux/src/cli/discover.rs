//! `skiff discover`: Signal K servers of the network.

use std::time::Duration;

use clap::Args as ClapArgs;
use serde_json::json;

use super::exit::{self, Failure};
use super::talk::{Data, DataError, sanitised};
use crate::input::server::nearby::{self, Found};

/// Show the Signal K servers of the network
///
/// Asks by multicast DNS, and shows who answers: what to type behind `--input`, what the server is called, its software and
/// the own vessel it has. Nothing is connected to.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  skiff discover\n  skiff run --input ws://192.168.1.20:3000     one of them as input\n  \
    skiff run --input mdns://Bow               by its name, whatever its address"
)]
pub struct Args {
    /// Time that servers get to answer
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = clap::value_parser!(u16).range(1..=60))]
    seconds: u16,

    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    let found = nearby::look(Duration::from_secs(args.seconds.into()), &|_| false);
    let found = found.map_err(|error| Failure::new(exit::UNAVAILABLE, format_args!("cannot look: {error}")))?;
    let mut data = Data::stdout();
    let lines = if args.json { vec![as_json(&found)] } else { as_text(&found) };
    let written = lines.iter().try_for_each(|line| data.line(line)).and_then(|()| data.flush());
    written.or_else(DataError::into_result)?;
    if found.is_empty() && !args.json {
        super::talk::say("no Signal K server answers");
    }
    Ok(())
}

fn as_json(found: &[Found]) -> String {
    let rows = found.iter().map(|server| {
        json!({
            "url": server.url(), "name": server.name, "host": server.host, "port": server.port,
            "addresses": server.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "software": server.software, "self": server.vessel, "vesselName": server.vessel_name,
        })
    });
    serde_json::Value::Array(rows.collect()).to_string()
}

fn as_text(found: &[Found]) -> Vec<String> {
    let rows = found.iter().map(|server| {
        let vessel = server.vessel_name.as_deref().or(server.vessel.as_deref()).unwrap_or("-");
        [server.url(), server.name.clone(), server.software.clone(), vessel.to_owned()]
            .map(|text| sanitised(&text).to_string())
    });
    let rows: Vec<[String; 4]> = rows.collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let (url, name, software) = (width(0), width(1), width(2));
    let line =
        |[of, called, made, vessel]: &[String; 4]| format!("{of:<url$}  {called:<name$}  {made:<software$}  {vessel}");
    rows.iter().map(line).collect()
}
