//! What can be wrong with a gateway's surroundings, and what to type about it.
//!
//! Every check only looks: nothing is written, opened for writing or sent.

mod bus;
mod files;
mod folder;
mod network;
mod plugins;
mod system;

use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;

use crate::home;
use crate::tls::Choice;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// The gateway runs, and something will be missing or is worth knowing.
    Warning,
    /// The gateway will not do what is asked of it.
    Bad,
}

impl Verdict {
    /// Returns the word of the listing.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, for example `can0` or `folder`.
    pub what: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen; can hold text from elsewhere.
    pub seen: String,
    /// What to type, where something can be done.
    pub fix: Option<String>,
}

impl Finding {
    fn good(what: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { what: what.into(), verdict: Verdict::Good, seen: seen.into(), fix: None }
    }

    fn warning(what: impl Into<String>, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), verdict: Verdict::Warning, seen: seen.into(), fix: Some(fix.into()) }
    }

    fn bad(what: impl Into<String>, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), verdict: Verdict::Bad, seen: seen.into(), fix: Some(fix.into()) }
    }
}

/// The settings that the gateway runs with.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'p> {
    /// Configuration folder.
    pub config: &'p Path,
    /// Address of the web server.
    pub listen: SocketAddr,
    /// Whose certificate the web server is to show.
    pub tls: Option<&'p Choice>,
    /// CAN interfaces that are asked for; none looks at all there are.
    pub can: &'p [String],
}

/// Looks at everything.
#[must_use]
pub fn examine(plan: &Plan<'_>) -> Vec<Finding> {
    let running = home::address(plan.config);
    let mut findings = folder::examine(plan.config);
    findings.extend(bus::interfaces(plan.can));
    findings.extend(bus::serial_ports(Path::new("/dev")));
    findings.push(system::port(plan.listen, running.as_deref()));
    findings.extend(network::certificate(plan.tls, plan.config, SystemTime::now()));
    findings.extend(network::mdns(plan.listen, plan.config));
    findings.push(system::clock());
    findings.push(system::memory());
    findings
}
