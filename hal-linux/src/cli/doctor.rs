//! `skiff doctor`: what is wrong around the gateway, and what to type.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::json;

use super::exit::{self, Failure};
use super::talk::{Data, DataError, sanitised};
use crate::doctor::{Finding, Plan, Verdict, examine};
use crate::tls::Choice;

/// Say what is wrong with the surroundings of a gateway, and what to type
///
/// Looks at the configuration folder with every file that `skiff run` reads of it, plugins and web apps, CAN interfaces,
/// serial ports, the web server's port and certificate, the port of multicast DNS, the clock, storage and memory, and says what a start would make of each. Changes
/// nothing. The exit code is 0 when nothing is bad, warnings or not, and 1 when something is.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  skiff doctor\n  skiff doctor --can can0 --listen 0.0.0.0:3000")]
pub struct Args {
    /// Configuration folder [default: ~/.skiff, else that of the installed service, /var/lib/skiff]
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,

    /// Address and port of the web server
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,

    /// Certificate of the web server, as `skiff run --tls` takes it [default: the one that Skiff has made, if it has]
    #[arg(long, value_name = "self|CERT.pem,KEY.pem", value_parser = Choice::parse)]
    tls: Option<Choice>,

    /// Look at this CAN interface (can be given again) [default: all there are]
    #[arg(long, value_name = "IFACE")]
    can: Vec<String>,

    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    let config = args.config.clone().map_or_else(super::administered_config, Ok)?;
    let findings = examine(&Plan { config: &config, listen: args.listen, tls: args.tls.as_ref(), can: &args.can });
    let mut data = Data::stdout();
    let lines = if args.json { vec![as_json(&findings)] } else { as_text(&findings) };
    let written = lines.iter().try_for_each(|line| data.line(line)).and_then(|()| data.flush());
    written.or_else(DataError::into_result)?;
    match findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count() {
        0 => Ok(()),
        1 => Err(Failure::new(exit::VERDICT, "one thing is bad")),
        count => Err(Failure::new(exit::VERDICT, format_args!("{count} things are bad"))),
    }
}

fn as_json(findings: &[Finding]) -> String {
    let rows = findings.iter().map(|finding| {
        json!({ "what": finding.what, "verdict": finding.verdict.name(), "seen": finding.seen, "fix": finding.fix })
    });
    serde_json::Value::Array(rows.collect()).to_string()
}

fn as_text(findings: &[Finding]) -> Vec<String> {
    let width = findings.iter().map(|finding| finding.what.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for finding in findings {
        lines.push(format!(
            "{:<7}  {:<width$}  {}",
            finding.verdict.name(),
            sanitised(&finding.what),
            sanitised(&finding.seen)
        ));
        if let Some(fix) = &finding.fix {
            lines.push(format!("{:<7}  {:<width$}  -> {}", "", "", sanitised(fix)));
        }
    }
    lines
}
